internal import Results
internal import Text

/// The report of a sweep, as the content of a page: what is recommended, the picture, the ranking, and curves.
struct SweepPage {
    let sweep: SweepResult

    var title: String { "Spiral: sweep" }

    var content: [Markup] {
        let charts = SweepCharts(sweep)
        return [.make("h1", [:], [.text(title)]), introduction, findings] + charts.tradeOffFigure + ranking
            + charts.curveFigures + environment
    }

    private var introduction: Markup {
        let names = sweep.plan.variations.map(\.name).joined(separator: " × ")
        let planned = sweep.plan.grid.count
        let missing = planned > sweep.ranking.count ? " of \(grouped(planned))" : ""
        return .make(
            "p",
            ["class": "soft"],
            [
                .text(
                    "\(names): \(grouped(sweep.ranking.count))\(missing) combinations, \(grouped(sweep.runs.count)) runs of "
                        + "\(rounded(sweep.plan.duration)) s after \(rounded(sweep.plan.warmUp)) s of warm-up, each in a network "
                        + "namespace of its own. Callers: \(sweep.plan.clients.joined(separator: "; "))."
                )
            ]
        )
    }

    private var findings: Markup {
        let lines = sweep.findings.enumerated().map { index, line in
            Markup.make(index == 0 ? "b" : "p", [:], [.text(line)])
        }
        let failures = sweep.runs.compactMap { run in
            run.error.map { error in
                Markup.make(
                    "p",
                    ["class": "bad"],
                    ["Not measured: \(sweep.plan.text(run.cell.values)), repetition \(run.cell.repetition): \(error)"]
                )
            }
        }
        let isPartial = sweep.interrupted || sweep.runs.count < sweep.plan.cellCount
        return .make("div", ["class": isPartial ? "verdict failed" : "verdict", "id": "findings"], lines + failures)
    }

    private var ranking: [Markup] {
        let columns = sweep.plan.service == nil ? settingColumns : serviceColumns
        let rows = sweep.ranking.map { one in
            [.init(sweep.plan.text(one.values))]
                + columns.map {
                    one.runs > 0 ? $0.cell(one) : ["errors", "failed"].contains($0.name) ? "crashed" : "–"
                }
        }
        return PageParts.heading(
            "Ranking",
            note:
                "What fails or runs out of ports comes last, and what was not answered after it; the others by what the "
                + "small callers got. Median of its runs, with least and most below."
        ) + [
            PageParts.table(id: "ranking", ["settings"] + columns.map(\.name), rows),
            .make(
                "p",
                ["class": "soft"],
                [
                    sweep.plan.service == nil
                        ? "“!”: more dials, failed ones included, than the ports of one address sustain."
                        : "“!”: more dials than the ports of one address sustain. Measured from outside: –, where only the server knows."
                ]
            ),
        ]
    }

    private typealias Column = (name: String, cell: (Aggregate) -> PageParts.Cell)

    private var settingColumns: [Column] {
        [
            ("lookups/s", { cell($0.lookupsPerSecond) }), ("small p99 ms", { cell($0.smallP99) }),
            ("complete within SLO", { cell($0.smallInTime, mark: "%") }), ("heavy p99 ms", { cell($0.heavyP99) }),
            ("dials/s", { cell($0.dialsPerSecond, mark: $0.exhaustsPorts ? " !" : "") }),
            ("TIME_WAIT", { cell($0.timeWaitPeak) }), ("errors", errors),
            ("threads", { cell($0.threadsPeak) }), ("MiB", { cell($0.rssPeakMiB) }),
        ]
    }

    /// What is to be seen of somebody's own server.
    private var serviceColumns: [Column] {
        [
            ("batches/s", { cell($0.answersPerSecond) }), ("small p99 ms", { cell($0.smallP99) }),
            ("complete within SLO", { cell($0.smallInTime, mark: "%") }), ("heavy p99 ms", { cell($0.heavyP99) }),
            ("complete", { cell($0.completePercent, mark: "%") }),
            ("failed", { $0.crashes > 0 ? "crashed \($0.crashes)×" : cell($0.failedBatches) }),
            ("dials/s", { cell($0.dialsPerSecond, mark: $0.exhaustsPorts ? " !" : "") }),
            ("ports", { cell($0.portsInUsePeak) }), ("TIME_WAIT", { cell($0.timeWaitPeak) }),
            ("threads", { cell($0.threadsPeak) }), ("MiB", { cell($0.rssPeakMiB) }),
        ]
    }

    private func errors(of one: Aggregate) -> PageParts.Cell {
        let names = one.errorsByName.sorted { ($1.value.median, $0.key) < ($0.value.median, $1.key) }.map(\.key)
        return .init(
            one.crashes > 0 ? "crashed \(one.crashes)×" : PageParts.text(one.errors?.median),
            note: names.joined(separator: " ")
        )
    }

    private func cell(_ spread: Aggregate.Spread?, mark: String = "") -> PageParts.Cell {
        guard let spread else { return "–" }
        let isOne = rounded(spread.min) == rounded(spread.max)
        return .init(rounded(spread.median) + mark, note: isOne ? "" : "\(rounded(spread.min))–\(rounded(spread.max))")
    }

    private var environment: [Markup] {
        guard let machine = sweep.environment else {
            return PageParts.heading("Where it was measured", note: "Its file does not say.")
        }
        return PageParts.heading("Where it was measured") + [
            .make(
                "p",
                [:],
                [
                    .text(
                        "\(machine.date); kernel \(machine.kernel), \(machine.cores) cores; memcached \(machine.memcached), "
                            + "libmemcached \(machine.libmemcached); ports "
                            + "\(machine.portRange.map { "\($0)" }.joined(separator: "–")); tcp_tw_reuse \(machine.tcpTwReuse); "
                            + "seed \(sweep.plan.seed); \(sweep.build?.text.map { "\($0); " } ?? "")\(sweep.schema)."
                    )
                ]
            )
        ]
    }
}
