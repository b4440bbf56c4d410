/// Where a row's ports are going.
package enum PortState: String, Sendable, Codable {
    /// Fewer are held than some seconds ago.
    case draining
    /// About as many are.
    case steady
    /// More are, or soon will be.
    case filling
    /// The next dial finds none.
    case exhausted
    /// Looked at once only, or who chooses ports cannot be told and makes the difference.
    case unknown
}

/// A row, what is going on in it, and how long that can go on.
package struct PortOutlook: Sendable {
    package var row: PortRow
    /// Ports held now: the row's own since the last look, and what was added and given back since.
    package var inUse: Int
    package var sourceInUse: Int
    /// Dials that would find a port now.
    package var free: Int
    /// New connections a second; nil after one look.
    package var connectsPerSecond: Double?
    /// Until a dial finds no port, going on like this; nil when each finds one, or when that is not known.
    package var secondsLeft: Double?
    package var state: PortState

    /// Ports held that count against the range: of the source address where it is bound, of the row otherwise.
    package var held: Int { row.choice == .connect ? inUse : sourceInUse }

    /// Whether it comes before another where the busiest come first: those that have no port left, then those that
    /// hold most.
    package func precedes(_ other: PortOutlook) -> Bool {
        let (mine, others) = (state == .exhausted, other.state == .exhausted)
        if mine != others { return mine }
        return (held, inUse) == (other.held, other.inUse)
            ? row.pair < other.row.pair : (held, inUse) > (other.held, other.inUse)
    }

    /// Share of the ports that are not free, 0 to 1.
    package var used: Double {
        state == .exhausted || row.capacity == 0 ? 1 : 1 - Double(free) / Double(row.capacity)
    }
}
