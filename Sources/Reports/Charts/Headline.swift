internal import LoadGenerator
internal import PostRecords
package import Results
internal import Text

/// The one picture of a run: phase by phase what ran out, what failed, and what its users got. A value, drawn by
/// ``svg(isAlone:)``.
package struct Headline: Sendable {
    /// Columns that a picture has room for; of a run with more phases it shows the first, and says so.
    static let mostPhases = 12

    /// A phase of the run: its name and figures.
    package struct Phase: Sendable {
        package var name: String
        var caption: String
        var from: Double
        var to: Double
        /// Percent of the lookups; nil when there were none.
        package var failed: Double?
        /// The error most of them had.
        var error: String?
        package var timeWaitPeak: Int
        /// Percent of a caller's batches that were complete within its SLO, by the caller's name.
        package var complete: [String: Double]
        /// Whether no connection was opened or tried in it.
        var opensNothing: Bool
    }

    /// The ports at one moment of a phase.
    package struct Moment: Sendable {
        package var at: Double
        /// Ports of the busiest source address: of open connections, and in TIME_WAIT. Without a split all are in the
        /// first.
        package var open: Int
        package var portsTimeWait: Int
        package var timeWait: Int
    }

    package var scenario: String
    package var phases: [Phase]
    package var moments: [Moment]
    package var capacity: Int
    /// Callers with an SLO, and that in milliseconds; the first two.
    var callers: [(name: String, ms: Double)]
    var isSplit: Bool
    /// Phases there is no room for.
    private(set) var phasesLeftOut = 0

    /// Nil when no phase was played, or nothing was seen of it.
    package init?(_ run: RunResult) {
        guard let last = run.phases.last, !run.timeline.isEmpty else { return nil }
        scenario = run.scenario
        capacity = last.portsCapacity
        isSplit = run.timeline.contains { $0.portsOpen != nil }
        moments = run.timeline.map { point in
            Moment(
                at: point.portsAt ?? point.at,
                open: point.portsOpen ?? point.portsInUse,
                portsTimeWait: point.portsTimeWait ?? 0,
                timeWait: point.timeWait
            )
        }
        callers = []
        for client in run.phases.flatMap(\.clients) {
            guard let slo = client.slo, callers.count < 2, !callers.contains(where: { $0.name == client.name }) else {
                continue
            }
            callers.append((client.name, slo.ms))
        }
        let shown = run.phases.prefix(Self.mostPhases)
        phasesLeftOut = run.phases.count - shown.count
        phases = shown.enumerated().map { index, phase in
            let next = index + 1 < run.phases.count ? run.phases[index + 1].start : phase.start + phase.duration
            let total = phase.lookups.total
            return Phase(
                name: phase.name,
                caption: Self.caption(phase.title),
                from: phase.start,
                to: max(next, phase.start + 1e-3),
                failed: total == 0 ? nil : 100 * Double(phase.lookups.failed) / Double(total),
                error: phase.lookups.errors.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key,
                timeWaitPeak: phase.timeWaitPeak,
                complete: Dictionary(
                    phase.clients.compactMap { client in client.slo?.percent.map { (client.name, $0) } },
                    uniquingKeysWith: { $1 }
                ),
                opensNothing: phase.dials.ok + phase.dials.failed == 0
            )
        }
        if phasesLeftOut > 0, let end = phases.last?.to { moments.removeAll { $0.at > end } }
    }

    /// The first clause of a title: the rest is for a reader with more time.
    private static func caption(_ title: String) -> String {
        let end = title.indices.first { index in
            ";:".contains(title[index]) && title[title.index(after: index)...].hasPrefix(" ")
        }
        return String(end.map { title[..<$0] } ?? title[...])
    }

    var timeWaitPeak: Int { max(moments.map(\.timeWait).max() ?? 0, phases.map(\.timeWaitPeak).max() ?? 0) }

    var title: String { "\(scenario): ports, failed lookups, TIME_WAIT and complete answers, phase by phase" }

    var leftOutText: String {
        "The first \(grouped(phases.count)) of \(grouped(phases.count + phasesLeftOut)) phases."
    }

    /// What it shows in words.
    package var description: String {
        (phasesLeftOut > 0 ? leftOutText + " " : "")
            + phases.map { phase in
                var facts = ["\(PageParts.percent(phase.failed)) of lookups failed"]
                facts.append("up to \(grouped(phase.timeWaitPeak)) sockets in TIME_WAIT")
                for caller in callers {
                    if let percent = phase.complete[caller.name] {
                        facts.append(
                            "\(rounded(percent))% of \(caller.name)'s batches complete within \(rounded(caller.ms)) ms"
                        )
                    }
                }
                return "\(phase.name): \(facts.joined(separator: ", "))."
            }.joined(separator: " ")
    }

    /// The picture in a page.
    var figure: Markup {
        .make("figure", ["id": "headline"], [.make("div", ["class": "headline"], [svg(), narrowSVG()])])
    }
}
