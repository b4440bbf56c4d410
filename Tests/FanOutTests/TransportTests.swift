import FanOut
import Glibc
import KernelProbe
import Memcached
import POSIX
import PostRecords
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

    private struct Rotation: Sendable, CustomTestStringConvertible {
        var prefix: String
        var transport: MemcachedProcess.Transport
        var lateBind = false
        var testDescription: String { "\(prefix) \(transport)\(lateBind ? " late" : "")" }
    }

    private static let rotations = [
        Rotation(prefix: "127.5.0.0/16", transport: .ipv4), Rotation(prefix: "10.77.0.0/16", transport: .ipv4),
        Rotation(prefix: "fd00:5:91::/64", transport: .ipv6),
        Rotation(prefix: "fd00:5::/32", transport: .ipv6, lateBind: true),
    ].filter { $0.transport == .ipv4 || hasIPv6 }

    @Test(
        "from a prefix that is this machine's own as many connections can be open as are wanted",
        arguments: rotations
    )
    private func rotation(_ rotation: Rotation) throws {
        try inNetworkNamespace(ports: 16) {
            let prefix = try #require(AddressPrefix(text: rotation.prefix))
            var settings = Settings()
            settings.fanOut.dialer = .rotateWithin(prefix)
            if !prefix.first.isLoopback {
                #expect(LocalRoute.has(prefix.first) == false)
                #expect(settings.obstacle?.description.contains("ip route add local \(prefix) dev lo") == true)
            }
            try LocalRoute.add(prefix)
            // Asked for twice it is the same.
            try LocalRoute.add(prefix)
            #expect(settings.obstacle == nil)
            let memcached = try RealMemcached(rotation.transport)
            let engine = try FanOutEngine.make([memcached.address]) {
                $0.dialer = settings.fanOut.dialer
                $0.lateBind = rotation.lateBind
                $0.lookupTimeout = .seconds(5)
            }
            defer { engine.stop() }
            let before = try memcached.statistic("total_connections")
            #expect(engine.lookUpAndWait(postURIs(400)).missing == 400)
            #expect(engine.counters.dials.values.mapValues(\.self) == ["rotate": 400])
            #expect(try memcached.statistic("total_connections") - before - 1 == 400)
            let sources = try SocketDiagnostics.survey(towardsPort: 11211).busiestSources(1000).map(\.address)
            #expect(sources.filter { prefix.contains($0) }.count > 300)
            #expect(
                sources.filter { !prefix.contains($0) && $0.family == prefix.family }.count <= 2,
                "those that ask for statistics"
            )
        }
    }

    @Test("bound to one IPv6 address, bind() fails as in the incident", .enabled(if: hasIPv6, "IPv6 is off"))
    func boundIPv6() throws {
        try inNetworkNamespace(ports: 32) {
            let memcached = try RealMemcached(.ipv6)
            let engine = try FanOutEngine.make([memcached.address]) { $0.dialer = .bind(IPAddress(high: 0, low: 1)) }
            defer { engine.stop() }
            let outcomes = engine.lookUpAndWait(postURIs(100))
            #expect(outcomes.failed >= 100 - 34 - 32)
            #expect(engine.errorsByName == ["EADDRINUSE": outcomes.failed])
            let texts = Set(outcomes.compactMap { if case .failed(let error) = $0 { error.description } else { nil } })
            #expect(texts == ["dial tcp [::1]:0->[::1]:11211: bind: address already in use"])
        }
    }
}
