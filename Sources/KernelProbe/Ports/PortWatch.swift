package import POSIX
internal import Synchronization
internal import Units

/// What the kernel said about the ports towards one destination at one moment.
package struct PortSample: Sendable {
    package var taken: MonotonicInstant
    package var survey: SocketSurvey
    package var budget: PortBudget
    package var counters: TCPCounters

    /// - Parameter port: the destination port; nil for all sockets.
    /// - Throws: ``SystemCallError``
    package static func take(
        towardsPort port: UInt16?,
        from source: IPv4Address? = nil
    ) throws(SystemCallError) -> PortSample {
        let budget = try PortBudget.current()
        return PortSample(
            taken: .now,
            survey: try SocketDiagnostics.survey(
                towardsPort: port,
                from: source.map { IPAddress($0) },
                budget: budget
            ),
            budget: budget,
            counters: try TCPCounters.current()
        )
    }

    /// Share of the range that the busiest source address holds, 0 to 1.
    package var used: Double { Double(survey.portsInUse) / Double(max(1, budget.ports)) }
}

/// How fast ports are used up, from samples of the last seconds.
package struct PortTrend: Sendable {
    /// What is looked back on.
    private static let window = Duration.seconds(5)
    private var samples: [PortSample] = []

    package init() {}

    package mutating func add(_ sample: PortSample) {
        samples.append(sample)
        samples.removeAll { sample.taken - $0.taken > Self.window }
    }

    package var latest: PortSample? { samples.last }

    /// Ports of the busiest source address taken a second, less those given back.
    package var portsPerSecond: Double { slope { Double($0.survey.portsInUse) } }

    /// connect() calls a second in this network namespace. TcpActiveOpens
    package var dialsPerSecond: Double { slope { Double($0.counters["TcpActiveOpens"]) } }

    /// When the busiest source address has no port left, going on like this; nil when it does not run out.
    package var timeToExhaustion: Duration? {
        guard let latest else { return nil }
        let left = latest.budget.ports - latest.survey.portsInUse
        if left <= 0 { return .zero }
        let rate = portsPerSecond
        // One port a second and less is noise: the last samples' coming and going.
        return rate <= 1 ? nil : .nanoseconds(Int64(Double(left) / rate * 1e9))
    }

    private func slope(_ value: (PortSample) -> Double) -> Double {
        guard let first = samples.first, let last = samples.last else { return 0 }
        let seconds = (last.taken - first.taken).inSeconds
        return seconds > 0 ? (value(last) - value(first)) / seconds : 0
    }
}

/// Samples the ports towards one destination in the background, for whoever asks.
///
/// A survey costs some 0.6 us a socket, so it rests a hundred times as long as it took, and at least
/// a second: under 1% of one core whatever is open.
package final class PortWatch: Sendable {
    private static let least = Duration.seconds(1)
    private let trend = Mutex(PortTrend())
    private let stopping = Atomic<Bool>(false)

    /// Starts sampling, in the network namespace of the calling thread.
    /// - Throws: ``SystemCallError`` when its thread cannot be started.
    package static func start(towardsPort port: UInt16) throws(SystemCallError) -> PortWatch {
        let watch = PortWatch()
        try Thread(name: "port-watch") { watch.run(port) }.detach()
        return watch
    }

    private init() {}

    package var current: PortTrend { trend.withLock { $0 } }

    package func stop() {
        stopping.store(true, ordering: .relaxed)
    }

    private func run(_ port: UInt16) {
        while !stopping.load(ordering: .relaxed) {
            let before = Thread.processorTime
            if let sample = try? PortSample.take(towardsPort: port) { trend.withLock { $0.add(sample) } }
            sleepThread(for: max(Self.least, (Thread.processorTime - before) * 100))
        }
    }
}
