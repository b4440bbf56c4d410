package import Results
internal import Text

extension SweepResult {
    /// The ranking, and what is to be learned from it.
    package var summary: [String] {
        let table = plan.service == nil ? settingsTable : serviceTable
        let failures = runs.filter { !$0.isMeasured }.map {
            "not measured: \(plan.text($0.cell.values)), repetition \($0.cell.repetition): \($0.error ?? "")"
        }
        let ranked = ranking.isEmpty ? [] : table.lines + [""]
        return [""] + ranked + failures + findings
    }

    private var settingsTable: TextTable {
        var table = TextTable(
            header: [
                "", "lookups/s", "small p99 ms", "in time", "heavy p99 ms", "dials/s", "TIME_WAIT", "errors", "threads",
                "MiB",
            ]
        )
        for one in ranking {
            guard one.runs > 0 else {
                table.add([plan.text(one.values), "-", "-", "-", "-", "-", "-", "crashed", "-", "-"])
                continue
            }
            let errors = one.errorsByName.max { ($0.value.median, $1.key) < ($1.value.median, $0.key) }
            table.add([
                plan.text(one.values), Self.text(one.lookupsPerSecond), one.smallP99?.text ?? "-",
                Self.percent(one.smallInTime), Self.text(one.heavyP99),
                Self.text(one.dialsPerSecond), Self.text(one.timeWaitPeak),
                one.crashes > 0
                    ? "crashed \(one.crashes)x" : errors.map { "\($0.key) \(rounded($0.value.median))" } ?? "0",
                Self.text(one.threadsPeak), Self.text(one.rssPeakMiB),
            ])
        }
        return table
    }

    /// What is to be seen of somebody's own server.
    private var serviceTable: TextTable {
        var table = TextTable(
            header: [
                "", "batches/s", "small p99 ms", "in time", "heavy p99 ms", "complete", "failed", "dials/s", "ports",
                "TIME_WAIT", "threads", "MiB",
            ]
        )
        for one in ranking {
            let failed = one.crashes > 0 ? "crashed \(one.crashes)x" : Self.text(one.failedBatches)
            table.add([
                plan.text(one.values), Self.text(one.answersPerSecond), one.smallP99?.text ?? "-",
                Self.percent(one.smallInTime), Self.text(one.heavyP99), Self.percent(one.completePercent), failed,
                Self.text(one.dialsPerSecond), Self.text(one.portsInUsePeak), Self.text(one.timeWaitPeak),
                Self.text(one.threadsPeak), Self.text(one.rssPeakMiB),
            ])
        }
        return table
    }

    private static func text(_ spread: Aggregate.Spread?) -> String { spread.map { rounded($0.median) } ?? "-" }

    private static func percent(_ spread: Aggregate.Spread?) -> String {
        spread.map { "\(rounded($0.median))%" } ?? "-"
    }
}
