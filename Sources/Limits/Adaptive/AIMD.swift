/// Additive increase, multiplicative decrease, as TCP's congestion avoidance has it (RFC 5681) and Netflix's
/// concurrency-limits does for requests: one more while the limit is in use, a tenth less on each drop.
package struct AIMD: LimitAlgorithm {
    /// What can be set, by the names of the setting's text.
    package struct Parameters: Sendable, Hashable, AdaptiveParameters {
        package var start = 20
        package var min = 20
        package var max = 200
        /// What of the limit is left after a drop, below 1.
        package var backoff = 0.9

        package init() {}
    }

    private let parameters: Parameters
    package private(set) var limit: Int

    package init(_ parameters: Parameters = Parameters()) {
        self.parameters = parameters
        limit = parameters.start
    }

    package mutating func update(_ sample: Sample, inFlight: Int) {
        if sample.isDrop {
            limit = Int(Double(limit) * parameters.backoff)
        } else if 2 * inFlight >= limit {
            limit += 1
        }
        limit = Swift.min(parameters.max, Swift.max(parameters.min, limit))
    }
}
