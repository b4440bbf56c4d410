package import Units

/// When batches start, whatever became of earlier ones: an open loop. Evenly spaced, the first at once.
package struct Schedule: Sendable {
    package var rate: Rate

    package init(rate: Rate) {
        self.rate = rate
    }

    /// Time from the beginning to the start of a batch; the first is number 0.
    package func start(of number: Int) -> Duration {
        .nanoseconds(Int64((Double(number) / rate.perSecond * 1e9).rounded()))
    }

    /// How many batches start before `duration` is over.
    package func count(within duration: Duration) -> Int {
        max(0, Int((duration.inSeconds * rate.perSecond - 1e-9).rounded(.up)))
    }
}
