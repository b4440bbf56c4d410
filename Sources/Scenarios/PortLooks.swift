internal import Dispatch
internal import KernelProbe
internal import POSIX
internal import Synchronization

/// The ports of a run's network, looked at on a thread of their own. A look lists every socket there is, which takes long
/// while many are in TIME_WAIT; what somebody asks of the run meanwhile does not wait for it.
///
/// Its methods are called on the run's thread only.
final class PortLooks: Sendable {
    /// Looks after those that the trend knows. Runs on the thread of the looks.
    typealias Source = @Sendable (PortTrend) throws(SystemCallError) -> PortSample

    private struct State {
        var trend = PortTrend()
        /// Looks that were asked for, and how many of them have ended.
        var asked = 0
        var ended = 0
        /// Those that nobody has taken yet.
        var untaken: [PortSample] = []
        /// Why the last one failed; nil when it did not.
        var failure: SystemCallError?
        var isStopping = false
    }

    private let source: Source
    private let state = Mutex(State())
    /// Counts what was asked for; one more is the order to stop.
    private let orders = DispatchSemaphore(value: 0)
    private let answers = DispatchSemaphore(value: 0)
    private let hasStopped = DispatchSemaphore(value: 0)

    /// Starts the thread, in the network namespace of the calling one.
    /// - Throws: ``SystemCallError`` when it cannot be made.
    static func start(
        _ source: @escaping Source = { trend throws(SystemCallError) in
            try PortSample.take(after: trend, boundOnly: false)
        }
    ) throws(SystemCallError) -> PortLooks {
        let looks = PortLooks(source)
        try Thread(name: "port-looks") { looks.run() }.detach()
        return looks
    }

    private init(_ source: @escaping Source) {
        self.source = source
    }

    /// Whether one that was asked for has not ended.
    var isLooking: Bool { state.withLock { $0.ended < $0.asked } }

    /// Begins a look, unless one is under way.
    func begin() {
        let isFree = state.withLock { state in
            guard state.ended == state.asked else { return false }
            state.asked += 1
            return true
        }
        if isFree { orders.signal() }
    }

    /// What has been seen since the last time, oldest first; empty while a look takes long.
    /// - Throws: ``SystemCallError`` of the last one.
    func take() throws(SystemCallError) -> [PortSample] {
        let (samples, failure) = state.withLock { state in
            defer { state.untaken = [] }
            return (state.untaken, state.failure)
        }
        if let failure { throw failure }
        return samples
    }

    /// Looks now, and waits for it.
    /// - Throws: ``SystemCallError``
    func fresh() throws(SystemCallError) -> PortSample {
        let number = state.withLock { state in
            state.asked += 1
            return state.asked
        }
        orders.signal()
        repeat { answers.wait() } while state.withLock { $0.ended < number }
        let (sample, failure) = state.withLock { ($0.trend.latest, $0.failure) }
        if let failure { throw failure }
        return sample!
    }

    /// Waits for the look that is under way, and ends the thread.
    func stop() {
        state.withLock { $0.isStopping = true }
        orders.signal()
        hasStopped.wait()
    }

    private func run() {
        while true {
            orders.wait()
            let (trend, isStopping) = state.withLock { ($0.trend, $0.isStopping) }
            guard !isStopping else { break }
            let result = Result { () throws(SystemCallError) in try source(trend) }
            // The sums of a long list take their time as well.
            var next = trend
            if case .success(let sample) = result { next.add(sample) }
            state.withLock { state in
                state.ended += 1
                switch result {
                case .success(let sample):
                    (state.trend, state.failure) = (next, nil)
                    state.untaken.append(sample)
                case .failure(let error): state.failure = error
                }
            }
            answers.signal()
        }
        hasStopped.signal()
    }
}
