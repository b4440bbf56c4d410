internal import LoadGenerator
internal import PostRecords
internal import Results
internal import Text
internal import Units

extension RunResult {
    /// The stages of the post-mortem, in its order. Of each the moment, the value and the phase are those of one point of
    /// the timeline; what came of the outage is looked for in the phases whose lookups found no port, so that what a cure
    /// needs is no stage of it.
    func measuredCascade(sustainableDialsPerSecond sustainable: Double) -> [CascadeStage] {
        Cascade(self, sustainable: sustainable).stages
    }
}

private struct Cascade {
    private let run: RunResult
    /// Connections a second that one source address sustains.
    private let sustainable: Double
    private let capacity: Int
    /// The phases in which lookups failed for lack of a port.
    private let outage: Set<String>

    init(_ run: RunResult, sustainable: Double) {
        self.run = run
        self.sustainable = sustainable
        capacity = run.phases.first?.portsCapacity ?? 0
        outage = Set(run.timeline.filter { Self.portErrors($0) > 0 }.map(\.phase))
            .union(run.phases.filter(\.failedForPorts).map(\.name))
    }

    var stages: [CascadeStage] { [churn, exhaustion, logRate, threads, memory] + endings }

    private static func portErrors(_ point: TimelinePoint) -> Double {
        ["EADDRINUSE", "EADDRNOTAVAIL"].reduce(0) { $0 + (point.errorsPerSecond[$1] ?? 0) }
    }

    /// - Parameter detail: of the point, without its phase.
    private func stage(
        _ name: String,
        _ point: TimelinePoint?,
        _ detail: (TimelinePoint) -> String,
        otherwise: String
    ) -> CascadeStage {
        CascadeStage(
            name: name,
            happened: point != nil,
            at: point?.at,
            phase: point?.phase,
            detail: point.map { "\($0.phase): \(detail($0))" } ?? otherwise
        )
    }

    // MARK: Ports

    private var churn: CascadeStage {
        let sustains = "one source address sustains \(rounded(sustainable))"
        guard let (point, rate, seconds) = RateRise.first(in: run.timeline, sustainable: sustainable) else {
            let opened =
                run.timeline.isEmpty ? "nothing was sampled" : "new connections stayed below what the ports sustain"
            return stage("churn", nil, { _ in "" }, otherwise: "\(opened); \(sustains) a second")
        }
        return stage(
            "churn",
            point,
            { _ in "\(rounded(rate)) new connections a second over \(rounded(seconds)) s; \(sustains)" },
            otherwise: ""
        )
    }

    private var exhaustion: CascadeStage {
        let most = run.timeline.max { $0.portsInUse < $1.portsInUse }
        return stage(
            "exhaustion",
            capacity > 0 ? run.timeline.first { $0.portsInUse >= capacity } : nil,
            { _ in "all \(grouped(capacity)) ephemeral ports of one source address in use" },
            otherwise: most.map {
                "at most \(grouped($0.portsInUse)) of \(grouped(capacity)) ephemeral ports of one source address in use"
            } ?? "nothing was sampled"
        )
    }

    // MARK: The server

    /// The points of the phases without ports.
    private var outagePoints: [TimelinePoint] { run.timeline.filter { outage.contains($0.phase) } }

    private func most<Value: Comparable>(_ value: (TimelinePoint) -> Value) -> TimelinePoint? {
        outagePoints.max { value($0) < value($1) }
    }

    /// What is said where no lookup failed for lack of a port.
    private var noOutage: String? { outage.isEmpty ? "no lookup failed for lack of a port" : nil }

    private var logRate: CascadeStage {
        let most = most(\.logLinesPerSecond)?.logLinesPerSecond ?? 0
        return stage(
            "log rate",
            outagePoints.first { $0.logLinesPerSecond > 100 },
            { "\(rounded($0.logLinesPerSecond)) error lines a second" },
            otherwise: noOutage ?? "at most \(rounded(most)) error lines a second"
        )
    }

