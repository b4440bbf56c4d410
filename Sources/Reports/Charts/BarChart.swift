internal import Text

/// Shares of many things, one below the other: a bar for each figure, from 0 to 100%.
package struct BarChart: Sendable {
    /// One of them: a bar of each series.
    package struct Row: Sendable {
        package var name: String
        /// What it stands under: a heading where it is another than that of the row before.
        package var group: String
        /// Percent, one for each series; nil where nothing was measured.
        package var values: [Double?]
    }

    package var id: String
    package var title: String
    var note: String
    package var series: [String]
    package var rows: [Row]
    /// Indices of series that show harm: green would say that it is good.
    var harms: Set<Int> = []

    /// Pixels from one bar of a row to the next, and those a bar has of them.
    private static let step = 11.0
    private static let thickness = 9.0

    package func svg(_ layout: ChartLayout, isAlone: Bool = false) -> Markup {
        let size = layout.fontSize
        let frame = frame(layout)
        var parts: [Markup] = []
        for (index, name) in series.enumerated() {
            let base = (Double(index) * 1.4 + 1) * size
            parts.append(rectangle(2, base - 9, 26, 9, series: index))
            parts.append(
                frame.text(layout.lines(name, within: layout.width - 40).first ?? "", 36, base, isStrong: true)
            )
        }
        for percent in stride(from: 0.0, through: 100, by: 25) {
            guard let x = frame.across(percent) else { continue }
            parts.append(frame.line(x, frame.top, x, frame.bottom, percent == 0 ? "edge" : "rule"))
            let anchor = isBeside(layout) ? "middle" : percent == 0 ? "start" : percent == 100 ? "end" : "middle"
            parts.append(frame.text("\(rounded(percent))%", x, frame.bottom + 1.3 * size, anchor: anchor))
        }
        var top = frame.top
        var group: String?
        for row in rows {
            if row.group != group {
                parts.append(frame.text(row.group, isBeside(layout) ? 2 : 8, top + 1.5 * size, isStrong: true))
                top += 2 * size
                group = row.group
            }
            parts += draw(row, from: top, frame)
            top += height(ofRow: layout)
        }
        return picture(
            id: "\(id)-\(layout.name)",
            title: title,
            description: summary,
            width: layout.width,
            height: frame.bottom + 1.8 * size,
            fontSize: size,
            attributes: [
                .init(name: "class", value: "chart \(layout.name)"),
                .init(name: "data-begin", value: "\(frame.x.low)"), .init(name: "data-end", value: "\(frame.x.high)"),
                .init(name: "data-left", value: coordinate(frame.layout.left)),
                .init(name: "data-right", value: coordinate(frame.right)),
            ],
            isAlone: isAlone,
            parts
        )
    }

    /// Whether there is room beside the bars, for names before and figures after them. Where there is not, names stand
    /// above, and figures in the table behind the chart.
    private func isBeside(_ layout: ChartLayout) -> Bool { layout.width >= 500 }

    private func frame(_ layout: ChartLayout) -> ChartFrame {
        var plot = layout
        let names = rows.map { layout.width(of: $0.name) }.max() ?? 0
        plot.left = isBeside(layout) ? min(names, layout.width / 3) + 12 : 4
        plot.right = isBeside(layout) ? layout.width(of: figures(series.map { _ in 100 })) + 28 : 8
        let groups = rows.indices.count { $0 == 0 || rows[$0].group != rows[$0 - 1].group }
        plot.plotHeight = Double(rows.count) * height(ofRow: layout) + Double(groups) * 2 * layout.fontSize
        return ChartFrame(
            layout: plot,
            x: .linear(to: 100),
            y: .linear(to: 1),
            top: (Double(series.count) * 1.4 + 0.6) * layout.fontSize
        )
    }

    private func height(ofRow layout: ChartLayout) -> Double {
        let bars = Double(series.count) * Self.step
        return isBeside(layout)
            ? max(bars, 1.3 * layout.fontSize) + 0.5 * layout.fontSize : bars + 2 * layout.fontSize
    }

    private func draw(_ row: Row, from top: Double, _ frame: ChartFrame) -> [Markup] {
        let size = frame.layout.fontSize
        let isBeside = isBeside(frame.layout)
        let first = top + (isBeside ? 0.25 : 1.4) * size
        let room = isBeside ? frame.layout.left - 12 : frame.layout.width - 12
        let name = frame.layout.lines(row.name, within: room).first ?? ""
        var parts = [
            isBeside
                ? frame.text(name, frame.layout.left - 8, first + 0.9 * size, anchor: "end")
                : frame.text(name, 8, top + size)
        ]
        for (index, value) in row.values.enumerated() {
            let y = first + Double(index) * Self.step
            guard let value, let end = frame.across(value) else { continue }
            let name = series[index]
            parts.append(
                rectangle(
                    frame.layout.left,
                    y,
                    end - frame.layout.left,
                    Self.thickness,
                    series: index,
                    [
                        .init(name: "data-row", value: row.name), .init(name: "data-series", value: name),
                        .init(name: "data-value", value: "\(value)"),
                    ],
                    [.make("title", [:], [.text("\(row.name), \(name): \(Self.text(value))")])]
                )
            )
        }
        if isBeside {
            parts.append(frame.text(figures(row.values), frame.right + 24, first + 0.9 * size))
        }
        return parts
    }

    private func figures(_ values: [Double?]) -> String { values.map(Self.text).joined(separator: " · ") }

    static func text(_ percent: Double?) -> String { percent.map { "\(rounded($0))%" } ?? "–" }

    private func rectangle(
        _ x: Double,
        _ y: Double,
        _ width: Double,
        _ height: Double,
        series: Int,
        _ attributes: [Markup.Attribute] = [],
        _ children: [Markup] = []
    ) -> Markup {
        let colour = harms.contains(series) ? Palette.harm : series
        let all: [Markup.Attribute] =
            [
                .init(name: "class", value: "f\(colour % Palette.light.count)"),
                .init(name: "fill", value: Palette.colour(colour)), .init(name: "x", value: coordinate(x)),
                .init(name: "y", value: coordinate(y)), .init(name: "width", value: coordinate(width)),
                .init(name: "height", value: coordinate(height)),
            ] + attributes
        return .element("rect", all, children)
    }

    /// In words, for those who do not see it.
    var summary: String {
        let lines = rows.map { row in
            let facts = zip(series, row.values).map { "\($0): \(Self.text($1))" }
            return "\(row.name) (\(row.group)): \(facts.joined(separator: ", "))"
        }
        return "Of each row, from 0 to 100%: \(series.joined(separator: "; ")). " + lines.joined(separator: "; ") + "."
    }
}

extension BarChart {
    /// The chart in a page: one picture for wide windows, one for narrow ones, and the values behind them as a table.
    var figure: Markup {
        let head = ([""] + series).map { Markup.make("th", ["scope": "col"], [.text($0)]) }
        let body = rows.map { row in
            Markup.make(
                "tr",
                [:],
                [.make("th", ["scope": "row"], [.text(row.name)])]
                    + row.values.map { .make("td", [:], [.text(Self.text($0))]) }
            )
        }
        let table = Markup.make(
            "table",
            ["class": "values"],
            [
                .make("caption", [:], [.text(title)]), .make("thead", [:], [.make("tr", [:], head)]),
                .make("tbody", [:], body),
            ]
        )
        return .make(
            "figure",
            ["id": id, "class": "chart-figure"],
            [
                .make("figcaption", [:], [.make("b", [:], [.text(title)]), .make("span", [:], [.text(" " + note)])]),
                .make("div", ["class": "pictures"], [svg(.wide), svg(.narrow)]),
                .make(
                    "details",
                    [:],
                    [.make("summary", [:], ["Values"]), .make("div", ["class": "wide-table"], [table])]
                ),
            ]
        )
    }
}
