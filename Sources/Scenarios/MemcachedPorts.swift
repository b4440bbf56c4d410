internal import KernelProbe

/// The ports and sockets towards memcached at one moment.
struct MemcachedPorts {
    /// Ports held that count against the range: of the source address that holds most where it is bound, of the pair of
    /// source and destination that holds most where connect() chooses.
    var inUse = 0
    var timeWait = 0
    var established = 0
    var sourceAddresses = 0

    init() {}

    /// - Parameter use: nil where nobody looked.
    init(_ use: PortUse?, port: UInt16) {
        guard let use else { return }
        inUse = use.rows(towardsPort: port).map(\.held).max() ?? 0
        let totals = use.destinations[port] ?? DestinationTotals()
        timeWait = totals[.timeWait]
        established = totals[.established]
        sourceAddresses = totals.sources
    }
}
