internal import LoadGenerator
internal import Text

extension DistributionChart {
    private struct Key {
        var name: String
        var colour: Int?
        var dash: String?
    }

    private static let dashed = "9 5"
    private static let dotted = "2 5"

    private var keys: [Key] {
        var names: [Key] = []
        for one in series where !names.contains(where: { $0.name == one.name }) {
            names.append(Key(name: one.name, colour: one.colour))
        }
        let isCut = series.contains { $0.atLeastMs != nil }
        return names + [Key(name: "answered"), Key(name: "all due", dash: Self.dashed)]
            + (isCut ? [Key(name: "not answered: at least", dash: Self.dotted)] : [])
    }

    /// The chart as SVG. Each line carries its points as they are in the result: `data-percentiles`, `data-ms` and
    /// `data-above`.
    /// - Parameter isAlone: whether it is a file of its own, not a part of a page.
    package func svg(_ layout: ChartLayout, isAlone: Bool = false) -> Markup {
        let size = layout.fontSize
        var plot = layout
        plot.right = layout.hasLabelsBeside ? 24 : layout.right
        plot.plotHeight = layout.plotHeight * 1.4
        let keys = self.keys
        let slots = layout.keySlots(keys.map(\.name))
        let keysTop = Double((slots.last?.row ?? -1) + 1) * 1.4 * size
        let frame = ChartFrame(layout: plot, x: x, y: y, top: keysTop + 1.9 * size)
        var parts = zip(keys, slots).flatMap { draw($0, $1, frame) }
        let ticks = ticks(over: frame.right - plot.left, layout)
        parts += frame.axes(xTitle: "percentile, logarithmic", yTitle: "ms", xTicks: ticks) { Self.percentile(at: $0) }
        parts.append(frame.text("ms, logarithmic", layout.width < 500 ? 2 : plot.left, keysTop + size, isStrong: true))
        parts += series.flatMap { draw($0, frame) }
        return frame.chart(id: id, title: title, description: summary, isAlone: isAlone, parts)
    }

    private func draw(_ one: Series, _ frame: ChartFrame) -> [Markup] {
        let spots = one.points.compactMap { point in
            frame.across(Self.position(of: point, among: one.batches)).flatMap { x in
                frame.up(max(point.ms, Self.leastMs)).map { (x: x, y: $0) }
            }
        }
        let (colour, name) = Palette.stroke(one.colour)
        func path(_ series: String, _ spots: [(x: Double, y: Double)], dash: String?, _ data: [Markup.Attribute])
            -> Markup
        {
            let steps = spots.enumerated().map { "\($0 == 0 ? "M" : "L")\(coordinate($1.x)) \(coordinate($1.y))" }
            let attributes: [Markup.Attribute] = [
                .init(name: "class", value: name), .init(name: "stroke", value: colour),
                .init(name: "fill", value: "none"), .init(name: "stroke-width", value: one.isOfAll ? "2.5" : "2"),
                .init(name: "stroke-linejoin", value: "round"), .init(name: "data-series", value: series),
                .init(name: "d", value: steps.isEmpty ? "M0 0" : steps.joined()),
            ]
            return .element(
                "path",
                attributes + (dash.map { [.init(name: "stroke-dasharray", value: $0)] } ?? []) + data,
                []
            )
        }
        func list(_ values: [String]) -> String { values.joined(separator: " ") }
        var parts = [
            path(
                one.fullName,
                spots,
                dash: one.isOfAll ? Self.dashed : nil,
                [
                    .init(name: "data-percentiles", value: list(one.points.map { "\($0.percentile)" })),
                    .init(name: "data-ms", value: list(one.points.map { "\($0.ms)" })),
                    .init(name: "data-above", value: list(one.points.map { "\($0.above)" })),
                ]
            )
        ]
        if let least = one.atLeastMs, let height = frame.up(max(least, Self.leastMs)),
            let end = frame.across(max(1, Double(one.batches) * 2))
        {
            let begin = spots.last?.x ?? frame.layout.left
            parts.append(
                path(
                    "\(one.name), not answered",
                    [(begin, height), (end, height)],
                    dash: Self.dotted,
                    [.init(name: "data-at-least", value: "\(least)")]
                )
            )
        }
        return parts
    }

    private func draw(_ key: Key, _ slot: (row: Int, x: Double), _ frame: ChartFrame) -> [Markup] {
        let layout = frame.layout
        let height = (Double(slot.row) * 1.4 + 1) * layout.fontSize
        let middle = height - 0.35 * layout.fontSize
        let swatch: Markup
        if let colour = key.colour {
            swatch = .make(
                "line",
                [
                    "class": Palette.stroke(colour).name, "stroke": Palette.colour(colour), "stroke-width": "4",
                    "x1": coordinate(slot.x), "x2": coordinate(slot.x + 28), "y1": coordinate(middle),
                    "y2": coordinate(middle),
                ]
            )
        } else {
            swatch = frame.line(slot.x, middle, slot.x + 28, middle, "edge", dash: key.dash)
        }
        let name = layout.lines(key.name, within: layout.width - slot.x - 36).first ?? ""
        return [swatch, frame.text(name, slot.x + 36, height, isStrong: true)]
    }
}
