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

    /// A place in the queue, or nil when `capacity` batches wait already.
    func enter(capacity: Int) -> Admission? {
        guard waiting.add(1, ordering: .relaxed).newValue <= capacity else {
            leave()
            return nil
        }
        return Admission(self)
    }

    fileprivate func leave() {
        waiting.subtract(1, ordering: .relaxed)
    }
}

/// Whether a batch waits, is being looked up, or was refused. It is settled once, by whoever comes first.
final class Admission: Sendable {
    private enum State {
        static let waiting: UInt8 = 0
        static let begun: UInt8 = 1
        static let refused: UInt8 = 2
    }

    private let queue: AdmissionQueue
    private let state = Atomic<UInt8>(State.waiting)

    fileprivate init(_ queue: AdmissionQueue) {
        self.queue = queue
    }

    var isRefused: Bool { state.load(ordering: .acquiring) == State.refused }

    /// Its first permit is there.
    /// - Returns: false when it was refused before.
    func begin() -> Bool {
        let seen = state.load(ordering: .acquiring)
        return seen == State.waiting ? settle(as: State.begun) || !isRefused : seen == State.begun
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