    private var threads: CascadeStage {
        guard let first = run.timeline.first(where: { $0.threads > 0 })?.threads else {
            return stage("threads", nil, { _ in "" }, otherwise: "the server's threads were not seen")
        }
        let most = most(\.threads)
        return stage(
            "threads",
            outagePoints.first { $0.threads >= first + 100 },
            { point in
                "\(grouped(point.threads)) threads, from \(grouped(first))"
                    + Self.peak(most, after: point, \.threads) { "\(grouped($0.threads))" }
            },
            otherwise: noOutage
                ?? "at most \(grouped(most?.threads ?? 0)) threads, from \(grouped(first)): no writer was blocked for long"
        )
    }

    private var memory: CascadeStage {
        guard let first = run.timeline.first(where: { $0.rssBytes > 0 })?.rssBytes else {
            return stage("memory", nil, { _ in "" }, otherwise: "the server's memory was not seen")
        }
        let most = most(\.rssBytes)
        func mebibytes(_ bytes: Int) -> String { "\(rounded((Double(bytes) / Double(1 << 20)).rounded()))" }
        return stage(
            "memory",
            outagePoints.first { $0.rssBytes >= 4 * first },
            { point in
                "\(mebibytes(point.rssBytes)) MiB, from \(mebibytes(first))"
                    + Self.peak(most, after: point, \.rssBytes) { mebibytes($0.rssBytes) }
            },
            otherwise: noOutage ?? "at most \(mebibytes(most?.rssBytes ?? 0)) MiB, from \(mebibytes(first))"
        )
    }

    /// Where it went on to, with a moment of its own.
    private static func peak<Value: Comparable>(
        _ most: TimelinePoint?,
        after point: TimelinePoint,
        _ value: KeyPath<TimelinePoint, Value>,
        _ text: (TimelinePoint) -> String
    ) -> String {
        guard let most, most[keyPath: value] > point[keyPath: value] else { return "" }
        return "; at most \(text(most)) (\(most.phase), \(rounded(most.at)) s)"
    }

    // MARK: Its end

    /// Of the first new process that found more than half of the ports taken by its predecessor, or else of the first:
    /// ports it found taken, the point at which it failed for lack of one, and how long that took in seconds.
    private var reExhaustion: (left: Int, again: TimelinePoint?, wait: String) {
        let all = run.events.filter { $0.kind == .restart }.map { restart in
            let left = run.timeline.last { $0.at <= restart.at }?.portsInUse ?? 0
            let again = run.timeline.first { $0.at > restart.at && $0.isUp && Self.portErrors($0) > 0 }
            return (left, again, rounded((again?.at ?? 0) - restart.at))
        }
        return all.first { $0.0 * 2 > capacity && $0.1 != nil } ?? all.first ?? (0, nil, "0")
    }

    private var endings: [CascadeStage] {
        let death = run.events.first { $0.kind == .death }
        let restart = death.flatMap { death in run.events.first { $0.kind == .restart && $0.at > death.at } }
        let (left, again, wait) = reExhaustion
        func ending(_ name: String, _ event: RunResult.Event?, otherwise: String) -> CascadeStage {
            let phase = event.flatMap { event in
                run.phases.last { $0.start <= event.at }?.name ?? run.timeline.last { $0.at <= event.at }?.phase
            }
            let detail = event.map { "\(phase.map { "\($0): " } ?? "")\($0.text)" }
            return CascadeStage(
                name: name,
                happened: event != nil,
                at: event?.at,
                phase: phase,
                detail: detail ?? otherwise
            )
        }
        return [
            ending("death", death, otherwise: "the server did not crash"),
            ending(
                "restart",
                restart,
                otherwise: death == nil ? "none was needed" : "the server was not started again"
            ),
            stage(
                "re-exhaustion",
                left * 2 > capacity ? again : nil,
                { _ in
                    "\(grouped(left)) ports of the process before still in TIME_WAIT; the new one failed within \(wait) s"
                },
                otherwise: restart == nil
                    ? "the server was not restarted"
                    : "the new process found \(grouped(max(0, capacity - left))) ports free"
                        + (again == nil ? "" : ", and had used them up \(wait) s later")
            ),
        ]
    }
}
