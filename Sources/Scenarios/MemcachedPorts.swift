internal import KernelProbe
internal import POSIX

/// The ports and sockets towards memcached at one moment.
struct MemcachedPorts {
    /// When the kernel was asked.
    var taken: MonotonicInstant
    /// Ports held that count against the range: of the source address that holds most where it is bound, of the pair of
    /// source and destination that holds most where connect() chooses.
    var inUse = 0
    /// Those of them that are of open connections to memcached, and those in TIME_WAIT.
    var open = 0
    var portsTimeWait = 0
    /// TIME_WAIT sockets of all source addresses.
    var timeWait = 0
    var established = 0
    var sourceAddresses = 0
}

extension MemcachedPorts {
    init(_ use: PortUse, port: UInt16) {
        self.init(taken: use.taken)
        if let busiest = use.rows(towardsPort: port).max(by: { $0.held < $1.held }) {
            (inUse, open, portsTimeWait) = (busiest.held, busiest.open, busiest.timeWait)
        }
        let totals = use.destinations[port] ?? DestinationTotals()
        timeWait = totals[.timeWait]
        established = totals[.established]
        sourceAddresses = totals.sources
    }
}
