/// How an exchange went that a permit was held for.
package struct Sample: Sendable, Equatable {
    /// From issue to answer, or to the failure.
    package var roundTrip: Duration
    /// Whether it failed: a timeout, a dial without a port, an error for an answer.
    package var isDrop: Bool
    /// Exchanges under the limit when this one began, itself among them, as the published limits count them.
    package var inFlight: Int

    package init(roundTrip: Duration, isDrop: Bool, inFlight: Int = 1) {
        self.roundTrip = roundTrip
        self.isDrop = isDrop
        self.inFlight = inFlight
    }
}
