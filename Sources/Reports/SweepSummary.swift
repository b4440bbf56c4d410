package import Results
internal import Text

extension SweepResult {
    /// The ranking, and what is to be learned from it.
    package var summary: [String] {
        var table = TextTable(
            header: [
                "", "lookups/s", "small p99 ms", "in time", "heavy p99 ms", "dials/s", "TIME_WAIT", "errors", "threads",
                "MiB",
            ]
        )
        for standing in ranking {
            guard standing.runs > 0 else {
                table.add([plan.text(standing.values), "-", "-", "-", "-", "-", "-", "crashed", "-", "-"])
                continue
            }
            let errors = standing.errorsByName.max { ($0.value.median, $1.key) < ($1.value.median, $0.key) }
            table.add([
                plan.text(standing.values), rounded(standing.lookupsPerSecond.median), standing.smallP99.text,
                standing.smallInTime.map { "\(rounded($0.median))%" } ?? "-", rounded(standing.heavyP99.median),
                rounded(standing.dialsPerSecond.median), rounded(standing.timeWaitPeak.median),
                standing.crashes > 0
                    ? "crashed \(standing.crashes)x" : errors.map { "\($0.key) \(rounded($0.value.median))" } ?? "0",
                rounded(standing.threadsPeak.median), rounded(standing.rssPeakMiB.median),
            ])
        }
        let failures = runs.filter { $0.result == nil }.map {
            "not measured: \(plan.text($0.cell.values)), turn \($0.cell.turn): \($0.error ?? "")"
        }
        let ranked = ranking.isEmpty ? [] : table.lines + [""]
        return [""] + ranked + failures + findings
    }
}
