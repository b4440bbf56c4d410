internal import POSIX
package import Text

/// One row and its outlook as JSON has it, on every page that tells of ports: the connections of one source address to
/// one destination.
package struct PortFigures: Codable, Sendable, Equatable {
    package var family: String
    package var source: String
    package var destination: String
    /// Ports the row holds: open and timeWait, each carried on from the last look.
    package var inUse: Int
    package var capacity: Int
    package var open: Int
    package var timeWait: Int
    /// Ports the source address holds, whatever the destination.
    package var sourceInUse: Int
    /// Ports that the row's next dials can take.
    package var free: Int
    /// Ports in TIME_WAIT that connect() may take again already.
    package var reusable: Int
    /// Ports of others that bind() chose.
    package var blocked: Int
    /// Who chose the row's ports: bind, connect, both or unknown.
    package var chosenBy: PortChoice
    @ExplicitNull package var connectsPerSecond: Double?
    @ExplicitNull package var secondsLeft: Double?
    package var state: PortState

    package init(_ outlook: PortOutlook) {
        let row = outlook.row
        family = row.pair.destination.address.family.rawValue
        source = row.pair.source.description
        destination = row.pair.destination.description
        inUse = outlook.inUse
        capacity = row.capacity
        open = min(row.open, outlook.inUse)
        timeWait = outlook.inUse - open
        sourceInUse = outlook.sourceInUse
        free = outlook.free
        reusable = row.reusable
        blocked = row.blocked
        chosenBy = row.choice
        connectsPerSecond = outlook.connectsPerSecond
        secondsLeft = outlook.secondsLeft
        state = outlook.state
    }

    /// Whole hundredths of the ports that are not free, rounded down, so that 100 is said of nothing less. The figures
    /// may be anybody's.
    package var percentUsed: Int {
        guard state != .exhausted, capacity > 0 else { return 100 }
        return Int(min(100, max(0, (Double(capacity) - Double(free)) * 100 / Double(capacity))))
    }
}
