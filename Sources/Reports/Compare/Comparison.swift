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
    /// Phases that did not do the same amount of work, with what they did.
    private var uneven: [String] = []
    /// Settings that only one side says.
    private var unknown: Set<String> = []
    /// Settings that differ, and in which phases.
    private var settings: [(text: String, phases: [String])] = []

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
        notes += settings.map { "\($0.text) (\($0.phases.joined(separator: ", ")))" }
        if !unknown.isEmpty {
            notes.append("settings that one side's version did not have: \(unknown.sorted().joined(separator: ", "))")
        }
        if !uneven.isEmpty {
            notes.append(
                "lookups: \(uneven.joined(separator: ", ")); from there on shares and latencies are compared, and no counts"
            )
        }
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
        noteSettings(old, new)
        let work = [old, new].map { Double($0.lookups.total) }
        if Difference(before: work[0], after: work[1]).exceeds(tolerance: tolerance, floor: 10) {
            uneven.append("\(old.name) \(rounded(work[0])) before and \(rounded(work[1])) after")
        }
        // What phases leave behind, the next ones find.
        let isSameWork = uneven.isEmpty
        // Where all ports were taken, how many connections there could be was not the work's to say.
        let ranOut = [old, new].contains { $0.portsInUsePeak >= $0.portsCapacity }
        for measure in Measures.ofPhases where isSameWork || !ranOut || measure.name != "dials.ok" {
            compare(measure, old, new, of: (old.name, ""), lookups: (work[0], work[1]), isSameWork: isSameWork)
        }
        for client in old.clients {
            guard let other = new.clients.first(where: { $0.name == client.name }) else {
                regressions.append("\(old.name): caller \(client.name) was not there")
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

    private mutating func noteSettings(_ old: PhaseResult, _ new: PhaseResult) {
        for name in Settings.names {
            let known = [old, new].compactMap { $0.settings[name] }
            // Versions of before had fewer settings, and did as the defaults of now say.
            if known.count == 1 { unknown.insert(name) }
            guard known.count == 2 else { continue }
            let values = known
            // A run's own log file is in a folder of its own.
            guard values[0] != values[1], !values.allSatisfy({ $0.hasPrefix("file:") }) else { continue }
            let text = "\(name): \(values[0]) before, \(values[1]) after"
            if let index = settings.firstIndex(where: { $0.text == text }) {
                settings[index].phases.append(old.name)
            } else {
                settings.append((text, [old.name]))
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
