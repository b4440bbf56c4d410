internal import Text

/// One figure against another: dots with how far their measurements lie apart, joined or not.
package struct PointChart: Sendable {
    /// A dot, and how far its repeats lie apart.
    package struct Point: Sendable {
        package var x: Double
        package var y: Double
        /// Least and most of several measurements; nil of one.
        var xRange: ClosedRange<Double>?
        var yRange: ClosedRange<Double>?
        package var name: String
        /// What is written beside it; nil for nothing.
        var label: String?
        /// Whether it does what it should; what does not is hollow.
        var isSound = true
        /// Whether it is the one that is recommended.
        package var isChosen = false
    }

    /// Dots of one colour.
    package struct Series: Sendable {
        package var name: String
        package var points: [Point]
        var isJoined = false
    }

    /// What has no place across: a line at its height.
    package struct Reference: Sendable {
        package var name: String
        package var value: Double
    }

    var id: String
    package var title: String
    var note: String
    var xTitle: String
    var yTitle: String
    var isXLogarithmic = false
    var isYLogarithmic = false
    package var series: [Series]
    package var references: [Reference] = []
    var level: Chart.Level?
    /// Points of which none is better in both figures, in order; empty where that is no question.
    package var edge: [Point] = []

    var points: [Point] { series.flatMap(\.points) }

    private func scale(_ values: [Double], isLogarithmic: Bool, isAcross: Bool) -> ChartScale {
        if isLogarithmic { return .logarithmic(around: values) }
        let (least, most) = (values.min() ?? 0, values.max() ?? 1)
        // Across, what lies close together is drawn apart; upwards a figure begins at nothing.
        let margin = max((most - least) * 0.12, most * 0.02)
        return isAcross ? .linear(from: max(0, least - margin), to: most + margin) : .linear(to: most * 1.08)
    }

    /// The chart as SVG.
    package func svg(_ layout: ChartLayout, isAlone: Bool = false) -> Markup {
        let size = layout.fontSize
        let names = series.map(\.name) + references.map(\.name) + (level.map { [$0.name] } ?? [])
        let keys = names.count > 1 ? names : []
        let xs = points.flatMap { [$0.x, $0.xRange?.lowerBound, $0.xRange?.upperBound].compactMap { $0 } }
        let ys =
            points.flatMap { [$0.y, $0.yRange?.lowerBound, $0.yRange?.upperBound].compactMap { $0 } }
            + references.map(\.value) + (level.map { [$0.value] } ?? [])
        var plot = layout
        plot.right = layout.hasLabelsBeside ? 24 : layout.right
        plot.plotHeight = layout.plotHeight * 1.6
        let frame = ChartFrame(
            layout: plot,
            x: scale(xs, isLogarithmic: isXLogarithmic, isAcross: true),
            y: scale(ys, isLogarithmic: isYLogarithmic, isAcross: false),
            top: Double(keys.count) * 1.4 * size + 2 * size
        )
        var parts: [Markup] = []
        for (index, key) in keys.enumerated() {
            let height = (Double(index) * 1.4 + 1) * size
            if index < series.count {
                parts.append(
                    series[index].isJoined
                        ? line(2, height - 6, 30, height - 6, colour: index, width: 4)
                        : circle(16, height - 6, colour: index)
                )
            } else if index < series.count + references.count {
                parts.append(line(2, height - 6, 30, height - 6, colour: index, width: 4, dash: Self.dash))
            } else {
                parts.append(frame.line(2, height - 6, 30, height - 6, "edge", dash: "7 4"))
            }
            parts.append(
                frame.text(layout.lines(key, within: layout.width - 44).first ?? "", 40, height, isStrong: true)
            )
        }
        // Numbers of a limit are those that were measured.
        let numbers = isXLogarithmic ? Set(points.map(\.x)).sorted() : nil
        parts += frame.axes(xTitle: xTitle, yTitle: yTitle, xTicks: numbers) { rounded($0) }
        let yText = yTitle + (isYLogarithmic ? ", logarithmic" : "")
        parts.append(frame.text(yText, 2, frame.top - 0.8 * size, isStrong: true))
        for (index, one) in references.enumerated() {
            guard let height = frame.up(one.value) else { continue }
            let colour = series.count + index
            parts.append(
                line(
                    plot.left,
                    height,
                    frame.right,
                    height,
                    colour: colour,
                    width: 2.5,
                    dash: Self.dash,
                    name: one.name
                )
            )
        }
        if let level, let height = frame.up(level.value) {
            parts.append(frame.line(plot.left, height, frame.right, height, "edge", dash: "7 4"))
        }
        let stairs = edge.compactMap { point in
            frame.across(point.x).flatMap { x in frame.up(point.y).map { (x, $0) } }
        }
        if stairs.count > 1 {
            parts.append(
                .make(
                    "path",
                    [
                        "class": "s2", "stroke": Palette.colour(2), "stroke-width": "3", "fill": "none",
                        "stroke-dasharray": "3 4", "data-series": "edge", "d": path(stairs),
                    ]
                )
            )
        }
        for (index, one) in series.enumerated() { parts += draw(one, index, frame) }
        parts += labels(frame)
        return frame.chart(id: id, title: title, description: summary, isAlone: isAlone, parts)
    }

    /// In words, for those who do not see it.
    var summary: String {
        let facts =
            points.prefix(60).map { point in
                "\(point.name): \(rounded(point.x)), \(rounded(point.y))" + (point.isChosen ? ", recommended" : "")
            } + references.map { "\($0.name): \(rounded($0.value))" }
        return "\(yTitle) against \(xTitle). " + facts.joined(separator: "; ") + "."
    }

    /// The chart in a page; its values are those of the ranking.
    var figure: Markup {
        .make(
            "figure",
            ["id": id, "class": "chart-figure"],
            [
                .make("figcaption", [:], [.make("b", [:], [.text(title)]), .make("span", [:], [.text(" " + note)])]),
                .make("div", ["class": "pictures"], [svg(.wide), svg(.narrow)]),
            ]
        )
    }

    // MARK: Pieces

    private func draw(_ one: Series, _ index: Int, _ frame: ChartFrame) -> [Markup] {
        var parts: [Markup] = []
        let placed = one.points.compactMap { point in
            frame.across(point.x).flatMap { x in frame.up(point.y).map { (point: point, x: x, y: $0) } }
        }
        if one.isJoined, placed.count > 1 {
            parts.append(
                .make(
                    "path",
                    [
                        "class": "s\(index % Palette.light.count)", "stroke": Palette.colour(index),
                        "stroke-width": "2.5",
                        "fill": "none", "d": path(placed.map { ($0.x, $0.y) }),
                    ]
                )
            )
        }
        for (point, x, y) in placed {
            if let range = point.yRange, let low = frame.up(range.lowerBound), let high = frame.up(range.upperBound) {
                parts.append(line(x, low, x, high, colour: index, width: 2))
            }
            if let range = point.xRange, let low = frame.across(range.lowerBound),
                let high = frame.across(range.upperBound)
            {
                parts.append(line(low, y, high, y, colour: index, width: 2))
            }
            let name = "f\(index % Palette.light.count)"
            parts.append(
                .make(
                    "circle",
                    [
                        "class": point.isSound ? name : "s\(index % Palette.light.count) hollow",
                        "fill": point.isSound ? Palette.colour(index) : Palette.lightGrounds[0],
                        "stroke": point.isSound ? nil : Palette.colour(index),
                        "stroke-width": point.isSound ? nil : "2",
                        "r": point.isChosen ? "9" : "6", "cx": coordinate(x), "cy": coordinate(y),
                        "data-point": point.name,
                    ],
                    [.make("title", [:], ["\(point.name): \(rounded(point.x)), \(rounded(point.y))"])]
                )
            )
        }
        return parts
    }

    /// Names beside their dots, those that matter most first; one that would be written over a dot or another name is left
    /// out, but for the one that is recommended.
    private func labels(_ frame: ChartFrame) -> [Markup] {
        let size = frame.layout.fontSize
        var taken: [(x: ClosedRange<Double>, y: ClosedRange<Double>)] = points.compactMap { point in
            guard let x = frame.across(point.x), let y = frame.up(point.y) else { return nil }
            return ((x - 8)...(x + 8), (y - 8)...(y + 8))
        }
        var parts: [Markup] = []
        let onEdge = Set(edge.map(\.name))
        func weight(_ point: Point) -> Int { point.isChosen ? 0 : onEdge.contains(point.name) ? 1 : 2 }
        for point in points.sorted(by: { weight($0) < weight($1) }) {
            guard let label = point.label, let x = frame.across(point.x), let y = frame.up(point.y) else { continue }
            let text = point.isChosen ? "\(label): recommended" : label
            let width = Double(text.count) * size * (point.isChosen ? frame.layout.letter : 0.58)
            func box(_ left: Double, _ base: Double) -> (x: ClosedRange<Double>, y: ClosedRange<Double>) {
                (left...(left + width), (base - 0.8 * size)...(base + 0.25 * size))
            }
            // Beside it, above or below; and where there is room there nowhere, over or under it.
            let middle = max(frame.layout.left + 4, min(x - width / 2, frame.layout.width - width))
            let spots = [
                box(x + 12, y - 4), box(x - 12 - width, y - 4), box(x + 12, y + size), box(x - 12 - width, y + size),
                box(middle, y - 14), box(middle, y + size + 12), box(middle, y - 32), box(middle, y + size + 30),
            ]
            let free = spots.first { spot in
                spot.x.lowerBound >= frame.layout.left && spot.x.upperBound <= frame.layout.width
                    && spot.y.upperBound <= frame.bottom
                    && !taken.contains { $0.x.overlaps(spot.x) && $0.y.overlaps(spot.y) }
            }
            guard let spot = free ?? (point.isChosen ? spots[4] : nil) else { continue }
            taken.append(spot)
            parts.append(
                frame.text(
                    text,
                    spot.x.lowerBound,
                    spot.y.upperBound - 0.25 * size,
                    isStrong: point.isChosen,
                    hasHalo: true
                )
            )
        }
        return parts
    }

    private func path(_ points: [(Double, Double)]) -> String {
        points.enumerated().map { "\($0 == 0 ? "M" : "L")\(coordinate($1.0)) \(coordinate($1.1))" }.joined()
    }

    private func circle(_ x: Double, _ y: Double, colour: Int) -> Markup {
        .make(
            "circle",
            [
                "class": "f\(colour % Palette.light.count)", "fill": Palette.colour(colour), "r": "6",
                "cx": coordinate(x), "cy": coordinate(y),
            ]
        )
    }

    private static let dash = "12 6"

    private func line(
        _ x1: Double,
        _ y1: Double,
        _ x2: Double,
        _ y2: Double,
        colour: Int,
        width: Double,
        dash: String? = nil,
        name: String? = nil
    ) -> Markup {
        .make(
            "line",
            [
                "class": "s\(colour % Palette.light.count)", "stroke": Palette.colour(colour),
                "stroke-width": coordinate(width), "stroke-dasharray": dash, "data-reference": name,
                "x1": coordinate(x1), "x2": coordinate(x2), "y1": coordinate(y1), "y2": coordinate(y2),
            ]
        )
    }
}
