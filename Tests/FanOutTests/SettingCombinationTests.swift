import FanOut
import KernelProbe
import Limits
import Memcached
import POSIX
import Telemetry
import TestSupport
import Testbed
import Testing
import Units

/// Settings together that nobody thought of together: whatever they come to, each URI has one outcome, and each dial is one
/// that memcached has seen.
@Suite("Setting combinations", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct SettingCombinationTests {
    private struct Combination: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var transport = MemcachedProcess.Transport.ipv4
        var change: @Sendable (inout FanOutSettings) throws -> Void

        init(
            _ name: String,
            _ transport: MemcachedProcess.Transport = .ipv4,
            _ change: @escaping @Sendable (inout FanOutSettings) throws -> Void
        ) {
            testDescription = name
            self.transport = transport
            self.change = change
        }
    }

    private static let combinations = [
        Combination("retries, max-open and no idle connection") {
            ($0.retries, $0.maxOpen, $0.maxIdle) = (3, 8, 0)
        },
        Combination("retries, max-open, and hardly any time to wait") {
            ($0.retries, $0.maxOpen, $0.openWait) = (10, 1, .milliseconds(1))
        },
        Combination("retries and close: server") { ($0.retries, $0.close) = (2, .server) },
        Combination("max-open, close: server, and reset") {
            ($0.maxOpen, $0.maxIdle, $0.close, $0.socketOptions.linger) = (5, 0, .server, .rst)
        },
        Combination("dedupe and retries where ports run out") { ($0.dedupe, $0.retries) = (true, 1) },
        Combination("reset and idle connections") { ($0.socketOptions.linger, $0.maxIdle) = (.rst, 30) },
        Combination("two ports of each address, and rotation") {
            $0.socketOptions.localPorts = try LocalPortRange(text: "32770-32771")
            $0.dialer = .rotate
        },
        Combination("ports that the namespace does not have") {
            $0.socketOptions.localPorts = try LocalPortRange(text: "1-9")
        },
        Combination("one port, late, and one connection at a time") {
            $0.socketOptions.localPorts = try LocalPortRange(text: "32770-32770")
            ($0.lateBind, $0.maxOpen, $0.maxIdle, $0.close, $0.openWait) = (true, 1, 0, .server, .seconds(20))
        },
        Combination("SO_REUSEADDR, late, and multiget") {
            ($0.socketOptions.reuse, $0.lateBind, $0.fanout, $0.close) = (.address, true, .multiget(chunk: 7), .server)
        },
        Combination("SO_REUSEPORT under a limit for the process, with max-open below it") {
            $0.limit = try LimitPolicy(text: "process:32")
            ($0.socketOptions.reuse, $0.maxOpen, $0.dedupe) = (.port, 3, true)
        },
        Combination("an adaptive limit, retries and close: server") {
            $0.limit = try LimitPolicy(text: "aimd")
            ($0.retries, $0.close) = (3, .server)
        },
        Combination("a unix socket, rotation, and all that is about ports", .unix) {
            $0.socketOptions.localPorts = try LocalPortRange(text: "1-9")
            ($0.dialer, $0.socketOptions.reuse, $0.socketOptions.linger) = (.rotate, .port, .rst)
            ($0.close, $0.maxOpen, $0.retries) = (.server, 4, 2)
        },
    ]

    /// Half of them twice.
    private static let keys = postURIs(80) + postURIs(40)

    private func check(
        _ engine: FanOutEngine,
        _ memcached: RealMemcached,
        asked: Int,
        dialled: Int,
        _ outcomes: [Outcome]
    )
        throws
    {
        #expect(outcomes.count == asked)
        #expect(outcomes.missing + outcomes.failed == asked)
        let counters = engine.counters
        #expect(counters.misses.value + counters.errors.total + counters.duplicates.value == asked)
        let isIdle = eventually { engine.openConnections == engine.idleConnections }
        #expect(isIdle, "\(engine.openConnections) open, \(engine.idleConnections) idle")
        #expect(engine.waitingForConnection == 0 && counters.inFlight.value == 0)
        let (opened, missed) = (try memcached.statistic("total_connections"), try memcached.statistic("get_misses"))
        #expect(opened - dialled - 1 == counters.dials.total, "\(engine.errorsByName)")
        #expect(missed == counters.misses.value, "\(engine.errorsByName)")
    }

    @Test("a get of several keys dials once: a dial that fails is not made again for the next key")
    func oneDialOfSeveralKeys() throws {
        try inNetworkNamespace {
            let engine = try FanOutEngine.make([.ipv4(.loopback, port: 11211)]) {
                $0.fanout = .multiget(chunk: 7)
                $0.dialer = .kernel
            }
            defer { engine.stop() }
            let before = try TCPCounters.current()["TcpAttemptFails"]
            #expect(engine.lookUpAndWait(postURIs(21)).failed == 21)
            #expect(engine.counters.dialErrors.total == 3)
            #expect(try TCPCounters.current()["TcpAttemptFails"] - before == 3)
        }
    }

    @Test(
        "each URI has one outcome, each dial is one that memcached has seen, and nothing is left",
        arguments: combinations
    )
    private func together(_ combination: Combination) throws {
        try inNetworkNamespace(ports: 32) {
            let memcached = try RealMemcached(combination.transport)
            let engine = try FanOutEngine.make([memcached.address], lanes: 3) {
                $0.lookupTimeout = .seconds(20)
                try? combination.change(&$0)
            }
            defer { engine.stop() }
            let dialled = try memcached.statistic("total_connections")
            let batches = (0..<3).map { _ in engine.start(Self.keys) }
            let outcomes = batches.flatMap { $0.wait() }
            try check(engine, memcached, asked: 3 * Self.keys.count, dialled: dialled, outcomes)
        }
    }

    @Test("settings change under load, from any to any other, and all still adds up", arguments: [1, 2] as [UInt64])
    func live(seed: UInt64) throws {
        try inNetworkNamespace(ports: 48) {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address], lanes: 3) { $0.lookupTimeout = .seconds(20) }
            defer { engine.stop() }
            let dialled = try memcached.statistic("total_connections")
            let combinations = Self.combinations.filter { $0.transport == .ipv4 }
            var random = SplitMix64(seed: seed)
            var outcomes: [Outcome] = []
            for _ in 0..<12 {
                let batches = (0..<3).map { _ in engine.start(Self.keys) }
                for _ in 0..<4 {
                    var settings = FanOutSettings()
                    settings.lookupTimeout = .seconds(20)
                    try combinations[Int(random.next() % UInt64(combinations.count))].change(&settings)
                    engine.settings = settings
                }
                outcomes += batches.flatMap { $0.wait() }
            }
            try check(engine, memcached, asked: 36 * Self.keys.count, dialled: dialled, outcomes)
        }
    }
}
