import Memcached
import POSIX
import TestSupport
import Testing
import Units

/// The plain connection's reader, against stand-ins that answer what memcached does not.
@Suite("Text connection", .requiresNamespaces, .timeLimit(.minutes(1)))
struct TextConnectionTests {
    private func statistics(_ serve: @escaping @Sendable (StandIn.Caller) throws -> Void) throws -> [String: String] {
        try inNetworkNamespace {
            let standIn = try StandIn { caller in
                _ = try caller.request()
                try serve(caller)
            }
            var connection = try TextConnection(to: standIn.address)
            return try connection.statistics()
        }
    }

    @Test("statistics are read in whatever pieces they come", arguments: [1, 2, 3, 7, 64, 1000])
    func pieces(size: Int) throws {
        let reply = Array("STAT pid 12\r\nSTAT version 1.6 a b\r\nSTAT empty\r\nEND\r\n".utf8)
        let values = try statistics { caller in
            for start in stride(from: 0, to: reply.count, by: size) {
                try caller.send(reply[start..<min(start + size, reply.count)])
            }
        }
        #expect(values == ["pid": "12", "version": "1.6 a b", "empty": ""])
    }

    @Test(
        "an answer that is none is refused in a sentence, however long it is",
        arguments: [
            ("HTTP/1.1 400 Bad Request\r\n", "memcached answered 'HTTP/1.1 400 Bad Request'"),
            ("STAT\r\n", "memcached answered 'STAT'"), ("ERROR\r\n", "memcached answered 'ERROR'"),
            ("\u{1}\u{2}", "memcached answered ''"),
            ("STAT a 1\r\n", "memcached closed the connection before its answer was whole"),
            ("", "memcached closed the connection before its answer was whole"),
        ]
    )
    func refused(answer: String, words: String) throws {
        let error = #expect(throws: TextProtocolError.self) { try statistics { try $0.send(answer) } }
        #expect(error.map { "\($0)" } == words)
    }

    @Test(
        "an answer without end takes neither memory nor time without end",
        arguments: ["x", "STAT a b\r\n", "STAT a b"]
    )
    func endless(piece: String) throws {
        let error = #expect(throws: TextProtocolError.self) { try statistics { while true { try $0.send(piece) } } }
        guard case .unexpected(let text) = error else {
            Issue.record("\(error.map { "\($0)" } ?? "no error")")
            return
        }
        #expect(text.utf8.count < 200)
    }

    @Test("an answer that comes drop by drop is given up in time, by that name", .slow)
    func dripping() throws {
        let error = #expect(throws: TextProtocolError.self) {
            try statistics { caller in
                while true {
                    try caller.send("S")
                    sleepThread(for: .milliseconds(200))
                }
            }
        }
        guard case .timeout(TextConnection.timeout) = error else {
            Issue.record("\(error.map { "\($0)" } ?? "no error")")
            return
        }
    }

    @Test("values that were not stored are said to be, by memcached's own words")
    func notStored() throws {
        try inNetworkNamespace {
            let standIn = try StandIn { caller in
                while try caller.request().first == "set" {
                    try caller.send("SERVER_ERROR out of memory storing object\r\n")
                }
            }
            var connection = try TextConnection(to: standIn.address)
            let error = #expect(throws: TextProtocolError.self) { try connection.set([(key: "a", value: [1, 2])]) }
            #expect(error.map { "\($0)" } == "memcached answered 'SERVER_ERROR out of memory storing object'")
        }
    }
}
