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
        func text(_ spread: Aggregate.Spread?) -> String { spread.map { rounded($0.median) } ?? "-" }
        for one in ranking {
            guard one.runs > 0 else {
                table.add([plan.text(one.values), "-", "-", "-", "-", "-", "-", "crashed", "-", "-"])
                continue
            }
            let errors = one.errorsByName.max { ($0.value.median, $1.key) < ($1.value.median, $0.key) }
            table.add([
                plan.text(one.values), text(one.lookupsPerSecond), one.smallP99?.text ?? "-",
                one.smallInTime.map { "\(rounded($0.median))%" } ?? "-", text(one.heavyP99),
                text(one.dialsPerSecond), text(one.timeWaitPeak),
                one.crashes > 0
                    ? "crashed \(one.crashes)x" : errors.map { "\($0.key) \(rounded($0.value.median))" } ?? "0",
                text(one.threadsPeak), text(one.rssPeakMiB),
            ])
        }
        let failures = runs.filter { $0.result == nil }.map {
            "not measured: \(plan.text($0.cell.values)), repetition \($0.cell.repetition): \($0.error ?? "")"
        }
        let ranked = ranking.isEmpty ? [] : table.lines + [""]
        return [""] + ranked + failures + findings
    }
}
