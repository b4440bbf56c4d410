internal import KernelProbe
package import POSIX
internal import Text
internal import Units

/// What `spiral exec` found: schema spiral-exec/1. What was not measured is null.
package struct ExecResult: Sendable, Codable {
    /// connect(2) calls, as the supervisor saw them.
    package struct Connects: Sendable, Codable {
        package var ok: Int
        package var failed: Int
        package var inProgress: Int
        /// Closed by the program before the outcome was known.
        package var abandoned: Int
        /// By call, then errno.
        package var errors: [String: [String: Int]]

        package var total: Int { ok + failed + inProgress + abandoned }
    }

    /// A source address and a destination, with the ports held between them.
    package struct Row: Sendable, Codable {
        package var destination: String?
        package var source: String?
        package var ok: Int
        package var failed: Int
        package var inProgress: Int
        package var abandoned: Int

        fileprivate init(destination: String? = nil, source: String? = nil, _ tally: DialAccount.Tally) {
            self.destination = destination
            self.source = source
            ok = tally.ok
            failed = tally.failed
            inProgress = tally.inProgress
            abandoned = tally.abandoned
        }
    }

    /// The most that one source address held towards one destination, at once.
    package struct PortRow: Sendable, Codable {
        package var source: String
        package var destination: String
        package var ports: Int
        package var timeWait: Int
    }

    /// An expectation, and whether it held.
    package struct Judged: Sendable, Codable {
        package var text: String
        /// Null for what was not measured.
        package var observed: Double?
        package var pass: Bool
    }

    package var schema = "spiral-exec/1"
    package var command: [String]
    /// Null while it runs.
    package var exitStatus: Int32?
    package var seconds: Double
    package var dialer: String?
    /// Null where nothing was accounted for.
    package var connects: Connects?
    package var destinations: [Row]
    /// The busiest source addresses.
    package var sources: [Row]
    package var sourceCount: Int?
    package var connectsPerSecondPeak: Int?
    package var inProgressPeak: Int?
    package var portsPeak: Int?
    package var portsPeakSource: String?
    package var portsCapacity: Int?
    package var timeWaitPeak: Int?
    /// The pairs of addresses that held most; empty where nothing was sampled.
    package var ports: [PortRow]
    package var timeline: ExecTimeline
    /// From the start of the command to the first sample with no port left.
    package var secondsToExhaustion: Double?
    package var outlook: Outlook?
    package var injected: Int?
    package var unrouted: Int?
    package var held: Int?
    /// What was not accounted for, and why: one line each.
    package var notes: [String]
    package var expectations: [Judged]

    private static let sourceRows = 100
    private static let portRows = 100

    /// - Parameters:
    ///   - account: nil where nothing was accounted for.
    package init(
        command: [String],
        began: MonotonicInstant,
        ended: MonotonicInstant,
        exitStatus: Int32?,
        account: DialAccount?,
        dialer: String?,
        ports: PortPeaks
    ) {
        self.command = command
        self.exitStatus = exitStatus
        self.dialer = dialer
        seconds = (ended - began).inSeconds
        portsPeak = ports.ports
        portsPeakSource = ports.ports == 0 ? nil : ports.source
        portsCapacity = ports.capacity
        timeWaitPeak = ports.timeWait
        secondsToExhaustion = ports.exhausted.map { ($0 - began).inSeconds }
        self.ports = ports.pairs.sorted { ($1.value.ports, $0.key) < ($0.value.ports, $1.key) }.prefix(Self.portRows)
            .map {
                PortRow(
                    source: "\($0.key.source)",
                    destination: "\($0.key.destination)",
                    ports: $0.value.ports,
                    timeWait: $0.value.timeWait
                )
            }
        timeline = ExecTimeline(account, ports, since: began)
        notes = account?.notes ?? []
        expectations = []
        connects = account.map { account in
            Connects(
                ok: account.total.ok,
                failed: account.total.failed,
                inProgress: account.total.inProgress,
                abandoned: account.total.abandoned,
                errors: Dictionary(uniqueKeysWithValues: account.errors.map { ($0.key.rawValue, $0.value) })
            )
        }
        destinations = Self.sorted(account?.destinations ?? [:]).map { Row(destination: "\($0.key)", $0.value) }
        sources = Self.sorted(account?.sources ?? [:]).prefix(Self.sourceRows).map {
            Row(source: "\($0.key)", $0.value)
        }
        sourceCount = account?.sourceCount
        connectsPerSecondPeak = account?.perSecondPeak
        inProgressPeak = account?.inProgressPeak
        injected = account?.injected
        unrouted = account?.unrouted
        held = account?.held
        outlook = account.flatMap { $0.outlook(ports) }
    }

    private static func sorted<Key>(_ rows: [Key: DialAccount.Tally]) -> [(key: Key, value: DialAccount.Tally)] {
        rows.sorted { ($0.value.total, "\($1.key)") > ($1.value.total, "\($0.key)") }
    }
}

extension DialAccount {
    /// What was not accounted for.
    var notes: [String] {
        var notes: [String] = []
        if unseen > 0 {
            notes.append("not counted, as their processes may not be looked into: \(grouped(unseen)) calls")
        }
        if foreign > 0 {
            notes.append("not counted and left as they are, as of a 32-bit program: \(grouped(foreign)) calls")
        }
        if ringsRefused > 0 {
            notes.append("io_uring, whose dials cannot be seen, was refused (ENOSYS): \(grouped(ringsRefused)) times")
        }
        if !countsAllSources {
            notes.append("source addresses beyond the first \(grouped(sourceCount)) are not counted")
        }
        if destinations.count >= Self.maxRows {
            notes.append("destinations beyond the first \(grouped(Self.maxRows)) have no row")
        }
        return notes
    }

    /// Dials that got a port, or would have where there are enough.
    fileprivate func outlook(_ ports: PortPeaks) -> Outlook? {
        guard let first, let last, let latest = ports.latest, let reused = ports.reused else { return nil }
        // Ports are taken per source and destination: no pair has more dials than either of its ends.
        let source = sources.values.map { $0.ok + $0.failed }.max() ?? 0
        let busiest = min(total.ok + shortages, source)
        return Outlook(
            dials: busiest,
            seconds: (last - first).inSeconds,
            ok: sources.values.map(\.ok).max() ?? 0,
            held: latest + reused
        )
    }
}
