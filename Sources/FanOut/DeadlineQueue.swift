internal import DequeModule
internal import HeapModule
internal import POSIX

/// When operations must be looked at again, soonest first. An entry outlives an operation that
/// ends early; its token no longer matches then, and the lane passes it over.
struct DeadlineQueue {
    private struct Entry: Comparable {
        var instant: MonotonicInstant
        var token: Operation.Token

        static func < (left: Entry, right: Entry) -> Bool { left.instant < right.instant }
        static func == (left: Entry, right: Entry) -> Bool { left.instant == right.instant }
    }

    // Nearly all deadlines are one timeout from now, and so come in order; a heap takes the others.
    private var inOrder = Deque<Entry>()
    private var others = Heap<Entry>()

    mutating func add(_ token: Operation.Token, at instant: MonotonicInstant) {
        let entry = Entry(instant: instant, token: token)
        if let last = inOrder.last, entry < last {
            others.insert(entry)
        } else {
            inOrder.append(entry)
        }
    }

    var next: MonotonicInstant? {
        switch (inOrder.first, others.min) {
        case (let first?, let second?): min(first, second).instant
        case (let only?, nil), (nil, let only?): only.instant
        case (nil, nil): nil
        }
    }

    /// Takes the token of the soonest entry that is due.
    mutating func takeDue(at now: MonotonicInstant) -> Operation.Token? {
        if let first = inOrder.first, first.instant <= now {
            inOrder.removeFirst()
            return first.token
        }
        guard let first = others.min, first.instant <= now else { return nil }
        others.removeMin()
        return first.token
    }
}
