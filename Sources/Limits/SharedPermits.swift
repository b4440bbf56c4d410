internal import Synchronization

/// At most so many lookups at once in the whole process, given out in an order: limits `process:N` and `fair:N`.
package final class SharedPermits: Sendable {
    /// Who goes first when several batches want a permit.
    package enum Order: Sendable {
        /// The one that came first.
        case arrival
        /// The caller that holds fewest: max-min fair. A heavy caller has all that small ones leave, and no more.
        case fairness
    }

    private struct Caller {
        var held = 0
        /// Batches of it that have lookups to issue.
        var wanting = 0
        /// Batches of it.
        var batches = 0
    }

    private struct State {
        var free: Int
        var callers: [Caller] = []
        /// Where each caller stands in ``callers``, and places that are free again.
        var places: [String: Int] = [:]
        var vacant: [Int] = []
        var batchesEver = 0
        /// Numbers of the batches that have lookups to issue, in order.
        var wanting: [Int] = []
    }

    package let permits: Int
    private let order: Order
    private let state: Mutex<State>

    /// - Parameter permits: 1 or more.
    package init(permits: Int, order: Order) {
        precondition(permits > 0, "a limit admits at least one")
        self.permits = permits
        self.order = order
        state = Mutex(State(free: permits))
    }

    /// A batch's access to the permits, from its arrival on.
    package func share(of caller: String) -> any Limiter {
        let (batch, place) = state.withLock { state in
            let place = state.places[caller] ?? state.vacant.popLast() ?? state.callers.count
            if place == state.callers.count { state.callers.append(Caller()) }
            state.places[caller] = place
            state.callers[place].batches += 1
            state.batchesEver += 1
            return (state.batchesEver, place)
        }
        let share = PermitShare(self, batch: batch, caller: caller, place: place)
        state.withLock { want(&$0, share) }
        return share
    }

    fileprivate func tryAcquire(_ share: PermitShare) -> Bool {
        state.withLock { state in
            if !share.isWanting { want(&state, share) }
            guard state.free > 0, !mustGiveWay(share, state) else { return false }
            state.free -= 1
            state.callers[share.place].held += 1
            return true
        }
    }

    private func mustGiveWay(_ share: PermitShare, _ state: borrowing State) -> Bool {
        switch order {
        case .arrival:
            return state.wanting[0] < share.batch
        case .fairness:
            let own = state.callers[share.place].held
            for place in state.callers.indices where place != share.place {
                if state.callers[place].wanting > 0, state.callers[place].held < own { return true }
            }
            return false
        }
    }

    fileprivate func release(_ share: PermitShare) {
        state.withLock { state in
            state.free += 1
            precondition(state.free <= permits, "a permit was given back twice")
            state.callers[share.place].held -= 1
        }
    }

    private func want(_ state: inout State, _ share: PermitShare) {
        share.isWanting = true
        state.callers[share.place].wanting += 1
        if order == .arrival { state.wanting.insert(share.batch, at: Self.index(of: share.batch, in: state.wanting)) }
    }

    fileprivate func withdraw(_ share: PermitShare) {
        state.withLock { withdraw(&$0, share) }
    }

    private func withdraw(_ state: inout State, _ share: PermitShare) {
        guard share.isWanting else { return }
        share.isWanting = false
        state.callers[share.place].wanting -= 1
        if order == .arrival { state.wanting.remove(at: Self.index(of: share.batch, in: state.wanting)) }
    }

    /// The batch is over.
    fileprivate func leave(_ share: PermitShare) {
        state.withLock { state in
            withdraw(&state, share)
            state.callers[share.place].batches -= 1
            if state.callers[share.place].batches == 0 {
                state.places[share.caller] = nil
                state.vacant.append(share.place)
            }
        }
    }

    /// Where a number stands, or would, in numbers that are in order.
    private static func index(of number: Int, in numbers: [Int]) -> Int {
        var (low, high) = (0, numbers.count)
        while low < high {
            let middle = (low + high) / 2
            if numbers[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Unchecked: `isWanting` is read and written under the lock of ``SharedPermits`` only.
private final class PermitShare: Limiter, @unchecked Sendable {
    private let permits: SharedPermits
    let batch: Int
    let caller: String
    let place: Int
    var isWanting = false

    init(_ permits: SharedPermits, batch: Int, caller: String, place: Int) {
        self.permits = permits
        self.batch = batch
        self.caller = caller
        self.place = place
    }

    deinit {
        permits.leave(self)
    }

    func tryAcquire() -> Bool { permits.tryAcquire(self) }
    func release(_ sample: Sample?) { permits.release(self) }
    func withdraw() { permits.withdraw(self) }
    var bound: Int? { permits.permits }
    var isOrdered: Bool { true }
}
