import POSIX
import TestSupport
import Testing
import Units

@testable import KernelProbe

/// Random programs against the model: what `ss` lists, and what the next dials of each program do.
@Suite("Port use, at random")
struct RandomPortUseTests {
    /// Somebody who dials.
    private struct Dialler: CustomStringConvertible {
        var destination: IPEndpoint
        var port: PlainSocket.Port
        var isMapped: Bool

        /// The source address its connections have.
        var source: IPAddress {
            switch port {
            case .unbound: destination.address.family == .ipv6 ? IPAddress(text: "::1")! : IPAddress(.loopback)
            case .bound(let address), .late(let address), .reusing(let address): address
            }
        }

        var pair: AddressPair { AddressPair(source: source, destination: destination) }

        var description: String { "\(port) to \(destination)\(isMapped ? " mapped" : "")" }
    }

    /// What a seed stands for.
    private struct Setup {
        var range: ClosedRange<Int>
        var reserved: String
        var twReuse: Int
        var twReuseDelay: Int
        var diallers: [Dialler]

        init(_ random: inout SplitMix64) {
            let low = 32768 + Int.random(in: 0...9, using: &random)
            range = low...(low + Int.random(in: 40...160, using: &random))
            var holes: [String] = []
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let first = Int.random(in: range, using: &random)
                holes.append("\(first)-\(first + Int.random(in: 0...9, using: &random))")
            }
            reserved = holes.joined(separator: ",")
            twReuse = Int.random(in: 0...2, using: &random)
            // Either every closed port is to be had at once, or none while the test lasts.
            twReuseDelay = [1, 60_000].randomElement(using: &random)!
            let ends = ["127.0.0.1:4000", "127.0.0.2:4000", "127.0.0.1:4001", "[::1]:4000"]
                .shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random)).map { IPEndpoint(text: $0)! }
            diallers = (0..<Int.random(in: 1...4, using: &random)).map { number in
                let destination = ends.randomElement(using: &random)!
                let isIPv6 = destination.address.family == .ipv6
                // An address is bound in one way only: else nobody can tell which of the two will dial next.
                let address = IPAddress(text: isIPv6 ? "::1" : "127.32.0.\(Int.random(in: 1...2, using: &random))")!
                let late = IPAddress(text: isIPv6 ? "::1" : "127.33.0.\(number)")!
                let ways: [PlainSocket.Port] = isIPv6 ? [.unbound] : [.unbound, .bound(address), .late(late)]
                return Dialler(
                    destination: destination,
                    port: ways.randomElement(using: &random)!,
                    isMapped: !isIPv6 && Bool.random(using: &random)
                )
            }
        }
    }

    private func use(_ knowledge: PortUse.Knowledge = .init()) throws -> PortUse {
        let settings = try NamespaceSettings.current()
        // What closed less than some milliseconds ago may become free between the look and the dial.
        while true {
            let table = try SocketDiagnostics.table(of: settings.range)
            let isSettled = table.entries.allSatisfy { ($0.hold.age ?? 60_000) > 2 }
            if isSettled { return PortUse(table, settings, taken: .now, knowledge: knowledge) }
        }
    }

    /// Connections with an ephemeral port as `ss` lists them: of each pair, how many are open and in TIME_WAIT.
    private func listed(in range: PortRange) throws -> [AddressPair: [Int]] {
        var pairs: [AddressPair: [Int]] = [:]
        for line in try ChildProcess.output(of: "/bin/sh", ["-c", "ss -Htan"]).split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words[0] != "LISTEN", let local = IPEndpoint(text: words[3]), let remote = IPEndpoint(text: words[4]),
                range.usable.contains(local.port)
            else { continue }
            let pair = AddressPair(source: local.address, destination: remote)
            pairs[pair, default: [0, 0]][words[0] == "TIME-WAIT" ? 1 : 0] += 1
        }
        return pairs
    }

    /// Ports free for a dialler's next dials, and how many of them may not be.
    private func free(_ dialler: Dialler, _ use: PortUse) -> (ports: Int, unsure: Int) {
        guard let row = use.rows.first(where: { $0.pair == dialler.pair }) else {
            return (use.freeForNewPair, use.perhapsBound)
        }
        return (row.free, row.perhapsBlocked)
    }

    @Test("rows are ss's, and free is what the next dials find", .slow, .requiresNamespaces, arguments: 0..<40)
    func agrees(seed: Int) throws {
        var random = SplitMix64(seed: UInt64(seed))
        let setup = Setup(&random)
        // Another namespace's sockets stand in the same kernel table, and are not to be seen.
        var elsewhere: [PlainConnection] = []
        try inNetworkNamespace {
            let destination = IPEndpoint(IPAddress(.loopback), port: 4000)
            let listener = try PlainSocket.listening(on: destination)
            elsewhere = try (0..<(seed % 2 * 50)).map { _ in try PlainConnection(destination, at: listener) }
        }
        try inNetworkNamespace {
            try Sysctl.write("net.ipv4.ip_local_port_range", "\(setup.range.lowerBound) \(setup.range.upperBound)")
            try Sysctl.write("net.ipv4.ip_local_reserved_ports", setup.reserved)
            try Sysctl.write("net.ipv4.tcp_tw_reuse", "\(setup.twReuse)")
            try? Sysctl.write("net.ipv4.tcp_tw_reuse_delay", "\(setup.twReuseDelay)")
            try play(setup, &random)
        }
        _ = elsewhere
    }

    private func play(_ setup: Setup, _ random: inout SplitMix64) throws {
        var listeners: [IPEndpoint: PlainSocket] = [:]
        for dialler in setup.diallers where listeners[dialler.destination] == nil {
            listeners[dialler.destination] = try .listening(on: dialler.destination)
        }
        func dial(_ dialler: Dialler) throws(SystemCallError) -> PlainConnection {
            try PlainConnection(
                dialler.destination,
                at: listeners[dialler.destination]!,
                dialler.port,
                mapped: dialler.isMapped
            )
        }
        var open: [PlainConnection] = []
        var knowledge = PortUse.Knowledge()
        for count in [2, 60] {
            for dialler in setup.diallers {
                for _ in 0..<Int.random(in: 1...count, using: &random) {
                    guard let connection = try? dial(dialler) else { break }
                    if Bool.random(using: &random) { connection.close() } else { open.append(connection) }
                }
            }
            // Somebody who watches has seen who chooses ports before they are all taken.
            if knowledge.choices.isEmpty {
                knowledge.choices = Dictionary(uniqueKeysWithValues: try use().rows.map { ($0.pair, $0.choice) })
            }
        }
        // What closed a moment ago may be taken again once a millisecond has passed; ss takes several.
        let range = try PortRange.current()
        let listed = try listed(in: range)
        let rows = try use().rows
        #expect(Dictionary(uniqueKeysWithValues: rows.map { ($0.pair, [$0.open, $0.timeWait]) }) == listed)

        for dialler in setup.diallers.shuffled(using: &random) {
            let atFirstSight = try use()
            let watched = try use(knowledge)
            var more: [PlainConnection] = []
            while let connection = try? dial(dialler) { more.append(connection) }
            // Of an odd number of ports, a search passes over one.
            let missed = setup.range.count % 2
            let (free, unsure) = free(dialler, watched)
            #expect(unsure == 0)
            #expect((free - missed...free) ~= more.count, "\(setup), \(dialler): \(more.count) of \(free)")
            // Somebody who comes later gives bounds.
            let (least, unsureAtFirst) = self.free(dialler, atFirstSight)
            #expect(more.count >= least - missed - unsureAtFirst, "\(setup), \(dialler): \(more.count) of \(least)")
            for connection in more { connection.close() }
        }
        _ = open
    }
}
