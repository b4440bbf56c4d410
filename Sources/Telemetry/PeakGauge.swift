internal import Synchronization

/// How many of something there are at this moment, and the most there were since ``takePeak()``.
package final class PeakGauge: Sendable {
    private let now = Atomic<Int>(0)
    private let highest = Atomic<Int>(0)

    package init() {}

    /// Raises the gauge, from any thread, and its peak with it.
    package func increment(by amount: Int = 1) {
        let value = now.wrappingAdd(amount, ordering: .relaxed).newValue
        if value > highest.load(ordering: .relaxed) { highest.max(value, ordering: .relaxed) }
    }

    /// - Parameter change: below zero to take away.
    package func add(_ change: Int) {
        if change > 0 { increment(by: change) } else { decrement(by: -change) }
    }

    /// Lowers the gauge, from any thread.
    package func decrement(by amount: Int = 1) {
        now.wrappingSubtract(amount, ordering: .relaxed)
    }

    package var value: Int { now.load(ordering: .relaxed) }

    package var peak: Int { highest.load(ordering: .relaxed) }

    /// The peak, which starts over from the present value.
    package func takePeak() -> Int {
        highest.exchange(now.load(ordering: .relaxed), ordering: .relaxed)
    }
}
