import FanOut
import KernelProbe
import Memcached
import POSIX
import PostRecords
import TestSupport
import Testing
import Units

/// Requests that find no room in the socket: who does not read holds up nobody but those who ask it.
@Suite("Unread requests", .requiresNamespaces, .timeLimit(.minutes(1)))
struct UnreadRequestTests {
    // A get of 1,000 such keys has 235 kB, some three times what a socket takes with the buffers below.
    private static let keys = (0..<8000).map { String(repeating: "x", count: 230) + "\($0)" }

    private func inNarrowNamespace(_ body: () throws -> Void) throws {
        try inNetworkNamespace {
            try Sysctl.write("net.ipv4.tcp_wmem", "4096 16384 65536")
            try Sysctl.write("net.ipv4.tcp_rmem", "4096 16384 65536")
            try body()
        }
    }

    private func engine(_ servers: [SocketAddress], timeout: Duration) throws -> FanOutEngine {
        try .make(servers, lanes: 1) {
            $0.fanout = .multiget(chunk: 1000)
            $0.dialer = .kernel
            $0.lookupTimeout = timeout
        }
    }

    private static func answer(_ caller: StandIn.Caller) throws {
        let keys = try caller.request().dropFirst()
        try caller.send(keys.map { "VALUE \($0) 0 1\r\n1\r\n" }.joined() + "END\r\n")
    }

    @Test(
        "requests that are not read end together, one timeout after they were sent, and others are answered meanwhile",
        .slow
    )
    func unread() throws {
        try inNarrowNamespace {
            let deaf = try StandIn { try $0.ignore() }
            let honest = try StandIn(port: 11311) { caller in while true { try Self.answer(caller) } }
            let engine = try engine([deaf.address, honest.address], timeout: .seconds(3))
            defer { engine.stop() }
            let servers = ServerList([deaf.address, honest.address])
            let unread = Self.keys.filter { servers.index(of: $0) == 0 }
            let read = Self.keys.filter { servers.index(of: $0) == 1 }
            let batch = engine.start(unread)
            #expect(engine.lookUpAndWait(Array(read.prefix(500))).hits == 500)
            #expect(!batch.isDone)
            // One after another, and each piece of a request by itself, would take minutes.
            #expect(batch.isDone(within: .seconds(20)))
            #expect(batch.wait().failed == unread.count)
            #expect(engine.errorsByName == ["ETIMEDOUT": unread.count])
        }
    }

    @Test("a request that is read bit by bit is sent whole, and answered")
    func slowlyRead() throws {
        try inNarrowNamespace {
            let slow = try StandIn { caller in
                while true {
                    sleepThread(for: .milliseconds(50))
                    try Self.answer(caller)
                }
            }
            let engine = try engine([slow.address], timeout: .seconds(50))
            defer { engine.stop() }
            #expect(engine.lookUpAndWait(Self.keys).hits == Self.keys.count)
            #expect(engine.errorsByName.isEmpty)
            // Connections whose request went out in pieces are used again.
            #expect(engine.lookUpAndWait(Array(Self.keys.prefix(3000))).hits == 3000)
            #expect(slow.connections < 12)
        }
    }

    @Test(
        "who answers without reading all is taken at its word, and its connection closed",
        arguments: [("SERVER_ERROR too much\r\n", "MEMCACHED_SERVER_ERROR"), ("", "EOF")]
    )
    func answeredEarly(answer: String, name: String) throws {
        try inNarrowNamespace {
            let standIn = try StandIn { caller in
                // Something has arrived; most of it stays where it is.
                _ = try caller.receive()
                try caller.send(answer)
                if !answer.isEmpty { try caller.ignore() }
            }
            let engine = try engine([standIn.address], timeout: .seconds(50))
            defer { engine.stop() }
            #expect(engine.lookUpAndWait(Array(Self.keys.prefix(1000))).failed == 1000)
            let names = Set(engine.errorsByName.keys)
            #expect(names.count == 1 && names.isSubset(of: [name, "ECONNRESET", "EPIPE"]), "\(names)")
            #expect(engine.idleConnections == 0)
        }
    }
}
