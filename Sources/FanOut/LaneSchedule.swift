internal import DequeModule
internal import POSIX
internal import Units

/// What a lane does next, as a value: which batch slices may issue, how much of each in one turn, and what becomes of
/// permits. Times and counts go in, actions come out; it knows no socket, no clock and no lock.
///
/// A slice that may issue stands in one of two queues. One that waits for a permit stands in none: its limit knows it,
/// and hands it the next that is its own. So what a reply costs does not depend on how many slices wait.
struct LaneSchedule {
    /// Requests issued for one batch before the lane looks for replies and at other batches.
    static let quantum = 64
    /// The same for all batches under a limit together: what is in flight is to come back, and with it its connections,
    /// before more is dialled for others.
    static let limitedQuantum = 16
    /// The same in time, for dials that fail slowly: a bind() that finds no port scans them all.
    static let quantumTime = Duration.milliseconds(2)

    /// What is to be done about a permit when its lookup is over.
    enum PermitUse: Equatable {
        /// There was none, or it stays with the slice.
        case nothing
        /// It stays with the slice, which now wants to hold `target` in all.
        case ask(target: Int)
        /// It is the limit's to say who has it next. The slice wants to hold `target` from now on, and so this one
        /// `again` or not.
        case offer(target: Int, again: Bool)
    }

    /// How a slice stands after what happened to it in a turn.
    struct Settlement: Equatable {
        /// Permits to be given back: the work they were for was done by another lane.
        var surplus = 0
        /// What it wants to hold from now on, where its limit does not know it yet.
        var target: Int?
        /// Whether nothing of it is left to do, and it is to be removed.
        var isOver = false
    }

    private struct Slice {
        var isLimited: Bool
        var keepsPermits: Bool
        /// Operations it could start now, as far as is known.
        var work: Int
        var inFlight = 0
        /// Permits it has for what it issues next.
        var permits: Int
        /// Permits it wants to hold in all, as its limit was told.
        var target: Int
        var isQueued = false
        var isTouched = false
        var isPresent = true

        var canIssue: Bool { work > 0 && (!isLimited || permits > 0) }
    }

    private struct Turn {
        /// Of those without a limit first, then of those under one: each have their time.
        var end: MonotonicInstant
        /// Slices without a limit that have not been looked at.
        var unlimitedLeft: Int
        /// Requests left for those under a limit, once it is their time.
        var limitedLeft: Int?
        /// The slice that issues, and how many requests it has left.
        var current: (slot: Int, left: Int)?
    }

    private var slices: [Slice] = []
    private var vacant: [Int] = []
    /// Slots of slices that may issue, the one that has been able to for longest first.
    private var unlimited = Deque<Int>()
    private var limited = Deque<Int>()
    /// The slice that has just been given a permit: the connection that was put back with it is the next one to be taken.
    private var favoured: Int?
    private var touched: [Int] = []
    private var turn = Turn(end: MonotonicInstant(nanoseconds: 0), unlimitedLeft: 0)
    /// When batches that wait for their first permit are refused, by slot.
    private var refusals = SlotHeap()

    private(set) var count = 0

    // MARK: Slices

    /// Takes a slice in.
    /// - Parameters:
    ///   - work: operations it could start.
    ///   - permits: what its limit has given it; nil where it needs none.
    ///   - target: permits it wants to hold in all.
    ///   - keepsPermits: whether permits stay with it while there is work: nobody else is to have them, nor to learn from it.
    ///   - refusedAt: when it has waited for its first permit for too long.
    /// - Returns: its slot, until it is removed.
    mutating func add(
        work: Int,
        permits: Int?,
        target: Int = 0,
        keepsPermits: Bool = false,
        refusedAt: MonotonicInstant? = nil
    ) -> Int {
        let new = Slice(
            isLimited: permits != nil,
            keepsPermits: keepsPermits,
            work: work,
            permits: permits ?? 0,
            target: target
        )
        let slot: Int
        if let free = vacant.popLast() {
            slot = free
            slices[slot] = new
        } else {
            slot = slices.count
            slices.append(new)
        }
        count += 1
        if let refusedAt { refusals.set(slot, .init(refusedAt.nanoseconds)) }
        touch(slot)
        enqueue(slot)
        return slot
    }

    /// A slice is over.
    mutating func remove(_ slot: Int) {
        precondition(slices[slot].inFlight == 0, "a slice ends with its last operation")
        count -= 1
        refusals.remove(slot)
        slices[slot].isPresent = false
        slices[slot].permits = 0
        slices[slot].work = 0
        if favoured == slot { favoured = nil }
        if !slices[slot].isQueued { vacant.append(slot) }
    }

    /// The limit hands a slice permits it has waited for.
    mutating func grant(_ permits: Int, to slot: Int) {
        slices[slot].permits += permits
        touch(slot)
        favour(slot)
    }

    // MARK: A turn

    /// Whether a slice could issue now.
    var isRunnable: Bool { favoured != nil || !unlimited.isEmpty || !limited.isEmpty }

    mutating func beginTurn(at now: MonotonicInstant) {
        if let slot = favoured { enqueue(slot) }
        favoured = nil
        turn = Turn(end: now + Self.quantumTime, unlimitedLeft: unlimited.count)
    }

