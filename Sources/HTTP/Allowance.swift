internal import Synchronization

/// How much of something there is in a process, and how much there may be. Shared by all who take part of it.
package final class Allowance: Sendable {
    /// Nil for any amount.
    package let limit: Int?
    private let taken = Atomic<Int>(0)
    private let highest = Atomic<Int>(0)

    package init(limit: Int?) {
        self.limit = limit
    }

    /// What is taken now.
    package var value: Int { taken.load(ordering: .relaxed) }

    /// The most that was taken since this was last asked.
    package func takePeak() -> Int {
        max(highest.exchange(0, ordering: .relaxed), value)
    }

    /// Takes an amount if there is room for it.
    /// - Returns: whether there was; nothing is taken otherwise.
    package func take(_ amount: Int) -> Bool {
        let sum = taken.wrappingAdd(amount, ordering: .relaxed).newValue
        if let limit, sum > limit, amount > 0 {
            taken.wrappingSubtract(amount, ordering: .relaxed)
            return false
        }
        noteHighest(sum)
        return true
    }

    /// Takes what is there already, whether or not there is room for it.
    package func force(_ amount: Int) {
        noteHighest(taken.wrappingAdd(amount, ordering: .relaxed).newValue)
    }

    /// Returns what was taken, so that others can have it.
    package func giveBack(_ amount: Int) {
        taken.wrappingSubtract(amount, ordering: .relaxed)
    }

    private func noteHighest(_ sum: Int) {
        if sum > highest.load(ordering: .relaxed) { highest.max(sum, ordering: .relaxed) }
    }
}
