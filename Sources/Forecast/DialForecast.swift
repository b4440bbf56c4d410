package import Limits
package import LoadGenerator

/// How many dials should succeed in a phase, from what was asked and the rules of pool and ports alone: a number where
/// these decide it, whatever the timing, and otherwise the reason why they do not.
package struct DialForecast {
    /// What of the ports the dialer has.
    package enum Ports {
        /// So many source or destination addresses that none runs out.
        case ample
        /// As many as are free for its one source address: bind() takes none twice.
        /// - Parameter mayReturn: whether ports can come out of TIME_WAIT meanwhile.
        case exactly(Int, mayReturn: Bool)
        /// So many are free; connect() may take others again.
        case atLeast(Int)
    }

    /// How a dial ends.
    package enum Outcome: Equatable {
        case expected(Int, reasoning: String)
        case unpredictable(reason: String)
    }

    /// As far as two courses of a phase may differ, and still have one forecast: a share of its dials.
    private static let tolerance = 0.005

    /// The batches that were due, and which of them met.
    package var batches: BatchOverlaps.Groups
    package var maxIdle: Int
    package var limit: LimitPolicy
    /// Connections idle when the phase began.
    package var idle: Int
    package var ports: Ports
    /// Lookups that failed: each may have cost a connection that would have been used again.
    package var failedLookups: Int

    package init(
        batches: BatchOverlaps.Groups,
        maxIdle: Int,
        limit: LimitPolicy,
        idle: Int,
        ports: Ports,
        failedLookups: Int
    ) {
        self.batches = batches
        self.maxIdle = maxIdle
        self.limit = limit
        self.idle = idle
        self.ports = ports
        self.failedLookups = failedLookups
    }

    /// The same as a result has it: the number, and how it comes about; or nil, and why.
    package var result: (expected: Int?, reasoning: String) {
        switch outcome {
        case .expected(let dials, let reasoning): (dials, reasoning)
        case .unpredictable(let reason): (nil, reason)
        }
    }

    package var outcome: Outcome {
        let demand = limit == .none ? unlimitedDemand : limitedDemand
        switch ports {
        case .exactly(let free, let mayReturn) where demand.atLeast >= free:
            return mayReturn && demand.usual > free
                ? .unpredictable(reason: "ports of earlier connections came out of TIME_WAIT meanwhile")
                : .expected(free, reasoning: "the free ports of one address")
        case .exactly(let free, _) where demand.atMost > free:
            return .unpredictable(reason: "whether the free ports are enough depends on how batches met")
        case .atLeast(let free) where demand.atMost > free:
            return .unpredictable(reason: "how soon connect() takes a port again depends on timing")
        case .ample, .exactly, .atLeast:
            let differ = Double(demand.atMost - demand.atLeast)
            guard differ <= Self.tolerance * Double(demand.atLeast) else {
                return .unpredictable(reason: demand.uncertainty)
            }
            return .expected(demand.usual, reasoning: demand.reasoning)
        }
    }

    /// Dials that are attempted.
    private struct Demand {
        var atLeast = 0
        /// As if batches did not meet and no lookup failed.
        var usual = 0
        var atMost = 0
        var reasoning = ""
        var uncertainty = ""
    }

    /// Without a limit a batch is issued whole before any of it is collected: it takes the idle connections, and dials
    /// for all other lookups. Of several that meet, each may find none idle, or those that another has just put back.
    private var unlimitedDemand: Demand {
        var demand = Demand()
        // Connections idle before a group, as few and as many as there can be.
        var (few, many) = (idle, idle)
        var usualIdle = idle
        var met = false
        for group in batches.all {
            let largest = group.max() ?? 0
            let total = group.reduce(0, +)
            met = met || group.count > 1
            for size in group {
                demand.usual += max(0, size - usualIdle)
                usualIdle = min(maxIdle, max(usualIdle, size))
            }
            // All lookups of the largest hold a connection each at one moment, whoever dialled it.
            demand.atLeast += max(0, largest - many)
            // A dial is made only where none is idle: those idle at first are used.
            demand.atMost += max(0, total - few)
            few = min(maxIdle, max(few, largest))
            many = min(maxIdle, max(many, total))
        }
        demand.atMost += failedLookups
        demand.reasoning = "one a lookup, but \(maxIdle) a batch reused"
        demand.uncertainty =
            met ? "batches were under way at the same time" : "failed lookups cost connections"
        return demand
    }

    /// With a limit each reply's connection is used again: dials are needed only while more lookups are in flight than
    /// there are connections, and how many are in flight when depends on timing.
    private var limitedDemand: Demand {
        let bound = limit.bound ?? .max
        var together = 0
        for group in batches.all {
            let inFlight = group.reduce(0) { $0 + min(bound, $1) }
            if case .request = limit {
                together = max(together, inFlight)
            } else {
                together = max(together, min(bound, inFlight))
            }
        }
        var demand = Demand()
        let isKept = together <= maxIdle
        demand.usual = max(0, together - idle)
        demand.atMost = isKept ? demand.usual + failedLookups : .max / 2
        demand.reasoning = "the idle connections are enough for the limit"
        demand.uncertainty =
            if !isKept {
                "fewer connections are kept than may be in flight: how often they are dialled anew depends on timing"
            } else if demand.usual > 0 {
                "how many of the limit's lookups are in flight together depends on timing"
            } else {
                "failed lookups cost connections"
            }
        return demand
    }
}
