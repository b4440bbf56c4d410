/// How an exchange went that a permit was held for.
package struct Sample: Sendable, Equatable {
    /// From issue to answer, or to the failure.
    package var roundTrip: Duration
    /// Whether it failed: a timeout, a dial without a port, an error for an answer.
    package var isDrop: Bool

    package init(roundTrip: Duration, isDrop: Bool) {
        self.roundTrip = roundTrip
        self.isDrop = isDrop
    }
}

/// Admits lookups. All calls are made from several lanes at once and never wait.
package protocol Limiter: AnyObject, Sendable {
    /// Takes a permit if one is free.
    func tryAcquire() -> Bool
    /// Gives a permit back.
    /// - Parameter sample: how it went; nil when nothing was exchanged.
    func release(_ sample: Sample?)
    /// All that permits were wanted for is issued.
    func withdraw()
    /// The most permits out at once; nil when there is no bound.
    var bound: Int? { get }
    /// Whether it learns from samples.
    var wantsSamples: Bool { get }
    /// Whether somebody else may have to take what one gives back.
    var isOrdered: Bool { get }
}

extension Limiter {
    package func withdraw() {}
    package var wantsSamples: Bool { false }
    package var isOrdered: Bool { false }
}
