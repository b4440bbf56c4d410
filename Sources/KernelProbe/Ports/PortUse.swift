package import POSIX

/// What the kernel shares between connections, and how much of it is taken: the one model of ephemeral ports.
///
/// **Whose port it is.** A port chosen by bind() to an address is taken for that address, whatever the destination: the
/// next bind() to it passes over every port that the address holds in any state, TIME_WAIT included, and every port
/// that is bound or listened on at the wildcard address (inet_csk_get_port() and inet_bhash2_conflict() in
/// net/ipv4/inet_connection_sock.c). A port chosen by connect() is taken for its source, destination and destination
/// port (__inet_check_established() in net/ipv4/inet_hashtables.c), except that:
/// - connect() passes over every port that some bind() chose, by whatever program for whatever address of either
///   family, while a socket that was bound so holds it, in TIME_WAIT too: the port's bucket says so
///   (`fastreuse >= 0` in __inet_hash_connect()). These are the ``bound`` ports.
/// - it may take a port in TIME_WAIT again: see ``TimeWaitReuse``.
///
/// Accepted connections take no port: theirs is the one that is listened on. An IPv4-mapped socket takes IPv4's ports,
/// an IPv6 one those of its own addresses; the buckets they share. Ports out of ip_local_port_range or in
/// ip_local_reserved_ports are never chosen, so they count neither as capacity nor as taken.
///
/// **What is not known.** Who chose a port is inferred: see ``PortChoice``. A program that binds the wildcard address
/// needs a port that nobody holds at all, and looks like one that binds its address. In a range of an odd number of
/// ports a search leaves out one. ip_autobind_reuse helps sockets with SO_REUSEADDR: where it is set, ports are taken for
/// shared once two pairs of an address are seen to share one, and for perhaps so before.
package struct PortUse: Sendable {
    /// Rows kept; what other pairs hold is in the sums.
    package static let maxRows = 1024
    /// Rows kept of one source address.
    static let maxRowsOfSource = 256

    package var taken: MonotonicInstant
    package var settings: NamespaceSettings
    /// A row for each pair of source and destination, those that hold most first, at most ``maxRows``.
    package internal(set) var rows: [PortRow] = []
    /// All pairs there are.
    package internal(set) var pairCount = 0
    package internal(set) var sourceCount = 0
    /// Dialled connections with an ephemeral port, each counted, however many share a port.
    package internal(set) var all = PortPool()
    /// Sums of all pairs towards each destination port.
    package internal(set) var destinations: [UInt16: DestinationTotals] = [:]
    /// Ports that no unbound connect() gets, as bind() chose them.
    package internal(set) var bound = PortPool()
    /// Those of them that are odd, counted from the lowest port, and how many odd ones there are: bind() takes others
    /// only when its address has none of these.
    var boundOdd = 0
    var oddPorts = 0
    /// Further ports that may be such: who chose them is unknown.
    package internal(set) var perhapsBound = 0
    /// What each source address of a row holds, whatever the destination.
    package internal(set) var sources: [IPAddress: PortPool] = [:]

    /// Ports that a search may leave out: one of an odd number, as it goes through them in steps of two; none where there
    /// is but one.
    var unreachable: Int {
        let ports = settings.range.highestPort - settings.range.lowestPort + 1
        return ports > 1 ? ports % 2 : 0
    }

    /// Ports an unbound dial can still choose among towards a destination that nobody is connected to.
    package var freeForNewPair: Int { max(0, settings.range.ports - bound.held) }

    /// Those towards one port, one source, or both; nil for any.
    package func rows(towardsPort port: UInt16?, from source: IPAddress? = nil) -> [PortRow] {
        rows.filter {
            (port == nil || $0.pair.destination.port == port) && (source == nil || $0.pair.source == source)
        }
    }
}

/// All connections towards one destination port.
package struct DestinationTotals: Sendable, Equatable {
    /// Sockets in each state, indexed by the kernel's number for it.
    var states = [Int](repeating: 0, count: 16)
    /// Source addresses they come from.
    package internal(set) var sources = 0

    package init() {}

    /// Sockets in this state.
    package subscript(state: TCPState) -> Int { states[Int(state.rawValue)] }

    package var sockets: Int { states.reduce(0, +) }
}

/// The connections of one source address to one destination.
package struct PortRow: Sendable, Equatable {
    package var pair: AddressPair
    /// Ports a source address has: the range without reserved ones.
    package var capacity: Int
    /// What the pair holds.
    package var pool: PortPool
    /// Ports the source address holds at all, whatever the destination, or cannot bind because others hold them
    /// at the wildcard address.
    package var sourceInUse: Int
    package var choice: PortChoice
    /// Ports that bind() chose and that the pair does not hold: an unbound dial does not get them.
    package var blocked = 0
    /// Further ones that it may not get: who chose them is unknown.
    package var perhapsBlocked = 0
    /// Connections in TIME_WAIT whose port connect() may take again now.
    package var reusable = 0
    package var reuse = TimeWaitReuse.never
    /// Of its open connections, so that those of two looks can be compared.
    var sketch = OpenSketch()

    /// Ports the pair holds.
    package var inUse: Int { pool.held }
    package var open: Int { pool.open }
    package var timeWait: Int { pool.timeWait }

    /// Ports held that count against the range for the row's next dial.
    package var held: Int { choice == .connect ? inUse : max(inUse, sourceInUse) }

    /// Ports for a dial whose port connect() chooses.
    package var freeToConnect: Int { max(0, capacity - inUse - blocked + reusable) }

    /// Whether bind() takes ports of the address again, as ip_autobind_reuse lets sockets with SO_REUSEADDR.
    var rebinds = Rebinding.no

    enum Rebinding: Equatable {
        case no
        /// It may, and nothing has been seen of it.
        case perhaps
        /// Those that are not open between the same ends. A bound socket takes them from TIME_WAIT at once.
        case yes
    }

    /// Ports for a dial that binds the source address first.
    package var freeToBind: Int { max(0, capacity - (rebinds == .yes ? open : sourceInUse)) }

    /// Dials that would find a port now, with the pair's own way to choose one: the least, where that is not known.
    package var free: Int {
        switch choice {
        case .bind: freeToBind
        case .connect: freeToConnect
        case .both, .unknown: min(freeToBind, freeToConnect)
        }
    }

    /// The most, where that is not known.
    package var freeAtMost: Int {
        let most = rebinds == .perhaps && choice == .bind ? capacity - open : free
        return choice == .unknown ? max(freeToBind, freeToConnect) : most
    }
}
