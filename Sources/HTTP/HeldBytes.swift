internal import Synchronization

/// Bytes of requests and answers that a process holds, bounded. Shared by whoever holds some.
package final class HeldBytes: Sendable {
    /// Bytes; nil for any number.
    package let limit: Int?
    private let held = Atomic<Int>(0)
    private let highest = Atomic<Int>(0)

    package init(limit: Int?) {
        self.limit = limit
    }

    package var value: Int { held.load(ordering: .relaxed) }

    /// The most since this was last asked.
    package func takePeak() -> Int {
        max(highest.exchange(0, ordering: .relaxed), value)
    }

    /// Counts bytes if there is room for them.
    /// - Returns: whether there was; nothing is counted otherwise.
    package func reserve(_ bytes: Int) -> Bool {
        let sum = held.wrappingAdd(bytes, ordering: .relaxed).newValue
        if let limit, sum > limit, bytes > 0 {
            held.wrappingSubtract(bytes, ordering: .relaxed)
            return false
        }
        noteHighest(sum)
        return true
    }

    /// Counts bytes that are there whether or not there is room for them.
    package func add(_ bytes: Int) {
        noteHighest(held.wrappingAdd(bytes, ordering: .relaxed).newValue)
    }

    package func release(_ bytes: Int) {
        held.wrappingSubtract(bytes, ordering: .relaxed)
    }

    private func noteHighest(_ sum: Int) {
        if sum > highest.load(ordering: .relaxed) { highest.max(sum, ordering: .relaxed) }
    }
}
