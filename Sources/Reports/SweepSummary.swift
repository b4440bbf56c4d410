package import Results
internal import Text

extension SweepResult {
    /// The ranking, and what is to be learned from it, as plain lines of any length.
    package var summary: [String] { summary(width: nil).map(\.text) }

    /// - Parameter width: characters a line should have; nil for any number.
    package func summary(width: Int?) -> [ScreenLine] {
        let failures = runs.filter { $0.result == nil }.map {
            "not measured: \(plan.text($0.cell.values)), repetition \($0.cell.repetition): \($0.error ?? "")"
        }
        let table = SweepTable(self).text
        let ranked = ranking.isEmpty ? [] : table.lines(fitting: width).map { ScreenLine($0) } + [""]
        func lines(_ text: String, _ tone: ScreenLine.Tone) -> [ScreenLine] {
            text.wrapped(to: width, indent: "  ").map { ScreenLine($0, tone) }
        }
        return [""] + ranked + failures.flatMap { lines($0, .bad) }
            + findings.enumerated().flatMap { lines($0.element, $0.offset == 0 ? .heading : .plain) }
    }
}

/// The ranking of a sweep as rows.
struct SweepTable {
    let header = [
        "", "lookups/s", "small p99 ms", "in time", "heavy p99 ms", "connects/s", "TIME_WAIT", "errors", "threads",
        "MiB",
    ]
    private(set) var rows: [[String]] = []

    init(_ sweep: SweepResult) {
        func text(_ spread: Aggregate.Spread?) -> String { spread.map { rounded($0.median) } ?? "-" }
        rows = sweep.ranking.map { one in
            guard one.runs > 0 else {
                return [sweep.plan.text(one.values), "-", "-", "-", "-", "-", "-", "crashed", "-", "-"]
            }
            let errors = one.errorsByName.max { ($0.value.median, $1.key) < ($1.value.median, $0.key) }
            return [
                sweep.plan.text(one.values), text(one.lookupsPerSecond), one.smallP99?.text ?? "-",
                one.smallInTime.map { "\(rounded($0.median))%" } ?? "-", text(one.heavyP99),
                text(one.dialsPerSecond), text(one.timeWaitPeak),
                one.crashes > 0
                    ? "crashed \(one.crashes)x" : errors.map { "\($0.key) \(rounded($0.value.median))" } ?? "0",
                text(one.threadsPeak), text(one.rssPeakMiB),
            ]
        }
    }

    var text: TextTable {
        var table = TextTable(header: header)
        for row in rows { table.add(row) }
        return table
    }
}
