internal import PostRecords
internal import Text
internal import Units

/// What clients sent and when, as JSON lines: `{"offset": 1.25, "caller": "feed", "uris": 12}`, with offsets in seconds and
/// either how many URIs there were or the URIs themselves.
package enum Trace {
    /// A line of the trace.
    package struct Entry: Sendable, Equatable {
        /// From the beginning of the load.
        package var offset: Duration
        package var caller: String
        package var batch: Batch

        package init(offset: Duration, caller: String, batch: Batch) {
            self.offset = offset
            self.caller = caller
            self.batch = batch
        }
    }

    /// What an entry asks for: how many URIs, or which.
    package enum Batch: Sendable, Equatable {
        case size(Int)
        case uris([String])

        package var size: Int {
            switch self {
            case .size(let size): size
            case .uris(let uris): uris.count
            }
        }
    }

    /// What is wrong with a trace.
    package struct Problem: Error, CustomStringConvertible {
        /// From 1; nil where it is of no line.
        package var line: Int?
        package var reason: String

        package var description: String { (line.map { "line \($0): " } ?? "") + reason }
    }

    private struct Line: Codable {
        enum URIs: Codable {
            case size(Int)
            case list([String])

            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                if let size = try? value.decode(Int.self) {
                    self = .size(size)
                } else {
                    self = .list(try value.decode([String].self))
                }
            }

            func encode(to encoder: any Encoder) throws {
                var value = encoder.singleValueContainer()
                switch self {
                case .size(let size): try value.encode(size)
                case .list(let uris): try value.encode(uris)
                }
            }
        }

        var offset: Double
        var caller: String
        var uris: URIs
    }

    /// - Throws: ``Problem``
    package static func entries(of text: [UInt8]) throws(Problem) -> [Entry] {
        var entries: [Entry] = []
        // A byte order mark is no part of the first line.
        let text = text.starts(with: [0xef, 0xbb, 0xbf]) ? text[3...] : text[...]
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where line.contains(where: { ![0x20, 0x09, 0x0d].contains($0) }) {
            do throws(UnitTextError) {
                entries.append(try entry(Array(line)))
            } catch {
                throw Problem(line: index + 1, reason: "\(error)")
            }
        }
        guard !entries.isEmpty else { throw Problem(line: nil, reason: "it has no line") }
        return entries.sorted { $0.offset < $1.offset }
    }

    private static func entry(_ bytes: [UInt8]) throws(UnitTextError) -> Entry {
        func problem(_ expected: String) -> UnitTextError {
            UnitTextError(text: String(decoding: bytes.prefix(80), as: UTF8.self), expected: expected)
        }
        guard let line = try? JSONText.decode(Line.self, from: bytes) else {
            throw problem(#"a batch: write {"offset": SECONDS, "caller": "NAME", "uris": N or ["URI"]}"#)
        }
        guard line.offset >= 0, line.offset <= ClientSpec.longest.inSeconds else {
            throw problem("a batch whose offset is from 0 to \(Int(ClientSpec.longest.inSeconds)) seconds")
        }
        try ClientSpec.check(name: line.caller)
        let batch: Batch
        switch line.uris {
        case .size(let size):
            guard (1...BatchSizes.largest).contains(size) else {
                throw problem("a batch of 1 to \(BatchSizes.largest) URIs")
            }
            batch = .size(size)
        case .list(let uris):
            let isPlain = uris.allSatisfy { PostURI.keyProblem($0) == nil && !$0.contains { $0 == "\"" || $0 == "\\" } }
            guard (1...BatchSizes.largest).contains(uris.count), isPlain else {
                throw problem("a batch of 1 to \(BatchSizes.largest) URIs without blanks, quotes and backslashes")
            }
            batch = .uris(uris)
        }
        return Entry(offset: .nanoseconds(Int64((line.offset * 1e9).rounded())), caller: line.caller, batch: batch)
    }

    /// Lines, each with its line end.
    package static func text(_ entries: [Entry]) -> [UInt8] {
        entries.reduce(into: []) { text, entry in
            let uris: Line.URIs =
                switch entry.batch {
                case .size(let size): .size(size)
                case .uris(let uris): .list(uris)
                }
            text += JSONText.encodeLine(Line(offset: entry.offset.inSeconds, caller: entry.caller, uris: uris))
            text.append(UInt8(ascii: "\n"))
        }
    }
}
