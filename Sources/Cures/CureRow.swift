package import LoadGenerator
package import PostRecords
package import Results
package import Text

/// A cure over all its measurements: what the table shows of it.
package struct CureRow: Codable, Sendable {
    package var name: String
    package var title: String
    package var verdict: CureVerdict
    /// Verdicts of each measurement, where there are several and they differ.
    package var verdicts: [CureVerdict]?
    /// Why the verdict is what it is, or why it was not played.
    package var because: String
    package var why: String
    package var cost: String
    package var source: String
    package var expectations: [PhaseResult.Observation] = []
    /// Why it broke off; nil when it was measured.
    package var error: String?

    // The measurement in the middle, by the URIs found; nil where there is none.
    @ExplicitNull package var settings: SettingsDocument?
    package var sysctls: [String: String]?
    @ExplicitNull package var batches: [CureMeasurement.Batch]?
    @ExplicitNull package var dials: CureMeasurement.Dials?
    @ExplicitNull package var portsCapacity: Int?
    @ExplicitNull package var timeWaitPeak: Int?
    package var memcachedTimeWaitPeak: Int?
    @ExplicitNull package var portsInUsePeak: Int?
    @ExplicitNull package var others: CureMeasurement.Others?
    @ExplicitNull package var clients: [ClientResult]?
    @ExplicitNull package var cpuSeconds: CureMeasurement.Seconds?
    @ExplicitNull package var rssPeakBytes: Int?
    @ExplicitNull package var memcachedRSSPeakBytes: Int?

    /// - Parameters:
    ///   - incident: measurements of the incident without any cure.
    ///   - isJudged: whether it is held against what is expected of it.
    init(
        _ cure: Cure,
        _ plan: CuresPlan,
        _ runs: [CuresResult.Run],
        incident: [CureMeasurement],
        isJudged: Bool
    ) {
        name = cure.name
        title = cure.title
        why = cure.why
        cost = cure.cost
        source = cure.source
        let measured = runs.compactMap(\.measurement).sorted { $0.figures.found < $1.figures.found }
        let error = runs.compactMap(\.error).first
        self.error = error
        guard !measured.isEmpty, let baseline = Self.middle(incident)?.figures else {
            verdict = .unavailable
            because = runs.compactMap(\.unavailable).first ?? error ?? "the incident itself was not measured"
            return
        }
        let all = measured.map { CureVerdict($0.figures, incident: baseline) }
        let counts = Dictionary(grouping: all, by: { $0 }).mapValues(\.count)
        // What most measurements say; of several, the least favourable.
        let verdict = counts.max { ($0.value, $0.key.rank) < ($1.value, $1.key.rank) }!.key
        self.verdict = verdict
        verdicts = counts.count > 1 ? all : nil
        let shown = zip(measured, all).filter { $1 == verdict }.map(\.0)
        let middle = shown[shown.count / 2]
        because = Self.reason(middle)
        settings = middle.settings
        sysctls = middle.sysctls
        batches = middle.batches
        dials = middle.dials
        portsCapacity = middle.portsCapacity
        timeWaitPeak = middle.timeWaitPeak
        memcachedTimeWaitPeak = middle.memcachedTimeWaitPeak
        portsInUsePeak = middle.portsInUsePeak
        others = middle.others
        clients = middle.clients
        cpuSeconds = middle.cpuSeconds
        rssPeakBytes = middle.rssPeakBytes
        memcachedRSSPeakBytes = middle.memcachedRSSPeakBytes
        guard isJudged, plan.ports >= cure.leastPorts else { return }
        let expected = cure.expectation(oneByOne: plan.oneByOne)
        expectations = [
            .init(
                text: "expected: \(expected.verdict.text)",
                observed: verdict.text,
                pass: verdict == expected.verdict
            )
        ]
        if let expected = expected.error {
            let seen = commonestError
            expectations.append(
                .init(text: "expected: \(expected)", observed: seen ?? "no failed dial", pass: seen == expected)
            )
        }
    }

    private static func middle(_ measurements: [CureMeasurement]) -> CureMeasurement? {
        measurements.isEmpty
            ? nil : measurements.sorted { $0.figures.found < $1.figures.found }[measurements.count / 2]
    }

    /// The call and errno that most failed dials ended with; nil when none failed.
    package var commonestError: String? {
        dials?.errorsByCall.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    }

    package var found: Int? { batches?.reduce(0) { $0 + $1.found } }
    package var asked: Int? { batches?.reduce(0) { $0 + $1.uris } }

    /// The figures of one caller, or nil where it was not measured.
    package func client(_ name: String) -> ClientResult? { clients?.first { $0.name == name } }

    private static func reason(_ one: CureMeasurement) -> String {
        let rounds = Set(one.batches.map(\.round)).sorted().map { round in
            let batches = one.batches.filter { $0.round == round }
            let (found, asked) = batches.reduce((0, 0)) { ($0.0 + $1.found, $0.1 + $1.uris) }
            return found == asked ? "all" : "\(grouped(found)) of \(grouped(asked))"
        }
        var parts = ["found \(rounds.joined(separator: ", then "))"]
        if let small = one.small, small.records.found < small.uris {
            parts.append("small callers \(grouped(small.records.found)) of \(grouped(small.uris))")
        }
        if one.others.failed > 0 {
            parts.append(
                "\(grouped(one.others.failed)) of \(grouped(one.others.ok + one.others.failed)) other dials failed"
            )
        }
        let figures = one.figures
        if figures.endedWithoutTimeWait > 0.05 {
            parts.append(
                one.timeWaitOverflows > one.resets
                    ? "\(grouped(one.timeWaitOverflows)) connections ended without TIME_WAIT"
                    : "\(grouped(one.resets)) connections reset"
            )
        }
        if let refused = one.refusals.max(by: { $0.value < $1.value }) {
            parts.append("\(grouped(refused.value)) batches refused: \(refused.key)")
        }
        return parts.joined(separator: "; ")
    }
}
