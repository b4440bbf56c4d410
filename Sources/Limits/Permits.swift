internal import Synchronization

/// Permits for lookups, given out in an order. Lanes take them and give them back at once, and never wait: who finds
/// none is handed the next one that is free, by whoever gives it back.
package final class Permits: Sendable {
    private struct State {
        var ledger: PermitLedger
        var algorithm: AdaptiveLimit?
    }

    private let state: Mutex<State>
    /// The ledger's capacity, to be read without the lock.
    private let capacity: Atomic<Int>
    /// Exchanges that have begun and not ended, of an adaptive limit.
    private let exchanges = Atomic<Int>(0)
    /// Whether there are as many as samples say.
    package let isAdaptive: Bool
    /// Whether they are one batch's alone, so that a part of it may keep what it needs again.
    package let isOfOneBatch: Bool

    /// As many as there are, for the whole process or for one batch.
    /// - Parameter count: 1 or more.
    package init(_ count: Int, order: PermitLedger.Order, isOfOneBatch: Bool = false) {
        state = Mutex(State(ledger: PermitLedger(capacity: count, order: order)))
        capacity = Atomic(count)
        isAdaptive = false
        self.isOfOneBatch = isOfOneBatch
    }

    /// As many as an algorithm has found to be good, for the whole process.
    package init(_ algorithm: AdaptiveLimit) {
        let limit = algorithm.limit
        state = Mutex(State(ledger: PermitLedger(capacity: limit, order: .arrival), algorithm: algorithm))
        capacity = Atomic(limit)
        isAdaptive = true
        isOfOneBatch = false
    }

    /// The most permits out at once at this moment, 1 or more.
    package var bound: Int { capacity.load(ordering: .relaxed) }

    /// A batch arrives, and asks for its first permits.
    /// - Parameters:
    ///   - holders: its parts, each of which is given a seat.
    ///   - target: permits that each wants to hold.
    /// - Returns: for each part its seat, and the permits it has at once.
    package func enter(
        _ holders: [any AnyObject & Sendable],
        of caller: String,
        target: Int
    ) -> [(seat: Int, permits: Int)] {
        state.withLock { state in
            state.ledger.beginBatch()
            let seats = holders.map { state.ledger.enter($0, of: caller, target: target) }
            // Nobody else waits while permits are free, so all that is granted here is granted to these.
            var grants: [PermitLedger.Grant] = []
            state.ledger.grantNext(to: &grants)
            return seats.map { ($0, state.ledger.held($0)) }
        }
    }

    /// Wants to hold so many in all from now on.
    package func setTarget(_ target: Int, of seat: Int, _ grants: inout [PermitLedger.Grant]) {
        state.withLock { state in
            state.ledger.setTarget(target, of: seat)
            state.ledger.grantNext(to: &grants)
        }
    }

    /// Asks whether a permit whose lookup is over may be used for another one at once.
    /// - Parameters:
    ///   - sample: how the lookup went; nil when nothing was exchanged.
    ///   - target: permits that the seat wants to hold in all.
    ///   - grants: permits for those that are next, where the limit or the target has grown.
    package func keep(_ seat: Int, _ sample: Sample?, target: Int, _ grants: inout [PermitLedger.Grant]) -> Bool {
        state.withLock { state in
            learn(from: sample, &state)
            let isKept = state.ledger.keep(seat, target: target)
            state.ledger.grantNext(to: &grants)
            return isKept
        }
    }

    /// Gives permits back.
    /// - Parameters:
    ///   - sample: how the lookup went; nil when nothing was exchanged, or it has been told.
    ///   - target: permits that the seat wants to hold in all from now on.
    ///   - grants: permits for those that are next are appended; whoever gives back is to tell them.
    package func release(
        _ count: Int,
        of seat: Int,
        _ sample: Sample?,
        target: Int,
        _ grants: inout [PermitLedger.Grant]
    ) {
        state.withLock { state in
            learn(from: sample, &state)
            state.ledger.release(count, of: seat, target: target)
            state.ledger.grantNext(to: &grants)
        }
    }

    /// An exchange begins that a permit of an adaptive limit is held for.
    /// - Returns: how many there are now.
    package func beginExchange() -> Int { exchanges.add(1, ordering: .relaxed).newValue }

    /// An exchange is over.
    package func endExchange() { exchanges.subtract(1, ordering: .relaxed) }

    /// Gives up a seat and what it still holds.
    package func leave(_ seat: Int, _ grants: inout [PermitLedger.Grant]) {
        state.withLock { state in
            state.ledger.leave(seat)
            state.ledger.grantNext(to: &grants)
        }
    }

    private func learn(from sample: Sample?, _ state: inout State) {
        guard let sample, state.algorithm != nil else { return }
        state.algorithm!.update(sample, inFlight: sample.inFlight)
        let limit = state.algorithm!.limit
        state.ledger.capacity = limit
        capacity.store(limit, ordering: .relaxed)
    }
}
