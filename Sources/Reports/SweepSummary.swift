package import Results
internal import Text

extension SweepResult {
    /// The ranking, and what is to be learned from it, as plain lines of any length.
    package var summary: [String] { summary(width: nil).map(\.text) }

    /// - Parameter width: characters a line should have; nil for any number.
    package func summary(width: Int?) -> [ScreenLine] {
        let failures = runs.filter { !$0.isMeasured }.map {
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
    let header: [String]
    private(set) var rows: [[String]] = []

    init(_ sweep: SweepResult) {
        let columns = sweep.plan.service == nil ? Self.settingColumns : Self.serviceColumns
        header = [""] + columns.map(\.name)
        rows = sweep.ranking.map { one in
            [sweep.plan.text(one.values)]
                + columns.map { one.runs > 0 ? $0.text(one) : Self.failures.contains($0.name) ? "crashed" : "-" }
        }
    }

    private typealias Column = (name: String, text: @Sendable (Aggregate) -> String)

    /// The columns that say when nothing was measured.
    private static let failures = ["errors", "failed"]

    private static let settingColumns: [Column] = [
        ("lookups/s", { text($0.lookupsPerSecond) }), ("small p99 ms", { $0.smallP99?.text ?? "-" }),
        ("in time", { percent($0.smallInTime) }), ("heavy p99 ms", { text($0.heavyP99) }),
        ("connects/s", { text($0.dialsPerSecond) }), ("TIME_WAIT", { text($0.timeWaitPeak) }),
        (
            "errors",
            { one in
                let errors = one.errorsByName.max { ($0.value.median, $1.key) < ($1.value.median, $0.key) }
                return crashes(one) ?? errors.map { "\($0.key) \(rounded($0.value.median))" } ?? "0"
            }
        ),
        ("threads", { text($0.threadsPeak) }), ("MiB", { text($0.rssPeakMiB) }),
    ]

    /// What is to be seen of somebody's own server.
    private static let serviceColumns: [Column] = [
        ("batches/s", { text($0.answersPerSecond) }), ("small p99 ms", { $0.smallP99?.text ?? "-" }),
        ("in time", { percent($0.smallInTime) }), ("heavy p99 ms", { text($0.heavyP99) }),
        ("complete", { percent($0.completePercent) }), ("failed", { crashes($0) ?? text($0.failedBatches) }),
        ("connects/s", { text($0.dialsPerSecond) }), ("ports", { text($0.portsInUsePeak) }),
        ("TIME_WAIT", { text($0.timeWaitPeak) }), ("threads", { text($0.threadsPeak) }),
        ("MiB", { text($0.rssPeakMiB) }),
    ]

    private static func text(_ spread: Aggregate.Spread?) -> String { spread.map { rounded($0.median) } ?? "-" }

    private static func percent(_ spread: Aggregate.Spread?) -> String {
        spread.map { "\(rounded($0.median))%" } ?? "-"
    }

    private static func crashes(_ one: Aggregate) -> String? { one.crashes > 0 ? "crashed \(one.crashes)x" : nil }

    var text: TextTable {
        var table = TextTable(header: header)
        for row in rows { table.add(row) }
        return table
    }
}
