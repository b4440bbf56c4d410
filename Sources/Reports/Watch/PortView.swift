package import KernelProbe
package import POSIX

/// Which rows somebody wants to see, and in what order.
package struct PortView: Sendable {
    /// What rows are sorted by.
    package enum Order: String, Sendable, CaseIterable {
        /// Those without a port left, then those that hold most.
        case busiest
        /// The least free first.
        case used
        /// The most ports held first.
        case inUse = "in-use"
        /// The fastest first.
        case rate
        /// Those that run out soonest first.
        case left
        /// By destination, then source.
        case destination
    }

    /// Destination ports; nil for any.
    package var port: UInt16?
    /// Destinations; nil for any. Of so many that none of them has a row, any with the port of one.
    package var destinations: Set<IPEndpoint>?
    package var source: IPAddress?
    package var order = Order.busiest

    package init() {}

    /// The rows wanted, in order.
    package func outlooks(_ trend: PortTrend) -> [PortOutlook] {
        let outlooks = trend.outlooks
        var wanted = outlooks.filter { shows($0.row.pair) }
        if wanted.isEmpty, let ports = destinations.map({ Set($0.map(\.port)) }) {
            var view = self
            view.destinations = nil
            wanted = outlooks.filter { view.shows($0.row.pair) && ports.contains($0.row.pair.destination.port) }
        }
        return switch order {
        case .busiest: wanted
        case .used: wanted.sorted { ($0.used, $0.inUse) > ($1.used, $1.inUse) }
        case .inUse: wanted.sorted { ($0.inUse, $0.sourceInUse) > ($1.inUse, $1.sourceInUse) }
        case .rate: wanted.sorted { ($0.connectsPerSecond ?? -1) > ($1.connectsPerSecond ?? -1) }
        case .left:
            wanted.sorted {
                ($0.secondsLeft ?? .infinity, $1.inUse) < ($1.secondsLeft ?? .infinity, $0.inUse)
            }
        case .destination: wanted.sorted { $0.row.pair < $1.row.pair }
        }
    }

    private func shows(_ pair: AddressPair) -> Bool {
        (port == nil || pair.destination.port == port)
            && (destinations?.contains(pair.destination) ?? true)
            && (source == nil || pair.source.anywhere == source)
    }

    /// Whether rows are chosen at all.
    package var isNarrowed: Bool { port != nil || destinations != nil || source != nil }
}
