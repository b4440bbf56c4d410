package import LoadGenerator
internal import Text

/// Latencies of one caller by percentile: of the answered batches, and of all that were due. The axis of percentiles is
/// logarithmic in what is left above, so that 99, 99.9 and 99.99 are as far apart as 0 and 90.
package struct DistributionChart: Sendable {
    package struct Series: Sendable {
        /// Of which phase or run it is.
        package var name: String
        /// Whether it is of all batches that were due.
        package var isOfAll: Bool
        package var points: [DistributionPoint]
        /// Of the batches behind the last point, which nobody saw the end of: milliseconds that they took at least; nil
        /// where there are none.
        package var atLeastMs: Double?
        /// Batches it is of.
        package var batches: Int
        var colour: Int

        /// `incident, all due`
        package var fullName: String { "\(name), \(kind)" }
        var kind: String { isOfAll ? "all due" : "answered" }
    }

    package var id: String
    package var title: String
    package var series: [Series]

    /// - Parameters:
    ///   - results: of one caller, each with the name of its phase.
    ///   - colours: one for each, so that a phase has the same in the charts of all callers; nil for one after the other.
    package init(caller: String, _ results: [(name: String, result: ClientResult)], colours: [Int]? = nil) {
        // Whatever a file calls it, it is one word of a page.
        id = "percentiles-" + String(caller.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
        title = "\(caller): latency by percentile"
        series = results.enumerated().flatMap { index, one -> [Series] in
            guard one.result.due > 0 else { return [] }
            let answered = Series(
                name: one.name,
                isOfAll: false,
                points: one.result.distribution,
                batches: one.result.answered,
                colour: colours?[index] ?? index
            )
            var all = answered
            all.isOfAll = true
            all.points = one.result.distributionOfAll
            all.atLeastMs = one.result.latencyAllMs?.atLeastMs
            all.batches = one.result.due
            return [answered, all].filter { !$0.points.isEmpty || $0.atLeastMs != nil }
        }
    }

    static let note =
        "How long that share of the batches took, at most. Solid: of the answered ones. Dashed: of all that were due; where "
        + "it goes on dotted, the others were not answered, and took at least that long."

    /// The least that is drawn: the resolution of what was recorded.
    static let leastMs = 0.001

    /// Where a point is on the axis: batches for each one above it. The longest of all has half a batch above it.
    static func position(of point: DistributionPoint, among batches: Int) -> Double {
        let above = max(0.5, Double(min(point.above, batches)))
        return max(1, Double(batches) / above)
    }

    var x: ChartScale {
        let longest = series.map { Double($0.batches) * 2 }.max() ?? 1
        return ChartScale(kind: .logarithmic, low: 1, high: max(20, longest * 1.2))
    }

    var y: ChartScale {
        .logarithmic(
            around: series.flatMap { one in (one.points.map(\.ms) + [one.atLeastMs].compactMap { $0 }) }
                .map { max($0, Self.leastMs) }
        )
    }

    /// The percentile at a position on the axis, as it is written.
    static func percentile(at position: Double) -> String {
        let percentile = (100 - 100 / position) * 1e6
        return trimmed(percentile.rounded() / 1e6)
    }

    /// Marks of the axis: as many as can be written without one over another.
    /// - Parameter pixels: length of the axis.
    func ticks(over pixels: Double, _ layout: ChartLayout) -> [Double] {
        let scale = x
        let decades = (0...18).map { pow10($0) }.filter { $0 <= scale.high }
        let choices: [[Double]] =
            [[1, 2, 5], [1, 2], [1]].map { factors in decades.flatMap { decade in factors.map { $0 * decade } } }
            + (2...6).map { step in stride(from: 0, to: decades.count, by: step).map { decades[$0] } }
        let fitting = choices.map { $0.filter { $0 <= scale.high } }.first { ticks in
            zip(ticks, ticks.dropFirst()).allSatisfy { left, right in
                let room = ((scale.share(of: right) ?? 0) - (scale.share(of: left) ?? 0)) * pixels
                let text = layout.width(of: Self.percentile(at: left)) + layout.width(of: Self.percentile(at: right))
                return room > text / 2 + 4
            }
        }
        return fitting ?? [1]
    }

    private func pow10(_ exponent: Int) -> Double { (0..<exponent).reduce(1) { power, _ in power * 10 } }

    private static func trimmed(_ number: Double) -> String {
        number == number.rounded() ? "\(Int(number))" : "\(number)"
    }

    /// A sentence for each line, for those who do not see it.
    var summary: String {
        let sentences = series.map { one -> String in
            func within(_ percentile: Double) -> String? {
                one.points.first { $0.percentile >= percentile }.map { "\(percentile)% within \(rounded($0.ms)) ms" }
            }
            let longest = one.points.last.map { "the longest that was answered took \(rounded($0.ms)) ms" }
            let rest = one.atLeastMs.map { "those that were not took \(rounded($0)) ms at least" }
            let facts = [within(50), within(99), longest, rest].compactMap { $0 }
            return "\(one.fullName): \(facts.joined(separator: ", "))."
        }
        return "Latency by percentile. " + sentences.joined(separator: " ")
    }

    /// The chart in a page, with the points behind it as a table.
    var figure: Markup {
        .make(
            "figure",
            ["id": id, "class": "chart-figure"],
            [
                .make(
                    "figcaption",
                    [:],
                    [.make("b", [:], [.text(title)]), .make("span", [:], [.text(" " + Self.note)])]
                ),
                .make("div", ["class": "pictures"], [svg(.wide), svg(.narrow)]),
                .make("details", [:], [.make("summary", [:], ["Values"]), table]),
            ]
        )
    }

    private var table: Markup {
        let rows = series.flatMap { one in
            one.points.map { point -> [PageParts.Cell] in
                [
                    .init(one.name), .init(one.kind), .init(Self.trimmed((point.percentile * 1e6).rounded() / 1e6)),
                    .init("\(point.ms)"), .init(grouped(point.above)),
                ]
            } + (one.atLeastMs.map { [[.init(one.name), .init(one.kind), "100", .init("> \($0)"), "0"]] } ?? [])
        }
        return PageParts.table(
            caption: "\(title), ms",
            ["", "batches", "percentile", "ms", "batches above"],
            rows,
            textColumns: [1]
        )
    }
}
