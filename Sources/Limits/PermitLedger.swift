internal import Units

/// Who holds permits, who waits for one, and who is next: the decisions of every limit, without a lock and without a
/// thread. Permits are free only while nobody waits.
///
/// A holder is one lane's part of one batch. It has a seat, and says how many permits it wants to hold in all, its
/// target; while it holds fewer it waits.
package struct PermitLedger: Sendable {
    /// Who goes first when several wait.
    package enum Order: Sendable {
        /// The batch that came first.
        case arrival
        /// The caller that holds fewest, and of its batches the first: max-min fair. A heavy caller has all that small
        /// ones leave, and no more.
        case fairness
    }

    /// Permits for a holder that waited.
    package struct Grant: Sendable {
        package let holder: any AnyObject & Sendable
        package var count: Int
    }

    private struct Seat {
        /// Nil while nobody has the seat.
        var holder: (any AnyObject & Sendable)?
        /// Number of its batch, in the order they came.
        var batch: UInt64
        var caller: Int
        var held = 0
        var target: Int
    }

    private struct Caller {
        var name: String
        var seats = 0
        var held = 0
        /// When it last had a permit, or came; only the order matters. Of callers that hold as many, the one that has
        /// gone without for longest is next.
        var served: UInt64 = 0
        /// Seats that wait, by the numbers of their batches.
        var waiting = SlotHeap()
    }

    /// Permits that may be out; may change, and be fewer than are out.
    package var capacity: Int
    package private(set) var out = 0
    private let order: Order
    private var seats: [Seat] = []
    private var vacantSeats: [Int] = []
    private var callers: [Caller] = []
    private var vacantCallers: [Int] = []
    private var callersByName: [String: Int] = [:]
    /// Callers with a seat that waits, by how many permits they hold.
    private var waiting = SlotHeap()
    private var batches: UInt64 = 0
    private var served: UInt64 = 0

    /// - Parameter capacity: 1 or more.
    package init(capacity: Int, order: Order) {
        precondition(capacity > 0, "a limit admits at least one")
        self.capacity = capacity
        self.order = order
    }

    /// Whether somebody waits.
    package var isWaitedFor: Bool { !waiting.isEmpty }

    /// Seats there have been at once at the most.
    var seatCount: Int { seats.count }

    /// Permits that a seat holds, those included that its holder has not heard of yet.
    package func held(_ seat: Int) -> Int { seats[seat].held }

    // MARK: Seats

    /// A batch arrives: its seats are numbered as one, behind all that came before.
    package mutating func beginBatch() { batches &+= 1 }

    /// A seat for a part of the batch that arrived last. Call ``grantNext(to:)`` after.
    /// - Parameter target: 0 or more.
    package mutating func enter(
        _ holder: any AnyObject & Sendable,
        of caller: String,
        target: Int
    ) -> Int {
        let caller = enterCaller(order == .arrival ? "" : caller)
        let new = Seat(holder: holder, batch: batches, caller: caller, target: target)
        let seat: Int
        if let vacant = vacantSeats.popLast() {
            seat = vacant
            seats[seat] = new
        } else {
            seat = seats.count
            seats.append(new)
        }
        enqueue(seat)
        return seat
    }

    private mutating func enterCaller(_ name: String) -> Int {
        let caller: Int
        if let known = callersByName[name] {
            caller = known
        } else {
            served &+= 1
            let new = Caller(name: name, served: served)
            if let vacant = vacantCallers.popLast() {
                caller = vacant
                callers[caller] = new
            } else {
                caller = callers.count
                callers.append(new)
            }
            callersByName[name] = caller
        }
        callers[caller].seats += 1
        return caller
    }

    /// The seat's holder wants to hold so many in all.
    package mutating func setTarget(_ target: Int, of seat: Int) {
        guard seats[seat].target != target else { return }
        seats[seat].target = target
        enqueue(seat)
    }

    /// Gives up a seat, and all permits it still holds.
    package mutating func leave(_ seat: Int) {
        release(seats[seat].held, of: seat, target: 0)
        let caller = seats[seat].caller
        seats[seat].holder = nil
        vacantSeats.append(seat)
        callers[caller].seats -= 1
        if callers[caller].seats == 0 {
            callersByName[callers[caller].name] = nil
            vacantCallers.append(caller)
        }
    }

    // MARK: Permits

    /// Gives permits back. Call ``grantNext(to:)`` after.
    /// - Parameter target: what the seat wants to hold from now on.
    package mutating func release(_ count: Int, of seat: Int, target: Int) {
        precondition(count <= seats[seat].held, "a permit was given back twice")
        seats[seat].target = target
        out -= count
        seats[seat].held -= count
        if count > 0 { serve(seats[seat].caller) }
        changeHeld(of: seats[seat].caller, by: -count)
        enqueue(seat)
    }

    /// Whether a seat may use a permit it holds for its next lookup: it would get it back at once if it gave it back.
    /// - Parameter target: what the seat wants to hold from now on, less than it holds if it wants none.
    package mutating func keep(_ seat: Int, target: Int) -> Bool {
        setTarget(target, of: seat)
        let held = seats[seat].held
        guard held > 0, held <= target, out <= capacity else { return false }
        guard let next = waiting.first else { return true }
        let caller = seats[seat].caller
        // Without the permit its caller would have to hold less than the caller that is next.
        if next.slot != caller, callers[caller].held > callers[next.slot].held { return false }
        guard let first = callers[caller].waiting.first else { return true }
        return seats[seat].batch <= first.key.major
    }

    /// Gives free permits to those that wait, until there are none or nobody waits.
    /// - Parameter grants: what was given is appended.
    package mutating func grantNext(to grants: inout [Grant]) {
        while out < capacity, let caller = waiting.first?.slot {
            let seat = callers[caller].waiting.first!.slot
            // One at a time, where the next may be another's.
            let count = order == .fairness ? 1 : min(capacity - out, seats[seat].target - seats[seat].held)
            give(count, to: seat)
            let holder = seats[seat].holder!
            if let last = grants.indices.last, grants[last].holder === holder {
                grants[last].count += count
            } else {
                grants.append(Grant(holder: holder, count: count))
            }
        }
    }

    private mutating func give(_ count: Int, to seat: Int) {
        out += count
        seats[seat].held += count
        serve(seats[seat].caller)
        changeHeld(of: seats[seat].caller, by: count)
        enqueue(seat)
    }

    private mutating func serve(_ caller: Int) {
        served &+= 1
        callers[caller].served = served
    }

    /// Changes what a caller holds, and with it where it stands.
    private mutating func changeHeld(of caller: Int, by count: Int) {
        callers[caller].held += count
        guard order == .fairness, waiting.contains(caller) else { return }
        waiting.set(caller, key(of: caller, held: callers[caller].held))
    }

    private func key(of caller: Int, held: Int) -> SlotHeap.Key {
        order == .arrival ? .init(0) : .init(UInt64(held), callers[caller].served)
    }

    /// Has a seat wait, or no longer, as what it holds and wants demands.
    private mutating func enqueue(_ seat: Int) {
        let caller = seats[seat].caller
        let isWaiting = seats[seat].held < seats[seat].target
        guard isWaiting != callers[caller].waiting.contains(seat) else { return }
        if isWaiting {
            callers[caller].waiting.set(seat, .init(seats[seat].batch, UInt64(seat)))
            if !waiting.contains(caller) { waiting.set(caller, key(of: caller, held: callers[caller].held)) }
        } else {
            callers[caller].waiting.remove(seat)
            if callers[caller].waiting.isEmpty { waiting.remove(caller) }
        }
    }
}
