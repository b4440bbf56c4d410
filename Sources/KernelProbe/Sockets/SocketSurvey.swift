package import POSIX

/// The dialling side of the TCP sockets towards one port: by state, and by source address.
package struct SocketSurvey: Sendable, Equatable {
    /// Sockets in each state, indexed by the kernel's number for it.
    private var states = [Int](repeating: 0, count: 16)
    /// Sockets of each source address whose port lies in the ephemeral range.
    private var sources: [IPAddress: Int] = [:]

    package init() {}

    /// Sockets in this state.
    package subscript(state: TCPState) -> Int { states[Int(state.rawValue)] }

    package var total: Int { states.reduce(0, +) }

    package var established: Int { self[.established] }

    package var timeWait: Int { self[.timeWait] }

    /// In every state but the two above.
    package var other: Int { total - established - timeWait }

    /// States that occur, most sockets first.
    package var byState: [(state: TCPState, sockets: Int)] {
        TCPState.allCases.filter { self[$0] > 0 }.map { ($0, self[$0]) }.sorted { $0.1 > $1.1 }
    }

    /// Source addresses that hold ephemeral ports, those with the most first. Towards one destination
    /// address each socket of a source holds a port of its own.
    package func busiestSources(_ count: Int) -> [(address: IPAddress, ports: Int)] {
        sources.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.prefix(count).map { ($0.key, $0.value) }
    }

    package var sourceCount: Int { sources.count }

    /// Ephemeral ports that the busiest source address holds: the number that runs into the range.
    package var portsInUse: Int { sources.values.max() ?? 0 }

    mutating func add(state: UInt8, source: IPAddress, isEphemeral: Bool) {
        states[Int(state & 15)] += 1
        if isEphemeral { sources[source, default: 0] += 1 }
    }
}
