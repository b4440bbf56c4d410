internal import Units

/// Compares the last round trip with an average over many, as Netflix's concurrency-limits does: the limit shrinks
/// while round trips are longer than they used to be, and grows by a small queue otherwise.
///
/// As published it never looks at drops: lookups that all time out after the same time have round trips as they used
/// to be, and the limit climbs to its maximum. Here a drop takes a tenth off the limit and its round trip is not
/// averaged; ``Parameters/asPublished`` shows what comes of it otherwise.
package struct Gradient2: LimitAlgorithm {
    /// What can be set, by the names of the setting's text.
    package struct Parameters: Sendable, Hashable, AdaptiveParameters {
        package var start = 20
        package var min = 20
        package var max = 200
        /// Whether drops count as round trips like any other, as in the published code.
        package var asPublished = false

        package init() {}
    }

    /// Samples the long average is taken over, and how many of them are averaged plainly at first.
    private static let window = 600.0
    private static let warmup = 10
    /// How much longer a round trip may be than the average before the limit shrinks.
    private static let tolerance = 1.5
    /// How much of a new estimate is taken over.
    private static let smoothing = 0.2
    /// Lookups that may queue.
    private static let queue = 4.0

    private let parameters: Parameters
    private var estimate: Double
    /// The long average, in nanoseconds.
    private var average = 0.0
    private var samples = 0

    package init(_ parameters: Parameters = Parameters()) {
        self.parameters = parameters
        estimate = Double(parameters.start)
    }

    package var limit: Int { Int(estimate) }

    package mutating func update(_ sample: Sample, inFlight: Int) {
        if sample.isDrop, !parameters.asPublished {
            estimate = Swift.max(Double(parameters.min), (estimate * 0.9).rounded(.down))
            return
        }
        let short = Swift.max(1, Double(sample.roundTrip.wholeNanoseconds))
        samples += 1
        if samples <= Self.warmup {
            average += (short - average) / Double(samples)
        } else {
            average += (short - average) * 2 / (Self.window + 1)
        }
        // After an overload the average comes down faster than its window would let it.
        if average / short > 2 { average *= 0.95 }
        // A limit that is not in use says nothing about a larger one.
        guard Double(inFlight) >= estimate / 2 else { return }
        let gradient = Swift.max(0.5, Swift.min(1, Self.tolerance * average / short))
        let next = estimate * (1 - Self.smoothing) + Self.smoothing * (gradient * estimate + Self.queue)
        estimate = Swift.min(Double(parameters.max), Swift.max(Double(parameters.min), next))
    }
}
