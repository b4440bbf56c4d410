internal import POSIX
internal import Units

/// When operations must be looked at again, by their slots: at most one deadline each, which ends with the operation.
struct DeadlineQueue {
    private var deadlines = SlotHeap()

    var count: Int { deadlines.count }

    /// The soonest.
    var next: MonotonicInstant? { deadlines.first.map { MonotonicInstant(nanoseconds: $0.key.major) } }

    /// Sets the deadline of a slot's operation, in place of the one it had.
    mutating func set(_ slot: Int, at instant: MonotonicInstant) {
        deadlines.set(slot, .init(instant.nanoseconds))
    }

    mutating func remove(_ slot: Int) {
        deadlines.remove(slot)
    }

    /// Takes the slot whose deadline is the soonest, if it is over.
    mutating func takeDue(at now: MonotonicInstant) -> Int? {
        guard let first = deadlines.first, first.key.major <= now.nanoseconds else { return nil }
        deadlines.remove(first.slot)
        return first.slot
    }
}
