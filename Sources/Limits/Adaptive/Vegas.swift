internal import Glibc
internal import Units

/// Estimates the queue from the best round trip of late, as TCP Vegas does (Brakmo and Peterson, 1994), in the form
/// of Netflix's concurrency-limits.
///
/// As published, the best round trip is taken before it is looked whether the lookup failed: a dial that is refused in
/// 20 microseconds becomes the measure of a healthy one, and every success looks like a queue. Here drops are no
/// measure; ``Parameters/asPublished`` shows what comes of it otherwise.
package struct Vegas: LimitAlgorithm {
    /// What can be set, by the names of the setting's text.
    package struct Parameters: Sendable, Hashable, AdaptiveParameters {
        package var start = 20
        package var min = 1
        package var max = 1000
        /// Whether the round trip of a drop counts as the best one, as in the published code.
        package var asPublished = false

        package init() {}
    }

    private let parameters: Parameters
    package private(set) var limit: Int
    /// Nanoseconds; nil before the first sample.
    package private(set) var bestRoundTrip: Double?
    private var samplesSinceProbe = 0
    /// Draws when the best round trip is measured anew: so many limits' worth of samples.
    private var jitter: Double
    private var random: SplitMix64

    /// - Parameter seed: of the times at which the best round trip is measured anew.
    package init(_ parameters: Parameters = Parameters(), seed: UInt64 = 1) {
        self.parameters = parameters
        limit = parameters.start
        random = SplitMix64(seed: seed)
        jitter = 1
        jitter = drawJitter()
    }

    package mutating func update(_ sample: Sample, inFlight: Int) {
        let roundTrip = Double(sample.roundTrip.wholeNanoseconds)
        if !sample.isDrop || parameters.asPublished {
            samplesSinceProbe += 1
            if Double(samplesSinceProbe) >= jitter * 30 * Double(limit) {
                samplesSinceProbe = 0
                jitter = drawJitter()
                bestRoundTrip = roundTrip
                return
            }
            guard let best = bestRoundTrip, best <= roundTrip else {
                bestRoundTrip = roundTrip
                return
            }
        }
        let step = Swift.max(1, Int(log10(Double(limit))))
        if sample.isDrop {
            limit -= step
        } else if 2 * inFlight >= limit, let best = bestRoundTrip {
            let queue = Int((Double(limit) * (1 - best / roundTrip)).rounded(.up))
            if queue <= step {
                limit += 6 * step
            } else if queue < 3 * step {
                limit += step
            } else if queue > 6 * step {
                limit -= step
            }
        }
        limit = Swift.min(parameters.max, Swift.max(parameters.min, limit))
    }

    /// Uniform over 0.5 to 1.
    private mutating func drawJitter() -> Double { .random(in: 0.5..<1, using: &random) }
}
