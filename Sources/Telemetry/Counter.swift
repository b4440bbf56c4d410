internal import Synchronization

/// A number of events, counted from several threads.
package final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    package init() {}

    /// Counts events, from any thread.
    package func add(_ amount: Int = 1) {
        // One instruction; `add` is a loop that ends in a trap when the number is full.
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    package var value: Int { count.load(ordering: .relaxed) }
}

/// Counters under a label, each made when it first counts. The labels must come from a bounded set.
package final class CounterFamily<Label: Hashable & Sendable>: Sendable {
    private let counts = Mutex<[Label: Int]>([:])

    package init() {}

    /// Counts events under a label, from any thread.
    package func add(_ amount: Int = 1, for label: Label) {
        counts.withLock { $0[label, default: 0] += amount }
    }

    package var values: [Label: Int] { counts.withLock { $0 } }

    /// The sum over all labels.
    package var total: Int { counts.withLock { $0.values.reduce(0, +) } }
}
