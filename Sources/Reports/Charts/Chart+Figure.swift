internal import Text

extension Chart {
    /// The chart in a page: one picture for wide windows, one for narrow ones, and the values behind them as a table.
    var figure: Markup { thinned.drawn }

    private var drawn: Markup {
        .make(
            "figure",
            ["id": id, "class": "chart-figure"],
            [
                .make(
                    "figcaption",
                    [:],
                    [.make("b", [:], [.text(title)])] + (note.isEmpty ? [] : [.make("span", [:], [.text(" " + note)])])
                ),
                .make("div", ["class": "pictures"], [svg(.wide), svg(.narrow)]),
                .make("p", ["class": "readout"]),
                .make(
                    "details",
                    [:],
                    [.make("summary", [:], ["Values"]), .make("div", ["class": "wide-table"], [table])]
                ),
            ]
        )
    }

    /// A row for each moment that is drawn.
    private var table: Markup {
        let part =
            samples.map { ": \(grouped(times.count)) of \(grouped($0)) samples, least and most among them" } ?? ""
        let head =
            [Markup.make("th", ["scope": "col"], ["s"])]
            + series.map { .make("th", ["scope": "col"], [.text($0.name)]) }
        let rows = times.indices.map { index -> Markup in
            let cells = series.map { one in
                Markup.make("td", [:], [.text(one.values[index].map(rounded) ?? "–")])
            }
            let moment = Markup.make("th", ["scope": "row"], [.text(rounded(times[index]))])
            return .make("tr", ["data-at": "\((times[index] * 1000).rounded() / 1000)"], [moment] + cells)
        }
        return .make(
            "table",
            ["class": "values"],
            [
                .make("caption", [:], [.text("\(title), \(axis)\(part)")]),
                .make("thead", [:], [.make("tr", [:], head)]),
                .make("tbody", [:], rows),
            ]
        )
    }
}
