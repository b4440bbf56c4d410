package import KernelProbe
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
    /// The same over time.
    package internal(set) var history = TimeSteps<PortLevels>()
    /// The most of each pair of addresses.
    package internal(set) var pairs: [AddressPair: PairPeak] = [:]
    /// When one address had none left for the first time.
    package internal(set) var exhausted: MonotonicInstant?
    /// Ports that the busiest source address has at the last sample.
    package internal(set) var latest: Int?
    /// Those of it that are in TIME_WAIT then.
    package internal(set) var latestTimeWait: Int?
    /// Ports that connect() has taken out of TIME_WAIT again.
    package internal(set) var reused: Int?

    /// What one source address held towards one destination, at once.
    package struct PairPeak: Sendable, Equatable {
        package internal(set) var ports = 0
        package internal(set) var timeWait = 0
    }

    /// Pairs that are told apart.
    static let maxPairs = 1024

    /// - Parameter ignored: an address whose ports are not looked at.
    mutating func add(_ sample: PortSample, ignoring ignored: IPAddress? = nil) {
        let use = sample.use
        let busiest = use.rows.lazy.filter { $0.pair.source != ignored }.max { Self.held($0) < Self.held($1) }
        let inUse = busiest.map(Self.held) ?? 0
        latest = inUse
        latestTimeWait = busiest.map { row in
            row.choice == .connect ? row.timeWait : max(row.timeWait, use.sources[row.pair.source]?.timeWait ?? 0)
        }
        capacity = use.settings.range.ports
        reused = sample.tick.counters["TcpExtTWRecycled"]
        if exhausted == nil, inUse >= use.settings.range.ports { exhausted = sample.taken }
        if inUse > ports ?? -1 {
            ports = inUse
            source = busiest?.pair.source.description
        }
        let ofIgnored = use.rows.lazy.filter { $0.pair.source == ignored }.reduce(0) { $0 + $1.timeWait }
        timeWait = max(timeWait ?? 0, use.all.timeWait - ofIgnored)
        history.add(PortLevels(held: inUse, timeWait: use.all.timeWait - ofIgnored), at: sample.taken)
        for row in use.rows where row.pair.source != ignored {
            guard pairs.count < Self.maxPairs || pairs[row.pair] != nil else { continue }
            var peak = pairs[row.pair] ?? PairPeak()
            peak.ports = max(peak.ports, row.inUse)
            peak.timeWait = max(peak.timeWait, row.timeWait)
            pairs[row.pair] = peak
        }
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
    /// An address whose ports are not looked at.
    private let ignored: IPAddress?
    private let stopping = Atomic<Bool>(false)

    /// - Parameter ignored: an address whose ports are not looked at.
    /// - Throws: ``SystemCallError`` when its thread cannot be started.
    package static func start(ignoring ignored: IPAddress? = nil) throws(SystemCallError) -> PeakSampler {
        let sampler = PeakSampler(ignored)
        try Thread(name: "port-sampler") {
            while !sampler.stopping.load(ordering: .relaxed) {
                let began = MonotonicInstant.now
                let sum = Self.sockets()
                sampler.sample()
                let due = MonotonicInstant.now + (.now - began) * 20
                repeat {
                    sleepThread(for: interval)
                } while .now < due && Self.sockets() <= sum + sum / 10 && !sampler.stopping.load(ordering: .relaxed)
            }
        }.detach()
        return sampler
    }

    private init(_ ignored: IPAddress?) {
        self.ignored = ignored
    }

    package var current: PortPeaks { peaks.withLock { $0 } }

    /// Forgets what there was, and takes a sample.
    package func restart() -> PortPeaks {
        peaks.withLock { $0 = PortPeaks() }
        sample()
        return current
    }

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
        peaks.withLock { $0.add(sample, ignoring: ignored) }
    }
}
