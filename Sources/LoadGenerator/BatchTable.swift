internal import POSIX

/// The batches that are prepared, waiting or in flight. Those that are due stand in a list by when they were, oldest
/// first: as all have the same timeout, the first is the next whose time is over.
struct BatchTable {
    struct Batch {
        var client: Int
        var selection: Selection
        /// Head and body as they are sent; nil while they are being made.
        var request: [UInt8]?
        /// Bytes its request has, of a large one that is being made or was; 0 of others.
        var heldBytes = 0
        var due = MonotonicInstant(nanoseconds: 0)
        /// When its first byte went out; nil before.
        var sent: MonotonicInstant?
        var recorder: Recorder
        var isDue = false
        /// Whether it was sent once more on a new connection.
        var isRedialled = false
        /// Connects to other addresses of the host that failed before.
        var failedConnects = 0
        /// The connection it is in flight on; nil while it waits for one.
        var connection: Connection?
    }

    /// Names a batch, and no other once that has ended.
    struct ID: Hashable, Sendable {
        fileprivate var slot: Int32
        fileprivate var generation: UInt32
    }

    private struct Slot {
        var batch: Batch?
        var generation: UInt32 = 0
        var previous: Int32 = -1
        var next: Int32 = -1
    }

    private var slots: [Slot] = []
    private var free: [Int32] = []
    private var first: Int32 = -1
    private var last: Int32 = -1
    /// Batches that are due and have not ended.
    private(set) var dueCount = 0

    /// Takes a batch in that is not due yet.
    mutating func add(_ batch: Batch) -> ID {
        if let slot = free.popLast() {
            slots[Int(slot)].batch = batch
            return ID(slot: slot, generation: slots[Int(slot)].generation)
        }
        slots.append(Slot(batch: batch))
        return ID(slot: Int32(slots.count - 1), generation: 0)
    }

    /// A batch that has not ended.
    subscript(id: ID) -> Batch {
        _read { yield slots[Int(id.slot)].batch! }
        _modify { yield &slots[Int(id.slot)].batch! }
    }

    func contains(_ id: ID) -> Bool {
        slots[Int(id.slot)].generation == id.generation && slots[Int(id.slot)].batch != nil
    }

    /// A batch becomes due. No other was due later.
    mutating func becomeDue(_ id: ID, at due: MonotonicInstant) {
        self[id].due = due
        self[id].isDue = true
        slots[Int(id.slot)].previous = last
        slots[Int(id.slot)].next = -1
        if last >= 0 { slots[Int(last)].next = id.slot } else { first = id.slot }
        last = id.slot
        dueCount += 1
    }

    /// The batch that has been due for longest.
    var oldest: ID? {
        first < 0 ? nil : ID(slot: first, generation: slots[Int(first)].generation)
    }

    /// A batch has ended.
    mutating func remove(_ id: ID) -> Batch {
        let slot = slots[Int(id.slot)]
        let batch = slot.batch!
        if batch.isDue {
            if slot.previous >= 0 { slots[Int(slot.previous)].next = slot.next } else { first = slot.next }
            if slot.next >= 0 { slots[Int(slot.next)].previous = slot.previous } else { last = slot.previous }
            dueCount -= 1
        }
        slots[Int(id.slot)] = Slot(generation: slot.generation &+ 1)
        free.append(id.slot)
        return batch
    }
}
