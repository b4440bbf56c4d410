import FanOut
import KernelProbe
import Limits
import Memcached
import POSIX
import Telemetry
import TestSupport
import Testing

/// What the kernel does when ports run out, on the kernel itself.
@Suite("Ports", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct PortTests {
    @Test(
        "with N ports and one bound source address, N dials succeed and the rest fail with EADDRINUSE",
        arguments: [512, 2048]
    )
    func bindExhausts(ports: Int) throws {
        try inNetworkNamespace(ports: ports) {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address])
            defer { engine.stop() }
            let before = try memcached.statistic("total_connections")
            let outcomes = engine.lookUpAndWait(postURIs(4 * ports))

            let dials = engine.counters.dials.total
            #expect(dials == ports)
            // memcached counts what it accepted; the second reading's own connection is one of them.
            #expect(try memcached.statistic("total_connections") - before - 1 == dials)
            let errors = engine.errorsByName
            #expect(Set(errors.keys) == ["EADDRINUSE"])
            #expect(errors["EADDRINUSE"] == outcomes.failed)
            #expect(engine.counters.errors.values.keys.allSatisfy { $0.step == .bind })
            // Nothing else let a lookup through: the rest of the batch failed.
            #expect(outcomes.missing == 4 * ports - outcomes.failed)
        }
    }

    @Test("the failure is worded as the incident's log line was")
    func incidentWords() throws {
        try inNetworkNamespace(ports: 64) {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address])
            defer { engine.stop() }
            let outcomes = engine.lookUpAndWait(postURIs(200))
            let texts = Set(outcomes.compactMap { if case .failed(let error) = $0 { error.description } else { nil } })
            #expect(texts == ["dial tcp 127.32.0.1:0->127.0.0.1:11211: bind: address already in use"])
        }
    }

    @Test("where the kernel picks the port and may not reuse any, connect() fails with EADDRNOTAVAIL")
    func kernelExhausts() throws {
        try inNetworkNamespace(ports: 512) {
            try Sysctl.write("net.ipv4.tcp_tw_reuse", "0")
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address]) { $0.dialer = .kernel }
            defer { engine.stop() }
            let outcomes = engine.lookUpAndWait(postURIs(2000))
            #expect(Set(engine.errorsByName.keys) == ["EADDRNOTAVAIL"])
            #expect(engine.counters.errors.values.keys.allSatisfy { $0.step == .connect })
            #expect(outcomes.failed == 2000 - outcomes.missing)
            #expect(outcomes.failed > 0)
        }
    }

    @Test("a late bind leaves the port to connect(), which then fails with EADDRNOTAVAIL")
    func lateBindExhausts() throws {
        try inNetworkNamespace(ports: 512) {
            try Sysctl.write("net.ipv4.tcp_tw_reuse", "0")
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address]) { $0.lateBind = true }
            defer { engine.stop() }
            _ = engine.lookUpAndWait(postURIs(2000))
            #expect(Set(engine.errorsByName.keys) == ["EADDRNOTAVAIL"])
            #expect(engine.counters.dials.total > 500)
        }
    }

    @Test("rotating the source address, nothing fails and TIME_WAIT grows past the number of ports")
    func rotateDoesNotExhaust() throws {
        try inNetworkNamespace(ports: 512) {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address]) { $0.dialer = .rotate }
            defer { engine.stop() }
            let before = try SocketDiagnostics.survey(towardsPort: 11211).timeWait
            let resetsBefore = try resetsSent()
            let outcomes = engine.lookUpAndWait(postURIs(4000))
            #expect(outcomes.failed == 0)
            #expect(engine.counters.dials.total == 4000)
            let idle = engine.idleConnections
            let settled = try eventually {
                let resting = try SocketDiagnostics.survey(towardsPort: 11211).timeWait - before
                return try resting + resetsSent() - resetsBefore == 4000 - idle
            }
            let counts = try SocketDiagnostics.survey(towardsPort: 11211)
            #expect(settled, "\(idle) idle, \(counts), \(before) before")
            #expect(counts.timeWait > 4 * 512)
        }
    }

    @Test("rotating the destination address, nothing fails either: it is the other half of the pair")
    func rotateDestination() throws {
        try inNetworkNamespace(ports: 512) {
            let memcached = try RealMemcached(listen: IPv4Address(value: 0))
            let engine = try FanOutEngine.make([memcached.address]) { $0.dialer = .rotateDestination }
            defer { engine.stop() }
            let outcomes = engine.lookUpAndWait(postURIs(4000))
            #expect(outcomes.failed == 0, "\(engine.errorsByName)")
            #expect(engine.counters.dials.total == 4000)
        }
    }

    @Test("changing the dialer heals the next batch while the bound address is still exhausted")
    func dialerChangesLive() throws {
        try inNetworkNamespace(ports: 256) {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address])
            defer { engine.stop() }
            #expect(engine.lookUpAndWait(postURIs(1000)).failed > 0)
            engine.settings.dialer = .rotate
            #expect(engine.lookUpAndWait(postURIs(1000)).failed == 0)
            engine.settings.dialer = .incident
            #expect(engine.lookUpAndWait(postURIs(1000)).failed > 0)
        }
    }

    @Test("a limit with as many idle connections dials that often once, and never again")
    func limitStopsChurn() throws {
        try inNetworkNamespace(ports: 256) {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address]) {
                $0.limit = .request(64)
                $0.maxIdle = 64
            }
            defer { engine.stop() }
            let before = try SocketDiagnostics.survey(towardsPort: 11211).timeWait
            for _ in 0..<5 { #expect(engine.lookUpAndWait(postURIs(2000)).failed == 0) }
            #expect(engine.counters.dials.total <= 64)
            #expect(engine.counters.inFlight.peak <= 64)
            #expect(try SocketDiagnostics.survey(towardsPort: 11211).timeWait == before)
        }
    }
}
