import FuzzTargets
import Memcached
import TestSupport
import Testing
import Units

@Suite("Reply reader")
struct ReplyReaderTests {
    private static func value(_ key: String, _ bytes: String) -> String {
        "VALUE \(key) 0 \(bytes.utf8.count)\r\n\(bytes)\r\n"
    }

    private static let a = value("a", "1"), b = value("b", "VALUE a 0 1\r\n1\r\n"), c = value("c", ""), end = "END\r\n"

    @Test(
        "a whole reply gives every value out, in the order they came, and leaves the misses",
        arguments: [
            (ReplyExchange(asking: "get a", a + end), [0], []),
            (ReplyExchange(asking: "get a", end), [], [0]),
            (ReplyExchange(asking: "get a b c", a + b + c + end), [0, 1, 2], []),
            (ReplyExchange(asking: "get a b c", b + end), [1], [0, 2]),
            // As a proxy in front of several memcacheds answers.
            (ReplyExchange(asking: "get a b c", c + a + b + end), [2, 0, 1], []),
            (ReplyExchange(asking: "get a b c", c + b + end), [2, 1], [0]),
            (ReplyExchange(asking: "get a a b", a + a + b + end), [0, 1, 2], []),
            (ReplyExchange(asking: "set a", "STORED\r\n"), [], []),
        ] as [(ReplyExchange, [Int], [Int])]
    )
    func whole(exchange: ReplyExchange, found: [Int], missed: [Int]) throws {
        let reading = try exchange.read(in: [exchange.reply.count])
        #expect(reading.progress == .complete)
        #expect(reading.positions == found)
        #expect(reading.unanswered == missed)
        #expect(reading.bytes == exchange.reply)
    }

