internal import HeapModule
internal import POSIX

/// When operations must be looked at again, soonest first. An entry outlives an operation that
/// ends early; its token no longer matches then, and the lane passes it over.
struct DeadlineQueue {
    private struct Entry: Comparable {
        var instant: MonotonicInstant
        var token: UInt64

        static func < (left: Entry, right: Entry) -> Bool { left.instant < right.instant }
    }

    private var heap = Heap<Entry>()

    mutating func add(_ token: UInt64, at instant: MonotonicInstant) {
        heap.insert(Entry(instant: instant, token: token))
    }

    var next: MonotonicInstant? { heap.min?.instant }

    /// Takes the token of the soonest entry that is due.
    mutating func takeDue(at now: MonotonicInstant) -> UInt64? {
        guard let first = heap.min, first.instant <= now else { return nil }
        return heap.removeMin().token
    }
}
