internal import LoadGenerator
internal import Results
package import Sweeps
internal import Text

/// The comparison of two sweeps as Markdown.
package struct SweepComparisonReport {
    private let comparison: SweepComparison
    private let sides: Sides

    package init(_ comparison: SweepComparison, _ sides: Sides) {
        self.comparison = comparison
        self.sides = sides
    }

    package var markdown: [String] {
        func text(_ line: String) -> String { MarkdownTable.escaped(line) }
        var lines = ["## Two sweeps", ""] + sides.names.map { "- \(text($0))" } + [""]
        let notes = sides.notes + comparison.missing
        if !notes.isEmpty { lines += ["Not the same:", ""] + notes.map { "- \(text($0))" } + [""] }
        if !sides.isSameMachine {
            lines += ["The machines differ: latency and throughput say little about the change.", ""]
        }
        if comparison.rows.isEmpty {
            lines.append("No combination was measured in both.")
        } else {
            let header = [
                "combination", "small p99 ms before", "after", "change", "lookups/s before", "after",
                "connects/s before",
                "after",
            ]
            func number(_ spread: Aggregate.Spread?) -> String { spread.map { rounded($0.median) } ?? "-" }
            lines += MarkdownTable.lines(
                header: header,
                rows: comparison.rows.map { row in
                    [
                        row.combination, row.before.smallP99?.text ?? "-", row.after.smallP99?.text ?? "-", row.finding,
                        number(row.before.lookupsPerSecond), number(row.after.lookupsPerSecond),
                        number(row.before.dialsPerSecond), number(row.after.dialsPerSecond),
                    ]
                }
            )
        }
        let regressions = comparison.regressions
        return lines + [""]
            + (regressions.isEmpty ? ["No regression."] : ["Regressions:", ""] + regressions.map { "- \(text($0))" })
    }
}
