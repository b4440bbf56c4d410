package import Cures
package import LoadGenerator
package import Results
internal import Text

/// The pictures of a result by their names, each an SVG file of its own.
package struct Pictures {
    /// There is no such picture.
    package struct Problem: Error, CustomStringConvertible {
        package var description: String
    }

    private var all: [(name: String, draw: () -> Markup)] = []

    package init(_ run: RunResult) {
        if let headline = Headline(run) { all.append(("headline", { headline.svg(isAlone: true) })) }
        let charts = RunCharts(run)
        for chart in charts.all { all.append((chart.id, { chart.svg(.wide, isAlone: true) })) }
        for chart in charts.distributions { all.append((chart.id, { chart.svg(.wide, isAlone: true) })) }
    }

    package init(_ load: LoadResult) {
        for chart in LoadPage(result: load).charts { all.append((chart.id, { chart.svg(.wide, isAlone: true) })) }
    }

    package init(_ sweep: SweepResult) {
        let charts = SweepCharts(sweep)
        for chart in (charts.tradeOff.map { [$0] } ?? []) + charts.curves {
            all.append((chart.id, { chart.svg(.wide, isAlone: true) }))
        }
    }

    package init(_ cures: CuresResult) {
        if let chart = BarChart(cures) { all.append((chart.id, { chart.svg(.wide, isAlone: true) })) }
    }

    /// - Parameter name: nil for the first.
    /// - Throws: ``Problem`` naming those there are.
    package func svg(_ name: String?) throws(Problem) -> String {
        guard let first = all.first else {
            throw Problem(description: "there is nothing to draw in it: nothing was measured")
        }
        guard let name else { return first.draw().written + "\n" }
        guard let one = all.first(where: { $0.name == name }) else {
            let hint = nearest(name, of: all.map(\.name)).map { "did you mean '\($0)'?" }
            throw Problem(
                description:
                    "it has no chart '\(name)'; \(hint ?? "there are \(all.map(\.name).joined(separator: ", "))")"
            )
        }
        return one.draw().written + "\n"
    }
}
