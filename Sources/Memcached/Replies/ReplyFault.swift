/// Why a reply is none that was asked for: memcached's own error, or a peer that speaks otherwise.
package struct ReplyFault: Error, Sendable, Equatable {
    /// `MEMCACHED_ERROR`, `MEMCACHED_CLIENT_ERROR` and `MEMCACHED_SERVER_ERROR` are memcached's own lines;
    /// `MEMCACHED_PROTOCOL_ERROR` is what no memcached says, and `MEMCACHED_E2BIG` a value beyond
    /// ``ReplyReader/maxValueBytes``.
    package var code: ReturnCode
    /// For people; a peer's words in it are one short line.
    package var text: String

    init(_ code: ReturnCode, _ text: String) {
        self.code = code
        self.text = text
    }

    static func protocolError(_ text: String) -> ReplyFault { ReplyFault(.protocolError, text) }

    /// A line that carries no value and does not end a reply well.
    init(line: UnsafeRawBufferPointer, answering request: ReplyReader.Request) {
        let text = Self.quoted(line)
        func isWord(_ word: StaticString) -> Bool {
            line.starts(with: UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
                && (line.count == word.utf8CodeUnitCount || line[word.utf8CodeUnitCount] == UInt8(ascii: " "))
        }
        if isWord("ERROR") {
            self.init(.error, text)
        } else if isWord("CLIENT_ERROR") {
            self.init(.clientError, text)
        } else if isWord("SERVER_ERROR") {
            self.init(.serverError, text)
        } else if request == .set, isWord("NOT_STORED") {
            self.init(.notStored, text)
        } else if request == .set, isWord("EXISTS") {
            self.init(.dataExists, text)
        } else if request == .set, isWord("NOT_FOUND") {
            self.init(.notFound, text)
        } else {
            let call = if case .set = request { "set" } else { "get" }
            self.init(.protocolError, "a \(call) was answered '\(text)'")
        }
    }

    /// What a peer wrote, no longer than fits a log line.
    static func quoted(_ bytes: some Collection<UInt8>) -> String {
        let most = 160
        return String(decoding: bytes.prefix(most), as: UTF8.self) + (bytes.count > most ? "..." : "")
    }
}
