internal import Glibc
package import Units

/// When batches are due, whatever became of earlier ones: an open loop, unless it is a closed one.
package struct Schedule: Sendable, Equatable {
    /// How batches come.
    package enum Arrival: Sendable, Equatable {
        /// Evenly spaced.
        case constant(Rate)
        /// At random and independently of each other, as the requests of many users come: exponential gaps.
        case poisson(Rate)
        /// Ever faster (or slower): from one rate to another, in a straight line over the whole time. Per second; one of
        /// them may be 0.
        case ramp(from: Double, to: Double)
        /// So many at the same moment, again and again.
        case burst(batches: Int, every: Duration)
        /// One rate after the other, each for a while, and then no more.
        case steps([Step])
        /// So many in flight at all times: the next is due when one has ended.
        case closed(Int)
        /// As they were before: a ``Trace`` says when.
        case recorded(batches: Int)
    }

    /// A rate and how long it lasts.
    package struct Step: Sendable, Equatable {
        package var rate: Rate
        package var length: Duration
    }

    package var arrival: Arrival
    /// From when on batches are due.
    package var from: Duration
    /// Until when; nil as long as the load lasts.
    package var until: Duration?
    /// Time from ``from`` to the first batch. Nil leaves it to ``phased(by:within:)``; without that it is 0.
    package var phase: Duration?
    /// How far between two batches the first one is due, from 0 to below 1.
    private(set) var offset = 0.0

    package init(_ arrival: Arrival, from: Duration = .zero, until: Duration? = nil) {
        self.arrival = arrival
        self.from = from
        self.until = until
    }

    package init(rate: Rate) {
        self.init(.constant(rate))
    }

    /// The same schedule, beginning somewhere between its first batch and its second, so that clients of one rate do not
    /// send in the same moment. As many batches are due as without it. A phase that was asked for stays.
    /// - Parameter share: from 0 to below 1.
    package func phased(by share: Double, within duration: Duration?) -> Schedule {
        guard phase == nil else { return self }
        var phased = self
        switch arrival {
        case .constant, .ramp, .steps:
            guard let active = active(within: duration) else {
                phased.offset = share
                return phased
            }
            let due = expected(within: active)
            let last = Double(max(0, evenCount(within: active) - 1))
            // The last batch still has to be due before the end.
            phased.offset = share * min(1, max(0, due - last)) * 0.999
        case .poisson, .burst, .closed, .recorded: break
        }
        return phased
    }

    /// When each batch is due, in order, from the beginning of a load; nothing for a closed loop, in which answers say.
    /// - Parameters:
    ///   - duration: how long the load lasts; nil is without end, which a ramp cannot be.
    ///   - seed: chooses the gaps of ``Arrival/poisson(_:)``.
    package func starts(within duration: Duration?, seed: UInt64 = 0) -> Starts {
        Starts(self, within: duration, seed: seed)
    }

    /// How many batches are due before `duration` is over; nil where that is only known afterwards.
    package func count(within duration: Duration) -> Int? {
        switch arrival {
        case .poisson, .closed: nil
        case .recorded(let batches): batches
        case .burst(let batches, let period):
            active(within: duration).map {
                $0 <= .zero ? 0 : batches * Int(($0.inSeconds / period.inSeconds).rounded(.up))
            }
        case .constant, .ramp, .steps: active(within: duration).map { evenCount(within: $0) }
        }
    }

    /// Batches a second while they are due, on average; nil for a closed loop.
    package var meanRate: Rate? {
        switch arrival {
        case .constant(let rate), .poisson(let rate): rate
        case .ramp(let from, let to): Rate(perSecond: (from + to) / 2)
        case .burst(let batches, let period): Rate(perSecond: Double(batches) / period.inSeconds)
        case .steps(let steps):
            Rate(
                perSecond: steps.reduce(0) { $0 + $1.rate.perSecond * $1.length.inSeconds }
                    / steps.reduce(0) { $0 + $1.length.inSeconds }
            )
        case .closed, .recorded: nil
        }
    }

    /// The time in which batches are due, from the first moment; nil without end.
    func active(within duration: Duration?) -> Duration? {
        [duration, until].compactMap { $0 }.min().map { max(.zero, $0 - from - (phase ?? .zero)) }
    }

    // MARK: Evenly spaced arrivals

    /// Batches due in that time: the rate's integral.
    private func expected(within active: Duration) -> Double {
        let seconds = active.inSeconds
        switch arrival {
        case .constant(let rate), .poisson(let rate): return rate.perSecond * seconds
        case .ramp(let from, let to): return (from + to) / 2 * seconds
        case .steps(let steps):
            var left = seconds
            return steps.reduce(0) { sum, step in
                defer { left = max(0, left - step.length.inSeconds) }
                return sum + step.rate.perSecond * min(left, step.length.inSeconds)
            }
        case .burst, .closed, .recorded: return 0
        }
    }

    /// The integral rounded up, as the first batch is due at its beginning, but for what rounding to nanoseconds makes of
    /// the last one.
    private func evenCount(within active: Duration) -> Int {
        guard active > .zero else { return 0 }
        var count = Int(expected(within: active).rounded(.up))
        while count > 0, start(of: count - 1, within: active).map({ $0 >= active }) ?? true { count -= 1 }
        return count
    }

    /// Time from the first moment to the start of a batch, the first being number 0; nil when it never comes.
    func start(of number: Int, within active: Duration?) -> Duration? {
        let position = Double(number) + offset
        let seconds: Double
        switch arrival {
        case .constant(let rate): seconds = position / rate.perSecond
        case .burst(let batches, let period): return period * (number / batches)
        case .ramp(let from, let to):
            // After t seconds, from t + (to - from) t^2 / 2T batches were due. Solved so that equal rates are no special case.
            let slope = (to - from) / max(active?.inSeconds ?? 0, 1e-9)
            let discriminant = from * from + 2 * slope * position
            guard discriminant >= 0 else { return nil }
            seconds = position == 0 ? 0 : 2 * position / (from + discriminant.squareRoot())
        case .steps(let steps):
            var (left, begin) = (position, 0.0)
            for step in steps {
                let batches = step.rate.perSecond * step.length.inSeconds
                if left < batches { return Self.nanoseconds(begin + left / step.rate.perSecond) }
                left -= batches
                begin += step.length.inSeconds
            }
            return nil
        case .poisson, .closed, .recorded: return nil
        }
        return Self.nanoseconds(seconds)
    }

    /// Nil beyond what a clock can count: 292 years.
    fileprivate static func nanoseconds(_ seconds: Double) -> Duration? {
        seconds < 9e9 ? .nanoseconds(Int64((seconds * 1e9).rounded())) : nil
    }
}

/// When the batches of a schedule are due, one after the other.
package struct Starts: Sequence, IteratorProtocol, Sendable {
    let schedule: Schedule
    let begin: Duration
    let active: Duration?
    private(set) var number = 0
    private var last = 0.0
    private var generator: SplitMix64

    init(_ schedule: Schedule, within duration: Duration?, seed: UInt64) {
        self.schedule = schedule
        begin = schedule.from + (schedule.phase ?? .zero)
        active = schedule.active(within: duration)
        generator = SplitMix64(seed: seed)
    }

    package mutating func next() -> Duration? {
        let start: Duration?
        if case .poisson(let rate) = schedule.arrival {
            // Of 53 bits, and never 0, whose logarithm is none.
            let random = Double((generator.next() >> 11) + 1) / 0x1p53
            last -= log(random) / rate.perSecond
            start = Schedule.nanoseconds(last)
        } else {
            start = schedule.start(of: number, within: active)
            number += 1
        }
        guard let start, active.map({ start < $0 }) ?? true else { return nil }
        return begin + start
    }
}
