package import LoadGenerator
package import Results
internal import Scenarios
internal import Text

/// A result as Markdown, for a pull request or an incident's page: what happened first, then the figures.
package enum MarkdownReport {
    /// A run, as for a pull request.
    package static func lines(_ run: RunResult) -> [String] {
        var lines = [
            "## Spiral: \(MarkdownTable.escaped(run.scenario)): \(MarkdownTable.escaped(run.verdict.text))", "",
        ]
        let story = RunStory(run).sentences
        if let first = story.first { lines += ["**\(MarkdownTable.escaped(first))**", ""] }
        lines += story.dropFirst().map { "- \(MarkdownTable.escaped($0))" }
        if story.count > 1 { lines.append("") }
        if run.phases.isEmpty {
            lines.append("No phase was played to its end.")
        } else {
            lines += PhaseTable(run.phases).markdown
        }
        let claims = run.phases.flatMap { phase in
            phase.expectations.map {
                [
                    $0.pass ? "pass" : "**FAIL**", MarkdownTable.escaped(phase.name), "`\($0.text.printable)`",
                    MarkdownTable.escaped($0.observed),
                ]
            }
        }
        if !claims.isEmpty {
            lines +=
                ["", "| | phase | expected | observed |", "|---|---|---|---|"]
                + claims.map { "| " + $0.joined(separator: " | ") + " |" }
        }
        return lines + [""] + place(run.environment)
    }

    /// A sweep, as for a pull request.
    package static func lines(_ sweep: SweepResult) -> [String] {
        let table = SweepTable(sweep)
        var lines = [
            "## Spiral: a sweep of \(MarkdownTable.escaped(sweep.plan.variations.map(\.name).joined(separator: ", ")))",
            "",
        ]
        if let first = sweep.findings.first { lines += ["**\(MarkdownTable.escaped(first))**", ""] }
        lines += sweep.findings.dropFirst().map { "- \(MarkdownTable.escaped($0))" }
        if sweep.findings.count > 1 { lines.append("") }
        if !sweep.ranking.isEmpty { lines += MarkdownTable.lines(header: table.header, rows: table.rows) + [""] }
        return lines + (sweep.environment.map(place) ?? [])
    }

    package static func lines(_ load: LoadResult) -> [String] {
        let header = [
            "caller", "due", "answered", "failed", "unanswered", "not sent", "p50 ms", "p99 ms", "p99 of all due",
        ]
        let rows = load.clients.map { client in
            [client.name]
                + [client.due, client.answered, client.failed, client.unanswered, client.unsent].map { grouped($0) }
                + [client.latencyMs?.p50, client.latencyMs?.p99].map { $0.map(rounded) ?? "-" }
                + [client.latencyAllMs.map { $0.text($0.p99, rounded) } ?? "-"]
        }
        let verdict = load.invalidBecause.map { "INVALID: \($0)" } ?? "valid: the generator kept up"
        return [
            "## Spiral: load on \(MarkdownTable.escaped(load.target))", "", "**\(MarkdownTable.escaped(verdict))**", "",
            MarkdownTable.escaped(load.outcome), "",
        ] + MarkdownTable.lines(header: header, rows: rows)
    }

    /// Where it was measured, in a line.
    private static func place(_ environment: Environment) -> [String] {
        let ports =
            environment.portRange.count == 2
            ? ", ports \(environment.portRange[0])-\(environment.portRange[1])" : ""
        return [
            MarkdownTable.escaped(
                "Linux \(environment.kernel), \(environment.cores) cores, memcached \(environment.memcached), "
                    + "libmemcached \(environment.libmemcached)\(ports), \(environment.date)"
            )
        ]
    }
}