    /// The slice that issues next in this turn, which then holds a permit for it; nil when the turn is over. Call
    /// ``started(_:_:work:)`` after.
    mutating func next(at now: MonotonicInstant) -> Int? {
        while true {
            if let (slot, left) = turn.current {
                if left > 0, now < turn.end, slices[slot].canIssue {
                    turn.current = (slot, left - 1)
                    turn.limitedLeft? -= 1
                    reserve(slot)
                    return slot
                }
                turn.current = nil
                // Those under a limit go on where they are, the others in turn.
                enqueue(slot, atFront: slices[slot].isLimited)
            }
            if turn.limitedLeft == nil {
                if turn.unlimitedLeft > 0, now < turn.end, let slot = dequeue(isLimited: false) {
                    turn.unlimitedLeft -= 1
                    turn.current = (slot, Self.quantum)
                    continue
                }
                turn.limitedLeft = Self.limitedQuantum
                turn.end = now + Self.quantumTime
            }
            guard let left = turn.limitedLeft, left > 0, now < turn.end, let slot = dequeue(isLimited: true) else {
                return nil
            }
            turn.current = (slot, left)
        }
    }

    /// The slice that issues one request because a reply has come: the one that was given the permit, if any was; it
    /// then holds a permit for it. Call ``started(_:_:work:)`` after.
    mutating func nextAfterReply() -> Int? {
        let slot = favoured ?? dequeue(isLimited: true)
        favoured = nil
        guard let slot, slices[slot].canIssue else { return nil }
        reserve(slot)
        return slot
    }

    /// What became of a slice that was to issue.
    /// - Parameters:
    ///   - isStarted: false when another lane had taken the last of its work.
    ///   - work: operations it could start now.
    mutating func started(_ slot: Int, _ isStarted: Bool, work: Int) {
        if isStarted {
            refusals.remove(slot)
        } else {
            slices[slot].inFlight -= 1
            if slices[slot].isLimited { slices[slot].permits += 1 }
        }
        slices[slot].work = isStarted ? work : 0
        touch(slot)
        if turn.current?.slot != slot { enqueue(slot, atFront: true) }
    }

    /// An operation of a slice is over.
    /// - Parameters:
    ///   - work: operations it could start now.
    ///   - cap: permits that it may hold.
    mutating func ended(_ slot: Int, work: Int, cap: Int) -> PermitUse {
        slices[slot].inFlight -= 1
        slices[slot].work = work
        touch(slot)
        guard slices[slot].isLimited else {
            favour(slot)
            return .nothing
        }
        let target = min(cap, slices[slot].inFlight + work)
        if slices[slot].keepsPermits, work > slices[slot].permits {
            slices[slot].permits += 1
            favour(slot)
            guard target > slices[slot].target else { return .nothing }
            slices[slot].target = target
            return .ask(target: target)
        }
        slices[slot].target = target
        return .offer(target: target, again: slices[slot].inFlight + slices[slot].permits < target)
    }

    // MARK: Between turns

    /// A slice is to be looked at once more before the lane waits.
    mutating func touch(_ slot: Int) {
        guard !slices[slot].isTouched else { return }
        slices[slot].isTouched = true
        touched.append(slot)
    }

    /// A slice that something happened to since it was last taken from here.
    mutating func takeTouched() -> Int? {
        while let slot = touched.popLast() {
            slices[slot].isTouched = false
            if slices[slot].isPresent { return slot }
        }
        return nil
    }

    /// Whether nothing of a slice is under way, nor left to do as far as is known.
    func isOver(_ slot: Int) -> Bool { slices[slot].inFlight == 0 && slices[slot].work == 0 }

    /// - Parameters:
    ///   - work: operations it could start now.
    ///   - cap: permits that it may hold.
    mutating func settle(_ slot: Int, work: Int, cap: Int) -> Settlement {
        slices[slot].work = work
        if isOver(slot) { return Settlement(isOver: true) }
        var settlement = Settlement()
        // One that had permits and no work left its queue, and may have got work since: a miss that is to be written back.
        defer { if favoured != slot { enqueue(slot) } }
        guard slices[slot].isLimited else { return settlement }
        if slices[slot].permits > work {
            settlement.surplus = slices[slot].permits - work
            slices[slot].permits = work
        }
        let target = min(cap, slices[slot].inFlight + work)
        if settlement.surplus > 0 || target < slices[slot].target {
            slices[slot].target = target
            settlement.target = target
        }
        return settlement
    }

    // MARK: Refusals

    /// When the next batch has waited for too long.
    var nextRefusal: MonotonicInstant? { refusals.first.map { MonotonicInstant(nanoseconds: $0.key.major) } }

    /// Takes a slice that has waited for its first permit for too long.
    mutating func takeRefusal(at now: MonotonicInstant) -> Int? {
        guard let first = refusals.first, first.key.major <= now.nanoseconds else { return nil }
        refusals.remove(first.slot)
        return first.slot
    }

    // MARK: Queues

    private mutating func reserve(_ slot: Int) {
        slices[slot].inFlight += 1
        if slices[slot].isLimited { slices[slot].permits -= 1 }
    }

    private mutating func favour(_ slot: Int) {
        guard slices[slot].canIssue, favoured != slot else { return }
        if let before = favoured { enqueue(before) }
        favoured = slot
    }

    private mutating func enqueue(_ slot: Int, atFront: Bool = false) {
        guard slices[slot].canIssue, !slices[slot].isQueued else { return }
        slices[slot].isQueued = true
        switch (slices[slot].isLimited, atFront) {
        case (true, true): limited.prepend(slot)
        case (true, false): limited.append(slot)
        case (false, true): unlimited.prepend(slot)
        case (false, false): unlimited.append(slot)
        }
    }

    private mutating func dequeue(isLimited: Bool) -> Int? {
        while let slot = isLimited ? limited.popFirst() : unlimited.popFirst() {
            slices[slot].isQueued = false
            if slices[slot].isPresent { return slot }
            vacant.append(slot)
        }
        return nil
    }
}
