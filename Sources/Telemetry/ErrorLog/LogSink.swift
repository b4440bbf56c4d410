package import POSIX
package import Units

/// Where error lines go. The setting `log-sink`.
package enum LogSink: Sendable, Hashable, CustomStringConvertible {
    case standardError
    case file(path: String)

    /// - Throws: ``UnitTextError`` listing the accepted forms.
    package init(text: String) throws(UnitTextError) {
        if text == "stderr" {
            self = .standardError
        } else if text.hasPrefix("file:"), text.utf8.count > 5 {
            self = .file(path: String(text.dropFirst(5)))
        } else {
            throw UnitTextError(text: text, expected: "a log sink: use stderr or file:PATH")
        }
    }

    package var description: String {
        switch self {
        case .standardError: "stderr"
        case .file(let path): "file:\(path)"
        }
    }

    /// - Throws: ``SystemCallError`` when the file cannot be opened for appending.
    package func open() throws(SystemCallError) -> Descriptor {
        switch self {
        case .standardError: try Descriptor.duplicate(of: 2)
        case .file(let path): try Descriptor.appending(to: path)
        }
    }
}
