import POSIX
import TestSupport
import Testing

@testable import KernelProbe

/// The model of ports against what `ss` lists and what the next dials do, with sockets of the test's own.
@Suite("Port use")
struct PortUseTests {
    private let loopback = IPAddress(.loopback)

    private func use(boundOnly: Bool = true) throws -> PortUse {
        let settings = try NamespaceSettings.current()
        let table = try SocketDiagnostics.table(of: settings.range, boundOnly: boundOnly)
        return PortUse(table, settings, taken: .now)
    }

    /// Dials until one fails.
    /// - Returns: the connections that came about, and the error's name.
    private func exhaust(
        _ destination: IPEndpoint,
        at listener: PlainSocket,
        _ port: PlainSocket.Port = .unbound,
        mapped: Bool = false
    ) -> (connections: [PlainConnection], error: String) {
        var connections: [PlainConnection] = []
        do throws(SystemCallError) {
            while true { connections.append(try PlainConnection(destination, at: listener, port, mapped: mapped)) }
        } catch {
            return (connections, error.name)
        }
    }

    @Test(
        "IPv4-mapped sockets take IPv4's ports: they stand in its rows, and free is what is left",
        .requiresNamespaces
    )
    func mapped() throws {
        try inNetworkNamespace(ports: 128) {
            let destination = IPEndpoint(loopback, port: 4000)
            let listener = try PlainSocket.listening(on: destination)
            let held = try (0..<70).map { try PlainConnection(destination, at: listener, mapped: $0 < 50) }
            let row = try #require(try use().rows.first)
            #expect(try use().rows.count == 1)
            #expect([row.inUse, row.open, row.timeWait, row.capacity, row.free] == [70, 70, 0, 128, 58])
            #expect("\(row.pair.source) \(row.pair.destination)" == "127.0.0.1 127.0.0.1:4000")
            #expect(row.pair.source.family == .ipv4)
            let more = exhaust(destination, at: listener)
            #expect(more.connections.count == row.free)
            #expect(more.error == "EADDRNOTAVAIL")
            #expect(try use().rows.first?.free == 0)
            _ = held
        }
    }

