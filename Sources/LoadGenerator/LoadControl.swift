internal import POSIX
internal import Synchronization

/// What other threads say to the sender's, and what they are told by it.
final class LoadControl: Sendable {
    struct State {
        /// No further batch becomes due.
        var isStopped = false
        /// What is in flight is not waited for.
        var isAbandoned = false
        /// All batches have ended and are recorded.
        var isOver = false
        /// Requests the assistant has made.
        var made: [(id: BatchTable.ID, request: [UInt8])] = []
        /// What clients that send by hand are to do, in order.
        var orders: [(client: Int, order: Load.Order)] = []
        /// Batches that became due since they were last asked for, where they are recorded.
        var trace: [Trace.Entry] = []
        var threadTime = Duration.zero
        /// From when the schedules began, once they have, to when the last batch had ended.
        var beginning: MonotonicInstant?
        var end: MonotonicInstant?
        /// Where the server was, of several addresses it might have had; nil before the load is over.
        var address: SocketAddress?
    }

    let state = Mutex(State())
    let poller: Poller
    let timer: Timer
    /// What the timer's events are told by.
    static let timerToken = UInt64.max - 1

    /// - Throws: ``SystemCallError``
    init() throws(SystemCallError) {
        poller = try Poller()
        timer = try Timer()
        try poller.add(timer.descriptor.rawValue, .readable, token: Self.timerToken)
    }

    func stop(abandoning: Bool) {
        state.withLock { state in
            state.isStopped = true
            if abandoning { state.isAbandoned = true }
        }
        poller.wake()
    }

    func give(_ order: Load.Order, to client: Int) {
        state.withLock { $0.orders.append((client, order)) }
        poller.wake()
    }

    func deliver(_ request: [UInt8], for id: BatchTable.ID) {
        state.withLock { $0.made.append((id, request)) }
        poller.wake()
    }
}
