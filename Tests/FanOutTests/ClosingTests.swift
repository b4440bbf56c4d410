import FanOut
import KernelProbe
import Limits
import Memcached
import POSIX
import Synchronization
import Telemetry
import TestSupport
import Testing
import Units

/// Connections that memcached closes, so that TIME_WAIT is its own.
@Suite("Closing side", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct ClosingTests {
    private static let ports = 64
    private static let source = IPv4Address(value: 0x7f20_0001)

    private func engine(_ address: SocketAddress, _ change: (inout FanOutSettings) -> Void = { _ in }) throws
        -> FanOutEngine
    {
        try FanOutEngine.make([address]) {
            $0.close = .server
            $0.limit = .request(1)
            $0.maxIdle = 0
            $0.lookupTimeout = .seconds(5)
            change(&$0)
        }
    }

    @Test("where memcached closes first no port of this end stays taken, and TIME_WAIT is at memcached's port")
    func timeWait() throws {
        try inNetworkNamespace(ports: Self.ports) {
            let memcached = try RealMemcached()
            let engine = try engine(memcached.address)
            defer { engine.stop() }
            let before = try memcached.statistic("total_connections")
            let count = 6 * Self.ports
            #expect(engine.lookUpAndWait(postURIs(count)).missing == count)
            let isClosed = eventually { engine.openConnections == 0 }
            #expect(isClosed)
            #expect(engine.counters.dials.total == count && engine.errorsByName == [:])
            #expect(try memcached.statistic("total_connections") - before - 1 == count)
            #expect(try SocketDiagnostics.survey(towardsPort: 11211, from: Self.source).total == 0)
            // One for each port at the most: a new connection from it takes the old one's over.
            let left = try SocketDiagnostics.timeWait(atPort: 11211)
            #expect((1...Self.ports).contains(left), "\(left)")
        }
    }

    @Test("a whole batch at once is closed by memcached as well, and the next finds all ports free")
    func together() throws {
        try inNetworkNamespace(ports: Self.ports) {
            let memcached = try RealMemcached()
            let engine = try engine(memcached.address) { $0.limit = .none }
            defer { engine.stop() }
            for _ in 0..<4 {
                #expect(engine.lookUpAndWait(postURIs(Self.ports)).missing == Self.ports)
                let isClosed = eventually { engine.openConnections == 0 }
                #expect(isClosed)
            }
            #expect(engine.counters.dials.total == 4 * Self.ports)
            #expect(try SocketDiagnostics.survey(towardsPort: 11211, from: Self.source).total == 0)
        }
    }

    @Test("more connections than are asked for in a turn are all closed by memcached, and lookups go on meanwhile")
    func manyTurns() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let engine = try engine(memcached.address) {
                $0.limit = .none
                $0.dialer = .rotate
            }
            defer { engine.stop() }
            #expect(engine.lookUpAndWait(postURIs(1500)).missing == 1500)
            #expect(engine.lookUpAndWait(postURIs(5)).missing == 5)
            let isClosed = eventually { engine.openConnections == 0 }
            #expect(isClosed)
            let probes = try SocketDiagnostics.survey(towardsPort: 11211).timeWait
            #expect(probes <= 1, "none is the engine's")
            #expect(try SocketDiagnostics.timeWait(atPort: 11211) > 1400)
        }
    }

    @Test("which end closes is changed while it runs, and a lowered max-idle has memcached close what was idle")
    func live() throws {
        try inNetworkNamespace(ports: Self.ports) {
            let memcached = try RealMemcached()
            let engine = try engine(memcached.address) {
                $0.limit = .none
                $0.maxIdle = 40
            }
            defer { engine.stop() }
            #expect(engine.lookUpAndWait(postURIs(40)).missing == 40)
            #expect(engine.openConnections == 40)
            engine.settings.maxIdle = 10
            let isLowered = eventually { engine.openConnections == 10 }
            #expect(isLowered)
            #expect(try SocketDiagnostics.survey(towardsPort: 11211, from: Self.source).timeWait == 0)
            engine.settings.close = .client
            engine.settings.maxIdle = 0
            let isClosed = eventually { engine.openConnections == 0 }
            #expect(isClosed)
            let isOurs = try eventually {
                try SocketDiagnostics.survey(towardsPort: 11211, from: Self.source).timeWait == 10
            }
            #expect(isOurs)
        }
    }

    @Test("with max-open a connection counts until memcached has closed it, and nothing waits for longer")
    func maxOpen() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let engine = try engine(memcached.address) {
                $0.maxOpen = 1
                $0.limit = .none
            }
            defer { engine.stop() }
            for _ in 0..<20 { #expect(engine.lookUpAndWait(postURIs(3)).missing == 3) }
            let isClosed = eventually { engine.openConnections == 0 }
            #expect(isClosed && engine.errorsByName == [:])
            #expect(try SocketDiagnostics.survey(towardsPort: 11211, from: Self.source).total == 0)
        }
    }

    @Test("whoever does not close in time is closed all the same, and so is who says something else")
    func stubborn() throws {
        try inNetworkNamespace {
            let heard = Mutex<[[String]]>([])
            let server = try StandIn { caller in
                while true {
                    let words = try caller.request()
                    let count = heard.withLock { heard in
                        heard.append(words)
                        return heard.count { $0 == ["quit"] }
                    }
                    // Nothing comes of the first `quit`, and the second is answered.
                    if words != ["quit"] { try caller.send("END\r\n") } else if count > 1 { try caller.send("NO\r\n") }
                }
            }
            let engine = try engine(server.address) {
                $0.dialer = .kernel
                $0.lookupTimeout = .milliseconds(50)
            }
            defer { engine.stop() }
            for _ in 0..<2 {
                #expect(engine.lookUpAndWait(["k"]).missing == 1)
                let isClosed = eventually { engine.openConnections == 0 }
                #expect(isClosed)
            }
            let hasEnded = eventually { server.ended == 2 }
            #expect(hasEnded)
            #expect(heard.withLock { $0 } == [["get", "k"], ["quit"], ["get", "k"], ["quit"]])
        }
    }

    @Test("with SO_LINGER as well neither end keeps a TIME_WAIT")
    func linger() throws {
        try inNetworkNamespace(ports: Self.ports) {
            let memcached = try RealMemcached()
            let before = try SocketDiagnostics.timeWait(atPort: 11211)
            let engine = try engine(memcached.address) { $0.socketOptions.linger = .rst }
            defer { engine.stop() }
            #expect(engine.lookUpAndWait(postURIs(200)).missing == 200)
            let isClosed = eventually { engine.openConnections == 0 }
            #expect(isClosed)
            #expect(try SocketDiagnostics.survey(towardsPort: 11211, from: Self.source).total == 0)
            #expect(try SocketDiagnostics.timeWait(atPort: 11211) == before)
        }
    }
}
