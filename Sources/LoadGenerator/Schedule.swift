package import Units

/// When batches start, whatever became of earlier ones: an open loop.
package struct Schedule: Sendable, Equatable {
    /// How batches come.
    package enum Arrival: Sendable, Equatable {
        /// Evenly spaced, the first at once.
        case constant(Rate)
        /// Ever faster (or slower): from one rate to another, in a straight line over the whole time.
        case ramp(from: Rate, to: Rate)
        /// So many at the same moment, again and again.
        case burst(batches: Int, every: Duration)
    }

    package var arrival: Arrival
    /// From when on batches are due.
    package var from: Duration
    /// Until when; nil as long as the load lasts.
    package var until: Duration?

    package init(_ arrival: Arrival, from: Duration = .zero, until: Duration? = nil) {
        self.arrival = arrival
        self.from = from
        self.until = until
    }

    package init(rate: Rate) {
        self.init(.constant(rate))
    }

    /// When each batch is due, in order, from the beginning of a load.
    /// - Parameter duration: how long the load lasts; nil is without end, which a ramp cannot be.
    package func starts(within duration: Duration?) -> AnySequence<Duration> {
        let end = [duration, until].compactMap { $0 }.min()
        let active = end.map { max(.zero, $0 - from) }
        let all = sequence(first: 0) { $0 + 1 }.lazy.map { from + start(of: $0, within: active) }
        guard let end else { return AnySequence(all) }
        return AnySequence(all.prefix { $0 < end })
    }

    /// How many batches start before `duration` is over.
    package func count(within duration: Duration) -> Int {
        starts(within: duration).reduce(0) { count, _ in count + 1 }
    }

    /// Batches a second while they are due, on average.
    package var meanRate: Rate {
        switch arrival {
        case .constant(let rate): rate
        case .ramp(let from, let to): Rate(perSecond: (from.perSecond + to.perSecond) / 2)
        case .burst(let batches, let period): Rate(perSecond: Double(batches) / period.inSeconds)
        }
    }

    /// Time from the first moment to the start of a batch; the first is number 0.
    private func start(of number: Int, within active: Duration?) -> Duration {
        switch arrival {
        case .constant(let rate):
            return .nanoseconds(Int64((Double(number) / rate.perSecond * 1e9).rounded()))
        case .burst(let batches, let period):
            return period * (number / batches)
        case .ramp(let from, let to):
            // After t seconds, from t + (to - from) t^2 / 2T batches were due.
            let total = active?.inSeconds ?? 0
            let slope = (to.perSecond - from.perSecond) / max(total, 1e-9)
            if abs(slope) < 1e-9 { return .nanoseconds(Int64(Double(number) / from.perSecond * 1e9)) }
            let discriminant = from.perSecond * from.perSecond + 2 * slope * Double(number)
            // A falling ramp never comes to this batch.
            guard discriminant >= 0 else { return .seconds(1 << 40) }
            return .nanoseconds(Int64((discriminant.squareRoot() - from.perSecond) / slope * 1e9))
        }
    }
}
