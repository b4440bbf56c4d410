internal import Limits
internal import Synchronization

/// Why a batch was not looked up at all.
package struct Overload: Error, Sendable, Equatable {
    /// What to count it under.
    package enum Reason: String, Sendable, CaseIterable {
        case queueFull = "queue-full"
        case queueWait = "queue-wait"
        case maxBatch = "max-batch"
        case maxPerCaller = "max-per-caller"
        case maxURIs = "max-uris"
        case heldBytes = "held-bytes"
        case heldBatches = "held-batches"
    }

    package var reason: Reason
    package var message: String

    package init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }
}

/// Batches that wait for their first permit.
final class AdmissionQueue: Sendable {
    private let waiting = Atomic<Int>(0)

    /// - Returns: false when `capacity` batches wait already.
    fileprivate func enter(capacity: Int) -> Bool {
        guard waiting.wrappingAdd(1, ordering: .relaxed).newValue <= capacity else {
            leave()
            return false
        }
        return true
    }

    fileprivate func leave() {
        waiting.wrappingSubtract(1, ordering: .relaxed)
    }
}

/// Whether a batch waits, is being looked up, or was refused. It is settled once, by whoever comes first.
final class Admission: Sendable {
    private enum State {
        static let arriving: UInt8 = 0
        static let waiting: UInt8 = 1
        static let begun: UInt8 = 2
        static let refused: UInt8 = 3
    }

    let rules: QueueRules
    private let queue: AdmissionQueue
    private let state = Atomic<UInt8>(State.arriving)

    /// For a batch that has just arrived.
    init(_ queue: AdmissionQueue, _ rules: QueueRules) {
        self.queue = queue
        self.rules = rules
    }

    var isRefused: Bool { state.load(ordering: .acquiring) == State.refused }

    /// It has got no permit on arrival, and waits for its first.
    /// - Returns: false when as many as may wait already: it is refused.
    func wait() -> Bool {
        let hasEntered = queue.enter(capacity: rules.capacity)
        state.store(hasEntered ? State.waiting : State.refused, ordering: .releasing)
        return hasEntered
    }

    /// Its first permit is there.
    /// - Returns: false when it was refused before.
    func begin() -> Bool {
        switch state.load(ordering: .acquiring) {
        case State.arriving:
            state.store(State.begun, ordering: .releasing)
            return true
        case State.waiting: return settle(as: State.begun) || !isRefused
        case let seen: return seen == State.begun
        }
    }

    /// Its time is over.
    /// - Returns: whether it still waited, and so is refused now.
    func refuse() -> Bool { settle(as: State.refused) }

    private func settle(as state: UInt8) -> Bool {
        let (isSettled, _) = self.state.compareExchange(
            expected: State.waiting,
            desired: state,
            ordering: .acquiringAndReleasing
        )
        if isSettled { queue.leave() }
        return isSettled
    }
}
