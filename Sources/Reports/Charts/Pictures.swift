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

    /// Pixels; what is shown narrower has a form of its own, as on a telephone.
    package static let widths = 200...4000
    private static let wide = 700

    private var all: [(name: String, draw: (_ isNarrow: Bool) -> Markup)] = []

    package init(_ run: RunResult) {
        if let headline = Headline(run) {
            all.append(("headline", { $0 ? headline.narrowSVG(isAlone: true) : headline.svg(isAlone: true) }))
        }
        let charts = RunCharts(run)
        for chart in charts.all { all.append((chart.id, { chart.svg($0 ? .narrow : .wide, isAlone: true) })) }
        for chart in charts.distributions { all.append((chart.id, { chart.svg($0 ? .narrow : .wide, isAlone: true) })) }
    }

    package init(_ load: LoadResult) {
        for chart in LoadPage(result: load).charts {
            all.append((chart.id, { chart.svg($0 ? .narrow : .wide, isAlone: true) }))
        }
    }

    package init(_ sweep: SweepResult) {
        let charts = SweepCharts(sweep)
        for chart in (charts.tradeOff.map { [$0] } ?? []) + charts.curves {
            all.append((chart.id, { chart.svg($0 ? .narrow : .wide, isAlone: true) }))
        }
    }

    package init(_ cures: CuresResult) {
        if let chart = BarChart(cures) { all.append((chart.id, { chart.svg($0 ? .narrow : .wide, isAlone: true) })) }
    }

    /// - Parameters:
    ///   - name: nil for the first.
    ///   - width: pixels it is to be wide; nil for as wide as it is drawn.
    /// - Throws: ``Problem`` naming those there are.
    package func svg(_ name: String?, width: Int? = nil) throws(Problem) -> String {
        guard let first = all.first else {
            throw Problem(description: "there is nothing to draw in it: it has no samples")
        }
        var picture = first
        if let name {
            guard let one = all.first(where: { $0.name == name }) else {
                let hint = nearest(name, of: all.map(\.name)).map { "did you mean '\($0)'?" }
                throw Problem(
                    description:
                        "it has no chart '\(name)'; \(hint ?? "there are \(all.map(\.name).joined(separator: ", "))")"
                )
            }
            picture = one
        }
        var drawn = picture.draw(width.map { $0 < Self.wide } ?? false)
        if let width { drawn.scale(toWidth: Double(width)) }
        return drawn.written + "\n"
    }
}

extension Markup {
    /// Has a picture of its own shown larger or smaller than it is drawn.
    fileprivate mutating func scale(toWidth width: Double) {
        guard case .element(let name, var attributes, let children) = self,
            let across = attributes.firstIndex(where: { $0.name == "width" }),
            let down = attributes.firstIndex(where: { $0.name == "height" }),
            let from = Double(attributes[across].value), let height = Double(attributes[down].value)
        else { return }
        attributes[across].value = coordinate(width)
        attributes[down].value = coordinate(height * width / from)
        self = .element(name, attributes, children)
    }
}
