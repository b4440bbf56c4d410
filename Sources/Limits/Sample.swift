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
