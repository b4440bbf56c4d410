import FanOut
import KernelProbe
import Limits
import Memcached
import POSIX
import PostRecords
import Telemetry
import TestSupport
import Testing

/// What the options of dialled sockets do when ports run out, on the kernel itself.
@Suite("Socket options", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct SocketOptionTests {
    private static let ports = 128

    private struct Cure: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var sysctls: [String: String] = [:]
        /// Dials that succeed of four times as many as there are ports.
        var dials: ClosedRange<Int>
        /// Of those that do not.
        var error: String?
        var step: MemcachedError.Step?
        var change: @Sendable (inout FanOutSettings) -> Void
    }

    private static func range(_ text: String) throws -> LocalPortRange { try LocalPortRange(text: text) }

    private static let cures = [
        Cure(testDescription: "SO_REUSEADDR", dials: ports...ports, error: "EADDRINUSE", step: .bind) {
            $0.socketOptions.reuse = .address
        },
        Cure(testDescription: "SO_REUSEPORT", dials: ports...ports, error: "EADDRINUSE", step: .bind) {
            $0.socketOptions.reuse = .port
        },
        // bind() gives out any port, that of a connection which memcached has not closed yet as well.
        Cure(
            testDescription: "SO_REUSEADDR with ip_autobind_reuse",
            sysctls: ["net.ipv4.ip_autobind_reuse": "1"],
            dials: 2 * ports...4 * ports,
            error: "EADDRNOTAVAIL",
            step: .connect
        ) {
            $0.socketOptions.reuse = .address
        },
        Cure(testDescription: "IP_LOCAL_PORT_RANGE", dials: 50...50, error: "EADDRINUSE", step: .bind) {
            $0.socketOptions.localPorts = try? range("32800-32849")
        },
        Cure(testDescription: "SO_LINGER", dials: 4 * ports...4 * ports) { $0.socketOptions.linger = .rst },
    ]

    @Test("a cure does to the bound dials of one batch what it does to plain sockets", arguments: cures)
    private func oneBatch(_ cure: Cure) throws {
        try inNetworkNamespace(ports: Self.ports) {
            for (name, value) in cure.sysctls { try Sysctl.write(name, value) }
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address]) {
                // One at a time, as a port is free again when its connection is closed, or not.
                $0.limit = .request(1)
                $0.maxIdle = 0
                cure.change(&$0)
            }
            defer { engine.stop() }
            let before = try memcached.statistic("total_connections")
            let count = 4 * Self.ports
            let outcomes = engine.lookUpAndWait(postURIs(count))
            let dials = engine.counters.dials.total
            #expect(cure.dials.contains(dials), "\(dials)")
            #expect(try memcached.statistic("total_connections") - before - 1 == dials)
            #expect(outcomes.failed == count - dials)
            #expect(engine.errorsByName == (dials == count ? [:] : [cure.error ?? "none": count - dials]))
            #expect(engine.counters.errors.values.keys.allSatisfy { $0.step == cure.step })
            let source = IPv4Address(value: 0x7f20_0001)
            let timeWait = try SocketDiagnostics.survey(towardsPort: 11211, from: source).timeWait
            #expect((timeWait == 0) == (engine.settings.socketOptions.linger == .rst))
        }
    }

    @Test("options change while it runs, from the next dial on")
    func live() throws {
        try inNetworkNamespace(ports: Self.ports) {
            let memcached = try RealMemcached()
            let engine = try FanOutEngine.make([memcached.address]) {
                $0.limit = .request(1)
                $0.maxIdle = 0
                $0.socketOptions.linger = .rst
            }
            defer { engine.stop() }
            #expect(engine.lookUpAndWait(postURIs(300)).failed == 0)
            engine.settings.socketOptions.linger = .off
            #expect(engine.lookUpAndWait(postURIs(300)).failed == 300 - Self.ports)
        }
    }

    @Test(
        "ports of which the namespace has none are refused, as the kernel would take no notice of them",
        arguments: [
            ("1-9", false), ("33000-33100", false), ("32895-40000", true), ("1-32768", true), ("1-65535", true),
        ]
    )
    func foreignPorts(text: String, isTaken: Bool) throws {
        try inNetworkNamespace(ports: Self.ports) {
            var settings = Settings()
            try settings.set("local-port-range", to: text)
            #expect((settings.obstacle == nil) == isTaken)
            #expect(settings.obstacle?.reason.contains("32768 to 32895") ?? isTaken)
        }
    }
}