    @Test(
        "what is no reply has the name of what is wrong with it, and leaves what came before it",
        arguments: [
            ("get a", "ERROR\r\n", "MEMCACHED_ERROR", []),
            ("get a", "ERROR Too many open connections\r\n", "MEMCACHED_ERROR", []),
            ("get a", "CLIENT_ERROR unauthenticated\r\n", "MEMCACHED_CLIENT_ERROR", []),
            ("get a", "SERVER_ERROR\r\n", "MEMCACHED_SERVER_ERROR", []),
            ("get a", a + "SERVER_ERROR out of memory writing get response\r\n", "MEMCACHED_SERVER_ERROR", []),
            ("get a b c", a + b + "SERVER_ERROR x\r\n", "MEMCACHED_SERVER_ERROR", [0, 1]),
            ("get a", "ERRORS\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "END\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "END \r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "STORED\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "HTTP/1.1 400 Bad Request\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "\u{15}\u{3}\u{3}", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", String(repeating: "x", count: 1024), "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            // More than was asked for.
            ("get a", a + end + "x", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", end + a + end, "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", a + a + end, "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a b", a + a + end, "MEMCACHED_PROTOCOL_ERROR", [0]),
            ("get a b", b + value("d", "1") + end, "MEMCACHED_PROTOCOL_ERROR", [1]),
            ("get a", value("b", "1") + end, "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", value("aa", "1") + end, "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", value("", "1") + end, "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", value(String(repeating: "a", count: 100_000), "1") + end, "MEMCACHED_PROTOCOL_ERROR", []),
            // Lengths that are none, or not the value's.
            ("get a", "VALUE a 0 -1\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "VALUE a 0 +1\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "VALUE a 0 0x1\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "VALUE a 0\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "VALUE a 0 \r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "VALUE a 4294967296 1\r\n1\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "VALUE a 0 1 5\r\n1\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "VALUE  a 0 1\r\n1\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "VALUE a 0  1\r\n1\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "VALUE a 0 1\n1\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "VALUE a 0 18446744073709551617\r\n1\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "VALUE a 0 \(String(repeating: "0", count: 300))1\r\n1\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "VALUE a 0 18446744073709551615\r\n1\r\n", "MEMCACHED_E2BIG", []),
            ("get a", "VALUE a 0 9223372036854775807\r\n1\r\n", "MEMCACHED_E2BIG", []),
            ("get a", "VALUE a 0 4294967295\r\n1\r\n", "MEMCACHED_E2BIG", []),
            ("get a", "VALUE a 0 16777217\r\n1\r\n", "MEMCACHED_E2BIG", []),
            ("get a", "VALUE a 0 1\r\n123\r\nEND\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("get a", "VALUE a 0 3\r\n1\r\nEND\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("set a", "NOT_STORED\r\n", "MEMCACHED_NOTSTORED", []),
            ("set a", "EXISTS\r\n", "MEMCACHED_DATA_EXISTS", []),
            ("set a", "NOT_FOUND\r\n", "MEMCACHED_NOTFOUND", []),
            ("set a", "SERVER_ERROR object too large for cache\r\n", "MEMCACHED_SERVER_ERROR", []),
            ("set a", "END\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("set a", "VALUE a 0 1\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
            ("set a", "STORED\r\nSTORED\r\n", "MEMCACHED_PROTOCOL_ERROR", []),
        ] as [(String, String, String, [Int])]
    )
    func faults(request: String, reply: String, name: String, found: [Int]) throws {
        let exchange = ReplyExchange(asking: request, reply)
        let reading = try exchange.read(in: [exchange.reply.count])
        #expect(reading.fault?.code.description == name, "\(reading.progress)")
        #expect(reading.positions == found)
        #expect(reading.fault.map { $0.text.utf8.count < 300 } ?? true)
        // The same wherever it is cut in two.
        for cut in 0...min(exchange.reply.count, 400) {
            try exchange.compare(try exchange.read(in: [cut, exchange.reply.count]), with: reading)
        }
    }

    @Test(
        "a value is given out once it is whole, but for the last, which waits for the end: a reply cut short fails some key",
        arguments: 0...(a + b + c + end).utf8.count
    )
    func cut(count: Int) throws {
        let reply = Self.a + Self.b + Self.c + Self.end
        let exchange = ReplyExchange(asking: "get a b c", reply.utf8.prefix(count))
        let reading = try exchange.read(in: [count])
        let isWhole = count == reply.utf8.count
        #expect(reading.progress == (isWhole ? .complete : .partial))
        let (first, second) = (Self.a.utf8.count, (Self.a + Self.b).utf8.count)
        #expect(reading.positions == (isWhole ? [0, 1, 2] : count >= second ? [0, 1] : count >= first ? [0] : []))
    }

    @Test("the largest value is taken, and in pieces as well", .slow)
    func largest() throws {
        let bytes = [UInt8](repeating: 7, count: ReplyReader.maxValueBytes)
        let reply = Array("VALUE a 0 \(bytes.count)\r\n".utf8) + bytes + Array("\r\nEND\r\n".utf8)
        let exchange = ReplyExchange(asking: "get a", reply)
        let pieces = stride(from: 65_536, to: reply.count, by: 65_536) + [reply.count]
        for ends in [[reply.count], pieces] {
            #expect(try exchange.read(in: ends).progress == .complete)
        }
    }

    @Test("what waits of a reply is counted with all the memory that was made for it")
    func heldBytes() {
        var reply = IncomingReply(to: .get(keys: 1))
        var positions: [Int] = []
        let head = Array("VALUE a 0 1000000\r\n".utf8)
        for piece in [head] + Array(repeating: [UInt8](repeating: 120, count: 70_000), count: 5) {
            let progress = piece.withUnsafeBytes { piece in
                Array("a".utf8).withUnsafeBytes { key in
                    reply.read(
                        piece,
                        mayFollow: false,
                        positions: &positions,
                        key: { _ in key },
                        give: { _, _, _ in 0 }
                    )
                }
            }
            #expect(progress == .partial)
            #expect(reply.heldBytes >= reply.waitingBytes)
        }
        #expect(reply.waitingBytes == head.count + 350_000)
        // An array doubles as it grows.
        #expect(reply.heldBytes > reply.waitingBytes)
    }
}
