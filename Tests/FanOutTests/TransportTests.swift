import FanOut
import Glibc
import KernelProbe
import Memcached
import Telemetry
import TestSupport
import Testbed
import Testing
import Units

/// memcached behind a unix socket, and over IPv6.
@Suite("Transports", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct TransportTests {
    private static let hasIPv6 = access("/proc/net/if_inet6", F_OK) == 0

    @Test("over a unix socket no port is taken, and whatever memcached counts agrees with the engine")
    func unix() throws {
        try inNetworkNamespace(ports: 16) {
            let memcached = try RealMemcached(.unix)
            let engine = try FanOutEngine.make([memcached.address]) { $0.dialer = .rotate }
            defer { engine.stop() }
            let before = try memcached.statistic("total_connections")
            #expect(engine.lookUpAndWait(postURIs(1000)).missing == 1000)
            #expect(engine.counters.dials.values.mapValues(\.self) == ["kernel": 1000])
            #expect(try memcached.statistic("total_connections") - before - 1 == 1000)
            #expect(try memcached.statistic("get_misses") == 1000)
            #expect(try SocketDiagnostics.survey(towardsPort: 11211).total == 0)
            memcached.terminate()
            let texts = engine.lookUpAndWait(postURIs(1)).map {
                if case .failed(let error) = $0 { "\(error)" } else { "" }
            }
            #expect(texts[0].contains(" unix:/"), "\(texts)")
        }
    }

    @Test("over IPv6 there is one source address, whose ports run out", .enabled(if: hasIPv6, "IPv6 is off"))
    func ipv6() throws {
        try inNetworkNamespace(ports: 200) {
            try Sysctl.write("net.ipv4.tcp_tw_reuse", "0")
            let memcached = try RealMemcached(.ipv6)
            let engine = try FanOutEngine.make([memcached.address])
            defer { engine.stop() }
            let before = try memcached.statistic("total_connections")
            #expect(engine.lookUpAndWait(postURIs(100)).missing == 100)
            #expect(engine.counters.dials.total == 100)
            #expect(try memcached.statistic("total_connections") - before - 1 == 100)
            let outcomes = engine.lookUpAndWait(postURIs(300))
            #expect(outcomes.missing + outcomes.failed == 300)
            #expect(outcomes.failed >= 200)
            #expect(engine.errorsByName == ["EADDRNOTAVAIL": outcomes.failed])
            let texts = Set(outcomes.compactMap { if case .failed(let error) = $0 { error.description } else { nil } })
            #expect(texts == ["dial tcp [::1]:11211: connect: cannot assign requested address"])
        }
    }
}
