package import Units

/// Where error lines go. The setting `log-sink`.
package enum LogSink: Sendable, Hashable, CustomStringConvertible {
    case standardError
    case file(path: String)
    /// A pipe that is read at this rate, so that writers really block once it is full.
    case pipe(bytesPerSecond: Int)

    /// - Throws: ``UnitTextError`` listing the accepted forms.
    package init(text: String) throws(UnitTextError) {
        if text == "stderr" {
            self = .standardError
        } else if text.hasPrefix("file:"), text.utf8.count > 5 {
            self = .file(path: String(text.dropFirst(5)))
        } else if text.hasPrefix("pipe:"), text.hasSuffix("/s"),
            let rate = try? ByteCount(text: String(text.dropFirst(5).dropLast(2))), (1...1 << 40).contains(rate.bytes)
        {
            self = .pipe(bytesPerSecond: rate.bytes)
        } else {
            throw UnitTextError(
                text: text,
                expected: "a log sink: use stderr, file:PATH or pipe:BYTES/s, as in pipe:64KiB/s, up to 1024GiB/s"
            )
        }
    }

    /// The file that lines go to; nil for another kind of sink.
    package var file: String? {
        if case .file(let path) = self { path } else { nil }
    }

    package var description: String {
        switch self {
        case .standardError: "stderr"
        case .file(let path): "file:\(path)"
        case .pipe(let rate): "pipe:\(ByteCount(bytes: rate))/s"
        }
    }
}
