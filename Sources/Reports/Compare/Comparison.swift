internal import LoadGenerator
internal import PostRecords
package import Results
internal import Scenarios
internal import Text

/// Two results of one scenario, and where they differ by more than noise.
package struct Comparison {
    private let before: RunResult
    private let after: RunResult
    private let sides: Sides
    private let tolerance: Double
    /// What got worse, one line each.
    package private(set) var regressions: [String] = []
    private var rows: [[String]] = []
    private var notes: [String] = []

    /// - Parameters:
    ///   - before: what there was, with the file's name.
    ///   - after: what there is now, likewise.
    ///   - tolerance: share of the value before, 0.1 for 10%.
    package init(_ before: (file: String, RunResult), _ after: (file: String, RunResult), tolerance: Double) {
        self.before = before.1
        self.after = after.1
        self.tolerance = tolerance
        sides = Sides(before, after)
        guard sides.obstacles.isEmpty else { return }
        notes = sides.notes
        if !sides.isSameMachine {
            notes.append("so what the machine decides is left out: latency, threads, memory, lookups in flight")
        }
        for phase in self.before.phases { compare(phase) }
        for phase in self.after.phases where !self.before.phases.contains(where: { $0.name == phase.name }) {
            notes.append("phase \(phase.name) was not played before")
        }
    }

    /// Why the two cannot be compared; empty when they can.
    package var obstacles: [String] { sides.obstacles }

    /// A table of the differences, and the regressions, for a pull request.
    package var markdown: [String] {
        func text(_ line: String) -> String { MarkdownTable.escaped(line) }
        var lines = [
            "## \(text(before.scenario)): \(text(before.verdict.text)) → \(text(after.verdict.text))", "",
        ]
        lines += sides.names.map { "- \(text($0))" } + [""]
        if !notes.isEmpty { lines += ["Not the same:", ""] + notes.map { "- \(text($0))" } + [""] }
        if rows.isEmpty {
            lines.append("No figure differs by more than \(rounded(tolerance * 100))%.")
        } else {
            let header = ["phase", "figure", "before", "after", "change"]
            lines += MarkdownTable.lines(header: header, rows: rows, text: [1])
        }
        lines.append("")
        return lines
            + (regressions.isEmpty ? ["No regression."] : ["Regressions:", ""] + regressions.map { "- \(text($0))" })
    }

    private mutating func compare(_ old: PhaseResult) {
        guard let new = after.phases.first(where: { $0.name == old.name }) else {
            return regressions.append("phase \(old.name) was not played")
        }
        for name in Settings.names where old.settings[name] != new.settings[name] {
            let values = [old, new].map { $0.settings[name] ?? "-" }
            notes.append("\(old.name): \(name) \(values[0]) before, \(values[1]) after")
        }
        let work = [old, new].map { Double($0.lookups.total) }
        let isSameWork = !Difference(before: work[0], after: work[1]).exceeds(tolerance: tolerance, floor: 10)
        if !isSameWork {
            notes.append(
                "\(old.name): \(rounded(work[0])) lookups in \(rounded(old.duration)) s before, \(rounded(work[1])) in "
                    + "\(rounded(new.duration)) s after, so only shares and latencies are compared"
            )
        }
        for measure in Measures.ofPhases {
            compare(measure, old, new, of: (old.name, ""), lookups: (work[0], work[1]), isSameWork: isSameWork)
        }
        for client in old.clients {
            guard let other = new.clients.first(where: { $0.name == client.name }) else {
                regressions.append("\(old.name): client \(client.name) was not there")
                continue
            }
            for measure in Measures.ofClients {
                compare(
                    measure,
                    client,
                    other,
                    of: (old.name, "\(client.name) "),
                    lookups: (work[0], work[1]),
                    isSameWork: isSameWork
                )
            }
        }
        for claim in old.expectations where claim.pass {
            if let now = new.expectations.first(where: { $0.text == claim.text }), !now.pass {
                regressions.append("\(old.name): \(claim.text) passed, and fails now (observed \(now.observed))")
            }
        }
    }

    /// - Parameters:
    ///   - subject: the phase, and what the figure's name begins with.
    ///   - lookups: that ended before and after.
    ///   - isSameWork: whether both did about as much.
    private mutating func compare<Subject>(
        _ measure: Measure<Subject>,
        _ old: Subject,
        _ new: Subject,
        of subject: (phase: String, client: String),
        lookups: (before: Double, after: Double),
        isSameWork: Bool
    ) {
        guard let change = measure.change else { return }
        switch change.basis {
        case .work where !isSameWork: return
        case .machine where !sides.isSameMachine: return
        default: break
        }
        func value(_ subject: Subject, _ lookups: Double) -> Double? {
            guard let value = measure.value(subject) else { return nil }
            guard change.basis == .shareOfLookups else { return measure.shown(value) }
            return lookups > 0 ? 100 * value / lookups : nil
        }
        let name = subject.client + change.name
        switch (value(old, lookups.before), value(new, lookups.after)) {
        case (nil, nil): break
        case (let old?, nil):
            rows.append([subject.phase, name, rounded(old), "-", "not measured"])
            if change.worse != .neither {
                regressions.append("\(subject.phase): \(name) \(rounded(old)) → not measured")
            }
        case (nil, let new?):
            rows.append([subject.phase, name, "-", rounded(new), "not measured before"])
        case (let old?, let new?):
            let difference = Difference(before: old, after: new)
            guard difference.exceeds(tolerance: tolerance, floor: change.floor) else { return }
            rows.append([subject.phase, name, rounded(old), rounded(new), "\(difference)"])
            if change.worse == (new > old ? .more : .less) {
                regressions.append("\(subject.phase): \(name) \(rounded(old)) → \(rounded(new)) (\(difference))")
            }
        }
    }
}
