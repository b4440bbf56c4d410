internal import DequeModule

/// Those that wait, first come first served; any of them may leave. Each operation takes the same time however many wait.
struct WaitingLine<Waiter> {
    // Nil is one that has left.
    private var line = Deque<Waiter?>()
    /// Ticket of the first in ``line``.
    private var first = 0
    private(set) var count = 0

    /// - Returns: its ticket, by which it can leave.
    mutating func join(_ waiter: Waiter) -> Int {
        line.append(waiter)
        count += 1
        return first + line.count - 1
    }

    /// - Returns: whether it still waited.
    mutating func leave(_ ticket: Int) -> Bool {
        let index = ticket - first
        guard line.indices.contains(index), line[index] != nil else { return false }
        line[index] = nil
        count -= 1
        dropThoseGone()
        return true
    }

    /// The one that has waited longest.
    mutating func next() -> Waiter? {
        guard let waiter = line.popFirst() else { return nil }
        first += 1
        count -= 1
        dropThoseGone()
        return waiter
    }

    private mutating func dropThoseGone() {
        while let waiter = line.first, waiter == nil {
            line.removeFirst()
            first += 1
        }
    }
}