    @Test("IPv6 has rows of its own, which use nothing of IPv4's", .requiresNamespaces)
    func ipv6() throws {
        try inNetworkNamespace(ports: 64) {
            let any = try PlainSocket.listening(on: IPEndpoint(text: "[::]:4000")!)
            let held = try (0..<40).map { number in
                try PlainConnection(IPEndpoint(text: number < 30 ? "[::1]:4000" : "127.0.0.1:4000")!, at: any)
            }
            let rows = try use().rows
            #expect(
                rows.map { "\($0.pair.source) \($0.pair.destination)" } == [
                    "::1 [::1]:4000", "127.0.0.1 127.0.0.1:4000",
                ]
            )
            #expect(rows.map(\.inUse) == [30, 10])
            #expect(rows.map(\.free) == [34, 54])
            #expect(exhaust(IPEndpoint(text: "[::1]:4000")!, at: any).connections.count == 34)
            _ = held
        }
    }

    @Test("reserved ports are no capacity", .requiresNamespaces)
    func reserved() throws {
        try inNetworkNamespace(ports: 128) {
            try Sysctl.write("net.ipv4.ip_local_reserved_ports", "32768-32799,32801,40000-40010")
            let destination = IPEndpoint(loopback, port: 4000)
            let listener = try PlainSocket.listening(on: destination)
            let connections = exhaust(destination, at: listener, .bound(IPAddress(text: "127.32.0.1")!))
            #expect(connections.error == "EADDRINUSE")
            let row = try #require(try use().rows.first)
            #expect([row.capacity, row.inUse, row.free] == [95, 95, 0])
            #expect(connections.connections.count == 95)
            #expect(try PortRange.current().reservedCount == 33)
        }
    }

    @Test("a list of reserved ports is read whole, however long it is", .requiresNamespaces)
    func manyReserved() throws {
        try inNetworkNamespace {
            try Sysctl.write("net.ipv4.ip_local_port_range", "32768 60999")
            // 84 KB as the kernel writes it.
            let every = stride(from: 32768, through: 60998, by: 2).map { "\($0)" }.joined(separator: ",")
            try Sysctl.write("net.ipv4.ip_local_reserved_ports", every)
            let range = try PortRange.current()
            #expect([range.ports, range.reservedCount] == [14_116, 14_116])
            #expect(!range.usable.contains(60_998) && range.usable.contains(60_999))
        }
    }

    @Test("a range of so many ports is what dials find, bound or not", .requiresNamespaces, arguments: [1, 2, 3, 4])
    func fewPorts(ports: Int) throws {
        for port in [PlainSocket.Port.unbound, .bound(IPAddress(text: "127.32.0.1")!)] {
            try inNetworkNamespace(ports: ports) {
                let destination = IPEndpoint(loopback, port: 4000)
                let listener = try PlainSocket.listening(on: destination)
                var trend = PortTrend()
                trend.add(try PortSample.take())
                #expect(trend.newPair?.state == .steady)
                let made = exhaust(destination, at: listener, port)
                // Of an odd number of ports, a search passes over one.
                #expect((max(1, ports - ports % 2)...ports).contains(made.connections.count))
                trend.add(try PortSample.take())
                #expect(trend.outlooks.first?.state == .exhausted)
            }
        }
    }

    @Test("a bound address's ports are shared by its destinations, a pair's are its own", .requiresNamespaces)
    func destinations() throws {
        try inNetworkNamespace(ports: 128) {
            let bound = IPAddress(text: "127.32.0.1")!
            let ends = [4000, 4001, 4002].map { IPEndpoint(loopback, port: $0) }
            let listeners = try ends.map { try PlainSocket.listening(on: $0) }
            // Two destinations from an address that is bound: one range for both.
            let binders = try (0..<60).map { try PlainConnection(ends[$0 % 2], at: listeners[$0 % 2], .bound(bound)) }
            for row in try use().rows {
                #expect([row.inUse, row.sourceInUse, row.free] == [30, 60, 68])
                #expect(row.choice == .bind)
            }
            let rest = exhaust(ends[0], at: listeners[0], .bound(bound))
            #expect(rest.connections.count == 68)
            #expect(exhaust(ends[1], at: listeners[1], .bound(bound)).connections.isEmpty)
            #expect(try use().rows.map(\.free) == [0, 0])
            _ = (binders, rest)
        }
        try inNetworkNamespace(ports: 128) {
            // The same without bind(): each destination has them all.
            let ends = [4000, 4001].map { IPEndpoint(loopback, port: $0) }
            let listeners = try ends.map { try PlainSocket.listening(on: $0) }
            let first = exhaust(ends[0], at: listeners[0])
            let second = try (0..<30).map { _ in try PlainConnection(ends[1], at: listeners[1]) }
            let rows = try use().rows
            #expect(rows.map(\.inUse) == [128, 30])
            #expect(rows.map(\.free) == [0, 98])
            #expect(rows.map(\.choice) == [.connect, .connect])
            #expect(exhaust(ends[1], at: listeners[1]).connections.count == 98)
            _ = (first, second)
        }
    }

    @Test("a dial that binds nothing gets no port that bind() chose, from whatever address", .requiresNamespaces)
    func blocked() throws {
        try inNetworkNamespace(ports: 128) {
            let ends = [4000, 4001].map { IPEndpoint(loopback, port: $0) }
            let listeners = try ends.map { try PlainSocket.listening(on: $0) }
            let binders = try (0..<100).map { _ in
                try PlainConnection(ends[0], at: listeners[0], .bound(IPAddress(text: "127.32.0.1")!))
            }
            for binder in binders { binder.close() }
            let before = try use()
            #expect(before.bound.held == 100)
            #expect(before.freeForNewPair == 28)
            let some = try (0..<10).map { _ in try PlainConnection(ends[1], at: listeners[1]) }
            let row = try #require(try use().rows(towardsPort: 4001).first)
            #expect([row.inUse, row.blocked, row.free] == [10, 100, 18])
            let rest = exhaust(ends[1], at: listeners[1])
            #expect(rest.connections.count == 18)
            #expect(rest.error == "EADDRNOTAVAIL")
            let now = try use()
            #expect(now.freeForNewPair == 28)
            #expect(now.rows(towardsPort: 4001).first?.free == 0)
            _ = some
        }
    }

    @Test("accepted connections are nobody's dials, though their port be in the range", .requiresNamespaces)
    func accepted() throws {
        try inNetworkNamespace {
            try Sysctl.write("net.ipv4.ip_local_port_range", "4000 4127")
            let destination = IPEndpoint(loopback, port: 4064)
            let listener = try PlainSocket.listening(on: destination)
            let held = try (0..<20).map { _ in try PlainConnection(destination, at: listener) }
            for connection in held.prefix(5) { connection.close() }
            let use = try use()
            #expect(use.rows.count == 1)
            let row = try #require(use.rows.first)
            // The port that is listened on is not to be had either.
            #expect([row.capacity, row.inUse, row.open, row.timeWait, row.blocked] == [128, 20, 15, 5, 1])
            #expect(row.free == 107)
            #expect(exhaust(destination, at: listener).connections.count == row.free)
        }
    }

    @Test(
        "connections whose listener is gone are nobody's dials, and their port is still taken",
        .requiresNamespaces,
        arguments: [true, false]
    )
    func formerListener(areOpen: Bool) throws {
        try inNetworkNamespace(ports: 128) {
            let end = IPEndpoint(loopback, port: 32_800)
            var listener: PlainSocket? = try PlainSocket.listening(on: end)
            let connections = try (0..<30).map { _ in try PlainConnection(end, at: listener!) }
            // The server closes first: TIME_WAIT is at its end.
            if !areOpen { for connection in connections { connection.closeServerFirst() } }
            listener = nil
            let use = try use()
            #expect(use.rows.map { "\($0.pair.destination) \($0.inUse)" } == (areOpen ? ["127.0.0.1:32800 30"] : []))
            #expect(use.bound.held == 1)
            let other = try PlainSocket.listening(on: IPEndpoint(loopback, port: 4000))
            #expect(exhaust(IPEndpoint(loopback, port: 4000), at: other).connections.count == 127)
            _ = connections
        }
    }

    @Test("who dials many ports in the range from few of its own is no listener", .requiresNamespaces)
    func peers() throws {
        try inNetworkNamespace(ports: 64) {
            let ends = (32_770..<32_790).map { IPEndpoint(loopback, port: $0) }
            let listeners = try ends.map { try PlainSocket.listening(on: $0) }
            let connections = try zip(ends, listeners).flatMap { end, listener in
                try (0..<20).map { _ in try PlainConnection(end, at: listener) }
            }
            #expect(try use().rows.map(\.inUse) == Array(repeating: 20, count: 20))
            _ = connections
        }
    }

    @Test(
        "with ip_autobind_reuse a full address is exhausted for nobody but those seen not to share",
        .requiresNamespaces
    )
    func autobindReuse() throws {
        try inNetworkNamespace(ports: 64) {
            guard (try? Sysctl.write("net.ipv4.ip_autobind_reuse", "1")) != nil else { return }
            let bound = IPAddress(text: "127.32.0.1")!
            let ends = [4000, 4001].map { IPEndpoint(loopback, port: $0) }
            let listeners = try ends.map { try PlainSocket.listening(on: $0) }
            var trend = PortTrend()
            trend.add(try PortSample.take(after: trend))
            func dial(_ number: Int, _ count: Int) throws {
                for _ in 0..<count {
                    try PlainConnection(ends[number], at: listeners[number], .reusing(bound)).close()
                }
            }
            try dial(0, 40)
            trend.add(try PortSample.take(after: trend))
            #expect(trend.outlooks.first?.row.choice == .bind)
            try dial(0, 24)
            trend.add(try PortSample.take(after: trend))
            // It may be one without SO_REUSEADDR, whose dials fail from here on.
            #expect(trend.outlooks.first?.state == .unknown)
            try dial(1, 30)
            trend.add(try PortSample.take(after: trend))
            #expect(trend.outlooks.count == 2)
            for outlook in trend.outlooks {
                #expect(outlook.state != .exhausted, "\(outlook)")
                #expect(outlook.free == 64)
            }
            try dial(0, 64)
        }
    }

    @Test("ports listened on or bound at the wildcard address cannot be bound at any", .requiresNamespaces)
    func wildcard() throws {
        try inNetworkNamespace(ports: 128) {
            let destination = IPEndpoint(loopback, port: 4000)
            let listener = try PlainSocket.listening(on: destination)
            let held = [
                try PlainSocket.listening(on: IPEndpoint(text: "0.0.0.0:32800")!),
                try PlainSocket.listening(on: IPEndpoint(text: "[::]:32801")!),
                try PlainSocket.bound(to: IPEndpoint(text: "0.0.0.0:32802")!),
                // These two do not stand in the way: another family's, and another address's.
                try PlainSocket.listening(on: IPEndpoint(text: "[::]:32806")!, onlyIPv6: true),
                try PlainSocket.listening(on: IPEndpoint(text: "127.0.0.7:32804")!),
                try PlainSocket.bound(to: IPEndpoint(text: "127.32.0.1:32805")!),
            ]
            let bound = IPAddress(text: "127.32.0.1")!
            let some = try (0..<10).map { _ in try PlainConnection(destination, at: listener, .bound(bound)) }
            let row = try #require(try use().rows.first)
            #expect([row.inUse, row.sourceInUse, row.free] == [10, 14, 114])
            #expect(try use().freeForNewPair == 128 - 10 - 6)
            #expect(exhaust(destination, at: listener, .bound(bound)).connections.count == 114)
            _ = (held, some)
        }
    }

    @Test("connect() takes ports in TIME_WAIT again where the settings let it", .requiresNamespaces)
    func reuse() throws {
        for (reuse, comesBack) in [("0", false), ("1", true), ("2", true)] {
            try inNetworkNamespace(ports: 64) {
                try Sysctl.write("net.ipv4.tcp_tw_reuse", reuse)
                // A kernel before 6.14 has no such setting, and a second.
                try? Sysctl.write("net.ipv4.tcp_tw_reuse_delay", "1")
                let destination = IPEndpoint(loopback, port: 4000)
                let listener = try PlainSocket.listening(on: destination)
                let closed = try (0..<30).map { _ in try PlainConnection(destination, at: listener) }
                for connection in closed { connection.close() }
                let settled = try eventually { try use().rows.first?.reusable == (comesBack ? 30 : 0) }
                #expect(settled)
                let row = try #require(try use().rows.first)
                #expect([row.inUse, row.timeWait] == [30, 30])
                #expect(row.free == (comesBack ? 64 : 34))
                #expect(exhaust(destination, at: listener).connections.count == row.free)
            }
        }
    }
}
