package import POSIX
internal import Synchronization

/// Samples the ports of a network namespace in the background, for whoever asks: the cheap sums each second, all sockets
/// as often as ``LookSchedule`` lets it.
package final class PortWatch: Sendable {
    private static let period = Duration.seconds(1)

    private struct State {
        var trend = PortTrend()
        var failure: SystemCallError?
    }

    /// Destination ports its owner asks about.
    package let destinationPorts: Set<UInt16>
    private let state = Mutex(State())
    private let stopping = Atomic<Bool>(false)

    /// Starts sampling, in the network namespace of the calling thread.
    /// - Parameter ports: destination ports to remember for its owner; it looks at all of them.
    /// - Throws: ``SystemCallError`` when its thread cannot be started.
    package static func start(asking ports: Set<UInt16> = []) throws(SystemCallError) -> PortWatch {
        let watch = PortWatch(ports)
        try Thread(name: "port-watch") { watch.run() }.detach()
        return watch
    }

    private init(_ ports: Set<UInt16>) {
        destinationPorts = ports
    }

    package var current: PortTrend { state.withLock { $0.trend } }

    /// Why the last attempt to look failed; nil when it did not.
    package var failure: SystemCallError? { state.withLock { $0.failure } }

    /// Ends the watching thread after the look it is at.
    package func stop() {
        stopping.store(true, ordering: .relaxed)
    }

    private func run() {
        var sampler = PortSampler()
        while !stopping.load(ordering: .relaxed) {
            let result = Result { () throws(SystemCallError) in try sampler.step() }
            state.withLock {
                switch result {
                case .success: ($0.trend, $0.failure) = (sampler.trend, nil)
                case .failure(let error): $0.failure = error
                }
            }
            sleepThread(for: Self.period)
        }
    }
}

/// Feeds a trend with what the kernel says of the calling thread's network namespace: a look when one is due, a tick
/// otherwise.
package struct PortSampler: Sendable {
    /// Up to so many sockets, those that are only bound are asked for as well: it doubles the cost.
    private static let fewSockets = 20_000

    package private(set) var trend = PortTrend()
    private var schedule: LookSchedule

    /// - Parameter distance: between two looks at the least.
    package init(atMostEach distance: Duration = LookSchedule.least) {
        schedule = LookSchedule(least: distance)
    }

    /// - Throws: ``SystemCallError`` when the kernel does not say.
    package mutating func step() throws(SystemCallError) {
        if trend.latest != nil {
            trend.add(try PortTick.take())
            guard schedule.isDue(at: .now, isUrgent: trend.isSurprised) else { return }
        }
        try look()
    }

    /// Looks whatever it costs.
    /// - Throws: ``SystemCallError`` when the kernel does not say.
    package mutating func look() throws(SystemCallError) {
        let before = Thread.processorTime
        let boundOnly = trend.latest.map { $0.use.all.held < Self.fewSockets } ?? true
        trend.add(try PortSample.take(after: trend, boundOnly: boundOnly))
        schedule.add(ended: .now, cost: Thread.processorTime - before)
    }
}
