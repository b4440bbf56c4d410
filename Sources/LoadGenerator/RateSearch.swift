internal import Units

/// Looks for the highest rate that is still sustained, out of what is seen at the rates it asks for: by doubling as long as all
/// is well, then by halving what is left between good and bad.
package struct RateSearch: Sendable, Equatable {
    /// How near the highest good rate and the lowest bad one come: 5%.
    private static let precision = 1.05
    private static let factors = 1.0 / 1024...1024 * 1024

    /// What a load at one rate has shown.
    package enum Finding: Sendable, Equatable {
        case holds, fails
        /// The load was not what was asked for, as the generator ran out of something: of the server it says nothing.
        case invalid(because: String)
    }

    /// The highest factor at which all was well, and the lowest at which it was not; nil where there is none.
    package private(set) var good: Double?
    package private(set) var bad: Double?
    /// Why nothing is known of the server at ``bad``; nil where it was seen to fail.
    package private(set) var invalidBecause: String?

    package init() {}

    /// The factor of the asked rates to try next; nil when it is known.
    package var next: Double? {
        switch (good, bad) {
        case (nil, nil): 1
        case (let good?, nil): good * 2 <= Self.factors.upperBound ? good * 2 : nil
        case (nil, let bad?): bad / 2 >= Self.factors.lowerBound ? bad / 2 : nil
        case (let good?, let bad?): bad / good > Self.precision ? (good * bad).squareRoot() : nil
        }
    }

    /// Takes into account what the load, times this factor, came to.
    package mutating func record(_ factor: Double, _ finding: Finding) {
        switch finding {
        case .holds: good = max(good ?? factor, factor)
        case .fails, .invalid:
            guard factor <= bad ?? factor else { return }
            bad = factor
            invalidBecause = if case .invalid(let reason) = finding { reason } else { nil }
        }
    }
}

extension Schedule {
    /// The same schedule, so many times as fast; nil where no machine sends that, or nothing is to be scaled.
    package func scaled(by factor: Double) -> Schedule? {
        func rate(_ rate: Rate) -> Rate { Rate(perSecond: rate.perSecond * factor) }
        var scaled = self
        switch arrival {
        case .constant(let constant): scaled.arrival = .constant(rate(constant))
        case .poisson(let mean): scaled.arrival = .poisson(rate(mean))
        case .ramp(let from, let to): scaled.arrival = .ramp(from: from * factor, to: to * factor)
        case .burst(let batches, let period):
            scaled.arrival = .burst(batches: max(1, Int((Double(batches) * factor).rounded())), every: period)
        case .steps(let steps): scaled.arrival = .steps(steps.map { .init(rate: rate($0.rate), length: $0.length) })
        case .closed, .recorded: return nil
        }
        guard let mean = scaled.meanRate?.perSecond, mean <= ClientSpec.rates.upperBound else { return nil }
        return scaled
    }
}
