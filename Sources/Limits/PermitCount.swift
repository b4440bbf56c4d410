internal import Synchronization

/// Admits up to a fixed number at once: one for each batch is limit `request:N`.
package final class PermitCount: Limiter {
    private let permits: Int
    private let free: Atomic<Int>

    /// - Parameter permits: 1 or more.
    package init(permits: Int) {
        precondition(permits > 0, "a limit admits at least one")
        self.permits = permits
        free = Atomic(permits)
    }

    package var bound: Int? { permits }

    package func tryAcquire() -> Bool {
        // Not before what the caller stored last: it says there that it waits, and then looks once more.
        var seen = free.load(ordering: .sequentiallyConsistent)
        while seen > 0 {
            let (exchanged, original) = free.weakCompareExchange(
                expected: seen,
                desired: seen - 1,
                ordering: .acquiringAndReleasing
            )
            if exchanged { return true }
            seen = original
        }
        return false
    }

    package func release(_ sample: Sample? = nil) {
        let before = free.add(1, ordering: .sequentiallyConsistent).oldValue
        precondition(before < permits, "a permit was given back twice")
    }
}
