internal import LoadGenerator
internal import PostRecords
package import Results
internal import Scenarios
internal import Text

/// Two results of one scenario, and where they differ by more than noise.
package struct Comparison {
    private let before: RunResult
    private let after: RunResult
    private let tolerance: Double
    /// What got worse, one line each.
    package private(set) var regressions: [String] = []
    private var rows: [String] = []

    /// - Parameter tolerance: share of the value before, 0.1 for 10%.
    package init(_ before: RunResult, _ after: RunResult, tolerance: Double) {
        self.before = before
        self.after = after
        self.tolerance = tolerance
        for phase in before.phases { compare(phase) }
    }

    /// A table of the differences, and the regressions, for a pull request.
    package var markdown: [String] {
        var lines = ["## \(before.scenario): \(before.verdict.text) → \(after.verdict.text)", ""]
        if before.scenario != after.scenario {
            lines += ["Not the same scenario: the second is \(after.scenario).", ""]
        }
        if rows.isEmpty {
            lines.append("No figure differs by more than \(rounded(tolerance * 100))%.")
        } else {
            lines += ["| phase | figure | before | after | change |", "|---|---|---:|---:|---:|"] + rows
        }
        lines.append("")
        lines += regressions.isEmpty ? ["No regression."] : ["Regressions:"] + regressions.map { "- \($0)" }
        return lines
    }

    private mutating func compare(_ old: PhaseResult) {
        guard let new = after.phases.first(where: { $0.name == old.name }) else {
            return regressions.append("phase \(old.name) was not played")
        }
        for measure in Measures.ofPhases { compare(measure, old, new, phase: old.name, of: "") }
        for client in old.clients {
            guard let other = new.clients.first(where: { $0.name == client.name }) else {
                regressions.append("\(old.name): client \(client.name) was not there")
                continue
            }
            for measure in Measures.ofClients {
                compare(measure, client, other, phase: old.name, of: "\(client.name) ")
            }
        }
        for claim in old.expectations where claim.pass {
            if let now = new.expectations.first(where: { $0.text == claim.text }), !now.pass {
                regressions.append("\(old.name): \(claim.text) passed, and fails now (observed \(now.observed))")
            }
        }
    }

    /// - Parameter client: what a name begins with.
    private mutating func compare<Subject>(
        _ measure: Measure<Subject>,
        _ old: Subject,
        _ new: Subject,
        phase: String,
        of client: String
    ) {
        guard let change = measure.change else { return }
        let name = client + change.name
        switch (measure.value(old).map(measure.shown), measure.value(new).map(measure.shown)) {
        case (nil, nil): break
        case (let old?, nil):
            rows.append("| \(phase) | \(name) | \(rounded(old)) | - | not measured |")
            if change.worse != .neither { regressions.append("\(phase): \(name) \(rounded(old)) → not measured") }
        case (nil, let new?):
            rows.append("| \(phase) | \(name) | - | \(rounded(new)) | not measured before |")
        case (let old?, let new?):
            let difference = new - old
            guard abs(difference) > max(change.floor, tolerance * abs(old)) else { return }
            let share = old == 0 ? "new" : "\(difference > 0 ? "+" : "")\(rounded(100 * difference / old))%"
            rows.append("| \(phase) | \(name) | \(rounded(old)) | \(rounded(new)) | \(share) |")
            if change.worse == (difference > 0 ? .more : .less) {
                regressions.append("\(phase): \(name) \(rounded(old)) → \(rounded(new)) (\(share))")
            }
        }
    }
}
