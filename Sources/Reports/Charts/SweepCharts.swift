package import Results
internal import Sweeps
internal import Text

/// The charts of a sweep: what the small callers get against what all get, and each figure over the number of a limit.
package struct SweepCharts {
    private let sweep: SweepResult

    package init(_ sweep: SweepResult) {
        self.sweep = sweep
    }

    /// What distinguishes a combination: a limit says what it is by itself, as does any setting where it is the only one.
    private func label(_ values: [String]) -> String {
        let settings = sweep.plan.variations
        guard settings.count > 1 else { return values.joined() }
        return zip(settings, values).map { $0.name == "limit" ? $1 : "\($0.name)=\($1)" }.joined(separator: " ")
    }

    private func isChosen(_ one: Aggregate) -> Bool {
        sweep.recommended == sweep.plan.named(one.values)
    }

    private func point(_ one: Aggregate, x: Aggregate.Spread, y: Aggregate.Spread) -> PointChart.Point {
        PointChart.Point(
            x: x.median,
            y: y.median,
            xRange: x.min < x.max ? x.min...x.max : nil,
            yRange: y.min < y.max ? y.min...y.max : nil,
            name: sweep.plan.text(one.values),
            label: label(one.values),
            isSound: one.isFeasible,
            isChosen: isChosen(one)
        )
    }

    /// The small callers' p99 against throughput; nil when no combination has both.
    package var tradeOff: PointChart? {
        let points = sweep.ranking.compactMap { one -> PointChart.Point? in
            guard let x = one.lookupsPerSecond, let y = one.smallP99 else { return nil }
            return point(one, x: x, y: y)
        }
        guard !points.isEmpty else { return nil }
        // Of those that do what they should, each that gives more lookups than all with a shorter wait.
        var most = -Double.infinity
        let edge = points.filter(\.isSound).sorted { ($0.y, $1.x) < ($1.y, $0.x) }.filter { point in
            defer { most = max(most, point.x) }
            return point.x > most
        }
        var note =
            "Lower and farther right is better. A dot is the median of a combination's runs, its arms least and most. "
            + "Hollow: it fails lookups or batches, or runs out of ports. Dotted: none is better in both."
        let unplaced = sweep.ranking.count - points.count
        if unplaced > 0 {
            note += " \(grouped(unplaced)) combinations without an answer to the small callers are not drawn."
        }
        let planned = sweep.plan.cellCount
        let missing = planned - sweep.runs.count
        if missing > 0 { note += " \(grouped(missing)) of \(grouped(planned)) runs are missing." }
        return PointChart(
            id: "trade-off",
            title: "What the small callers wait, and what all get",
            note: note,
            xTitle: "lookups answered per second",
            yTitle: "small callers' p99, ms",
            isYLogarithmic: true,
            series: [.init(name: "combinations", points: points)],
            edge: edge
        )
    }

    var tradeOffFigure: [Markup] { tradeOff.map { [$0.figure] } ?? [] }

    /// Each figure over the number of a limit, where three or more were measured.
    package var curves: [PointChart] {
        guard let column = sweep.plan.limitColumn else { return [] }
        var kinds: [(name: String, members: [(Double, Aggregate)])] = []
        // Those without a number, as none and vegas: lines across. A limit of 0 has no place on the axis either.
        var others: [(name: String, one: Aggregate)] = []
        for one in sweep.ranking where one.runs > 0 {
            guard let (kind, number) = SweepPlan.limitNumber(in: one.values[column]), number > 0 else {
                others.append((label(one.values), one))
                continue
            }
            var values = one.values
            values[column] = kind.isEmpty ? "N" : "\(kind):N"
            let name = label(values)
            if let index = kinds.firstIndex(where: { $0.name == name }) {
                kinds[index].members.append((Double(number), one))
            } else {
                kinds.append((name, [(Double(number), one)]))
            }
        }
        guard kinds.contains(where: { $0.members.count > 2 }) else { return [] }
        // The curves first; what was measured with one or two numbers are dots beside them.
        kinds = kinds.filter { $0.members.count > 2 } + kinds.filter { $0.members.count <= 2 }
        let knees = LimitKnees(sweep.plan, sweep.ranking).knees
        let capacity = sweep.environment.flatMap {
            $0.portRange.count == 2 ? $0.portRange[1] - $0.portRange[0] + 1 : nil
        }
        func curve(
            _ id: String,
            _ title: String,
            _ yTitle: String,
            isLogarithmic: Bool = false,
            level: Chart.Level? = nil,
            _ figure: (Aggregate) -> Aggregate.Spread?
        ) -> PointChart {
            PointChart(
                id: "curve-\(id)",
                title: title,
                note: "Hollow: it fails lookups or batches, or runs out of ports."
                    + (others.isEmpty ? "" : " Dashed: a limit without a number; “fails” is said beside its name."),
                xTitle: "\(sweep.plan.variations[column].name) N, logarithmic",
                yTitle: yTitle,
                isXLogarithmic: true,
                isYLogarithmic: isLogarithmic,
                series: kinds.map { name, members in
                    .init(
                        name: name,
                        points: members.sorted { $0.0 < $1.0 }.compactMap { number, one in
                            figure(one).map { spread in
                                var point = point(one, x: spread, y: spread)
                                (point.x, point.xRange) = (number, nil)
                                let isKnee = members.count > 2 && knees.contains(one.values)
                                point.label =
                                    point.isChosen || isKnee ? rounded(number) + (isKnee ? ", knee" : "") : nil
                                return point
                            }
                        },
                        isJoined: members.count > 2
                    )
                }.filter { !$0.points.isEmpty },
                references: others.compactMap { name, one in
                    figure(one).map { spread in
                        .init(
                            name: "\(name): \(rounded(spread.median))" + (one.isFeasible ? "" : ", fails"),
                            value: spread.median
                        )
                    }
                },
                level: level
            )
        }
        let sustainable = capacity.map {
            Chart.Level(name: "sustained by one source address: \(rounded(Double($0) / 60))", value: Double($0) / 60)
        }
        return [
            curve("smallP99", "p99 of the small callers", "ms", isLogarithmic: true, \.smallP99),
            curve("lookups", "Lookups answered", "per second", \.lookupsPerSecond),
            curve("heavyP99", "p99 of the heavy caller", "ms", isLogarithmic: true, \.heavyP99),
            curve("dials", "Connections opened", "per second", level: sustainable, \.dialsPerSecond),
        ].filter { $0.points.contains { $0.y > 0 } }
    }

    var curveFigures: [Markup] {
        let figures = curves.map(\.figure)
        return figures.isEmpty ? [] : PageParts.heading("Over the number of the limit") + figures
    }
}
