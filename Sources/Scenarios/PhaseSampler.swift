internal import KernelProbe
internal import LoadGenerator
internal import POSIX
internal import PostRecords
internal import Results
internal import Units

/// Turns what is read at one moment into a point of the timeline, and keeps the peaks of its phase.
struct PhaseSampler {
    /// What was read at one moment.
    struct Reading {
        var at: MonotonicInstant
        /// Looks at the ports since the reading before, oldest first; empty while one takes long.
        var looks: [MemcachedPorts]
        var counters: CounterSnapshot
        /// Nil while the server is down.
        var status: ProcessStatus?
        /// Charged to the server's cgroup; nil without one.
        var cgroupBytes: Int?
        var isUp: Bool
        var batchesPending: Int
        var clients: [(String, TimelinePoint.Client)]
    }

    struct Peaks {
        var timeWait = 0
        var portsInUse = 0
        var inFlight = 0
        /// Nil when the server was never seen up.
        var threads: Int?
        var rssBytes: Int?

        mutating func include(_ ports: MemcachedPorts) {
            timeWait = max(timeWait, ports.timeWait)
            portsInUse = max(portsInUse, ports.inUse)
        }

        mutating func include(_ point: TimelinePoint) {
            inFlight = max(inFlight, point.inFlightPeak ?? point.inFlight)
            // A process has threads and memory: without them it was not there.
            if point.threads > 0 { threads = max(threads ?? 0, point.threads) }
            if point.rssBytes > 0 { rssBytes = max(rssBytes ?? 0, point.rssBytes) }
        }
    }

    private let phase: String
    private(set) var counted: CounterSnapshot
    private var countedAt: MonotonicInstant
    private(set) var peaks = Peaks()
    /// As they were last seen.
    private var ports: MemcachedPorts

    /// - Parameters:
    ///   - counted: the counts at the beginning of the phase.
    ///   - ports: as they were seen last.
    init(_ phase: String, start: MonotonicInstant, counted: CounterSnapshot, ports: MemcachedPorts) {
        self.phase = phase
        self.counted = counted
        countedAt = start
        self.ports = ports
        peaks.include(ports)
    }

    /// - Parameter beginning: of the first phase.
    mutating func point(_ reading: Reading, since beginning: MonotonicInstant) -> TimelinePoint {
        for look in reading.looks { peaks.include(look) }
        ports = reading.looks.last ?? ports
        let change = reading.counters.change(since: counted)
        let seconds = max((reading.at - countedAt).inSeconds, 1e-3)
        let point = TimelinePoint(
            at: (reading.at - beginning).inSeconds,
            phase: phase,
            isUp: reading.isUp,
            portsAt: max(0, (ports.taken - beginning).inSeconds),
            portsInUse: ports.inUse,
            portsOpen: ports.open,
            portsTimeWait: ports.portsTimeWait,
            timeWait: ports.timeWait,
            established: ports.established,
            sourceAddresses: ports.sourceAddresses,
            inFlight: reading.isUp ? reading.counters.inFlight : 0,
            inFlightPeak: reading.isUp ? reading.counters.inFlightPeak : nil,
            limit: reading.isUp ? reading.counters.limit : nil,
            threads: reading.status?.threads ?? 0,
            rssBytes: reading.status?.residentBytes ?? 0,
            cgroupBytes: reading.cgroupBytes,
            dialsPerSecond: Double(change.dials.ok) / seconds,
            lookupsPerSecond: Double(change.lookups.total) / seconds,
            errorsPerSecond: change.lookups.errors.mapValues { Double($0) / seconds },
            logLinesPerSecond: Double(change.logLines.written) / seconds,
            logWaiting: reading.isUp ? reading.counters.logLines.waiting : 0,
            batchesPending: reading.batchesPending,
            clients: Dictionary(reading.clients, uniquingKeysWith: { $1 })
        )
        counted = reading.counters
        countedAt = reading.at
        peaks.include(point)
        return point
    }
}
