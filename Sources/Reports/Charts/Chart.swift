internal import Text

/// A chart over time as a value: what is drawn, and nothing of how. One list of moments, and of each series a value for
/// each of them.
package struct Chart: Sendable {
    /// A line of the chart and its points.
    package struct Series: Sendable {
        /// How a series is drawn.
        package enum Style: Sendable {
            /// A line that ends where a value is missing.
            case line
            /// Values now and then, joined where they follow each other closely: of batches as they end.
            case dots
            /// The same, as what is not the good case.
            case hollowDots
            /// The area between the series before it and their sum.
            case stacked
        }

        package var name: String
        /// One for each moment; nil where nothing was measured.
        package var values: [Double?]
        var colour: Int
        var style = Style.line
    }

    /// A line across the chart.
    struct Level: Sendable {
        var name: String
        var value: Double
    }

    /// A phase.
    struct Band: Sendable {
        var name: String
        var from: Double
        var to: Double
    }

    /// A change, a fault, or the end of a process.
    struct Mark: Sendable {
        var at: Double
        var text: String
        var isDeath = false
    }

    package var id: String
    package var title: String
    /// What the vertical axis counts.
    package var axis: String
    var note = ""
    /// What the moments are counted from.
    var xTitle = "seconds since the first phase began"
    package var isLogarithmic = false
    /// A fixed end of the axis, as 100%; nil for one that fits.
    var top: Double?
    /// Seconds.
    package var times: [Double]
    package var series: [Series]
    var levels: [Level] = []
    var bands: [Band] = []
    var marks: [Mark] = []
    var begin: Double
    var end: Double
    /// Moments that were measured, where only some of them are drawn; nil where all are.
    var samples: Int?
    /// Moments before which something is not known, where not all are drawn; nil where time tells.
    var gaps: Set<Int>?

    /// Two moments farther apart are not joined: nothing is known of the time between.
    static let longestJoin = 2.2

    var y: ChartScale {
        let values = tops.flatMap { $0 }.compactMap { $0 } + levels.map(\.value)
        if isLogarithmic { return .logarithmic(around: values) }
        return .linear(to: (top ?? values.max() ?? 1) * 1.06)
    }

    var x: ChartScale { .linear(from: begin, to: end) }

    /// Where each value is drawn: of a stacked series, on top of those before it.
    package var tops: [[Double?]] {
        var below = [Double?](repeating: 0, count: times.count)
        return series.map { one in
            guard one.style == .stacked else { return one.values }
            below = zip(below, one.values).map { low, value in low.flatMap { low in value.map { low + $0 } } }
            return below
        }
    }

    /// A sentence for each series, for those who do not see it.
    var summary: String {
        var sentences = series.map { one in
            guard
                let highest = one.values.indices.filter({ one.values[$0] != nil }).max(by: {
                    one.values[$0]! < one.values[$1]!
                })
            else { return "\(one.name): no value." }
            let last = one.values.last { $0 != nil } ?? nil
            return "\(one.name): highest \(rounded(one.values[highest]!)) at \(rounded(times[highest])) s, "
                + "last \(last.map(rounded) ?? "-")."
        }
        sentences += levels.map { "\($0.name): \(rounded($0.value))." }
        if !bands.isEmpty {
            let names = bands.prefix(20).map { "\($0.name) from \(rounded($0.from)) s" }
            let more = bands.count > names.count ? ", and \(grouped(bands.count - names.count)) more" : ""
            sentences.append("Phases: \(names.joined(separator: ", "))\(more).")
        }
        return "\(axis) over time. " + sentences.joined(separator: " ")
    }
}
