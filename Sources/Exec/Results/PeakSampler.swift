internal import KernelProbe
package import POSIX
internal import Synchronization
internal import Units

/// The most ports and TIME_WAIT sockets there were in the room, as far as samples saw them.
package struct PortPeaks: Sendable, Equatable {
    /// Ports of one source address, or of one pair where connect() chooses, at once; nil before the first sample.
    package internal(set) var ports: Int?
    package internal(set) var capacity: Int?
    /// The address that had them.
    package internal(set) var source: String?
    package internal(set) var timeWait: Int?
    /// When one address had none left for the first time.
    package internal(set) var exhausted: MonotonicInstant?
    /// Ports that the busiest source address has at the last sample.
    package internal(set) var latest: Int?
    /// Ports that connect() has taken out of TIME_WAIT again.
    package internal(set) var reused: Int?

    mutating func add(_ sample: PortSample) {
        let use = sample.use
        let busiest = use.rows.max { Self.held($0) < Self.held($1) }
        let inUse = busiest.map(Self.held) ?? 0
        latest = inUse
        capacity = use.settings.range.ports
        reused = sample.tick.counters["TcpExtTWRecycled"]
        if exhausted == nil, inUse >= use.settings.range.ports { exhausted = sample.taken }
        if inUse > ports ?? -1 {
            ports = inUse
            source = busiest?.pair.source.description
        }
        timeWait = max(timeWait ?? 0, use.all.timeWait)
    }

    /// Ports that count against the next dial of a pair: those of its source address where bind() chooses, else its own.
    private static func held(_ row: PortRow) -> Int {
        row.choice == .connect ? row.inUse : max(row.inUse, row.sourceInUse)
    }
}

/// Samples the ports of the calling thread's network namespace in the background.
///
/// A sample of many sockets takes milliseconds, so it waits twenty times as long as the last one took, and 20 ms at
/// least; it is early when the kernel's sum, which costs nothing, says that there are a tenth more.
package final class PeakSampler: Sendable {
    private static let interval = Duration.milliseconds(20)
    private let peaks = Mutex(PortPeaks())
    private let stopping = Atomic<Bool>(false)

    /// - Throws: ``SystemCallError`` when its thread cannot be started.
    package static func start() throws(SystemCallError) -> PeakSampler {
        let sampler = PeakSampler()
        try Thread(name: "port-sampler") {
            while !sampler.stopping.load(ordering: .relaxed) {
                let began = MonotonicInstant.now
                let sum = Self.sockets()
                sampler.sample()
                let due = MonotonicInstant.now + (.now - began) * 20
                repeat { sleepThread(for: interval) } while .now < due && Self.sockets() <= sum + sum / 10
            }
        }.detach()
        return sampler
    }

    private init() {}

    package var current: PortPeaks { peaks.withLock { $0 } }

    /// Takes the last sample, and ends.
    package func finish() -> PortPeaks {
        stopping.store(true, ordering: .relaxed)
        sample()
        return current
    }

    /// Of the whole namespace, in every state.
    private static func sockets() -> Int {
        (try? SocketSummary.current()).map { $0.inUse + $0.timeWait } ?? 0
    }

    /// Takes a sample now.
    package func sample() {
        guard let sample = try? PortSample.take() else { return }
        peaks.withLock { $0.add(sample) }
    }
}
