import Foundation
import LoadGenerator
import Results
import TestSupport
import Testing

@testable import Reports

/// What is drawn is what was measured: read back from the pictures.
@Suite("Charts")
struct ChartTests {
    private static let layouts: [ChartLayout] = [.wide, .narrow, .stage]

    @Test("every line, read back from its picture, has the values of its chart at their times", arguments: [0, 1, 2])
    func linesReadBack(layout: Int) throws {
        let run = try RecordedRun.result()
        for chart in RunCharts(run).all {
            let drawn = DrawnSVG(chart.svg(Self.layouts[layout]).written)
            for (series, tops) in zip(chart.series, chart.tops) {
                let points = try drawn.line(series.name).flatMap { $0 }
                let expected = zip(chart.times, tops).compactMap { time, top in top.map { (time, $0) } }
                    .filter { !chart.isLogarithmic || $0.1 > 0 }
                #expect(points.count == expected.count, "\(chart.id) \(series.name)")
                for (point, (time, value)) in zip(points, expected) {
                    #expect(abs(try drawn.value(at: point.y) - value) <= (try drawn.precision(at: point.y)))
                    #expect(abs(try drawn.time(at: point.x) - time) <= 0.06 * (chart.end - chart.begin) / 100)
                }
            }
        }
    }

    @Test("the charts' values are those of the run's JSON")
    func values() throws {
        let run = try RecordedRun.result()
        let charts = RunCharts(run)
        let timeline = run.timeline
        #expect(charts.ports.times == timeline.map(\.at))
        #expect(charts.ports.series[0].values == timeline.map { $0.portsOpen.map(Double.init) })
        #expect(charts.ports.series[1].values == timeline.map { $0.portsTimeWait.map(Double.init) })
        #expect(charts.ports.levels.map(\.value) == [Double(run.phases[0].portsCapacity)])
        #expect(charts.timeWait.series[0].values == timeline.map { Double($0.timeWait) })
        #expect(charts.rates.series[0].values == timeline.map(\.dialsPerSecond))
        let errors = try #require(charts.rates.series.first { $0.name == "failed: EADDRINUSE" })
        #expect(errors.values == timeline.map { $0.errorsPerSecond["EADDRINUSE"] ?? 0 })
        let appview = try #require(charts.latency.series.first { $0.name == "appview, complete" })
        #expect(appview.values == timeline.map { $0.clients["appview"]?.completeP99 })
        let incomplete = try #require(charts.latency.series.first { $0.name == "appview, incomplete" })
        #expect(incomplete.values == timeline.map { $0.clients["appview"]?.incompleteP99 })

        // The share of the last four seconds, found another way: from the whole list each time.
        let share = try #require(charts.completeInTime.series.first { $0.name.hasPrefix("appview") })
        for (point, value) in zip(timeline, share.values) {
            let window = timeline.filter { $0.phase == point.phase && $0.at <= point.at && $0.at > point.at - 4 }
                .compactMap { $0.clients["appview"] }
            let ended = window.map { $0.answered + ($0.failed ?? 0) }.reduce(0, +)
            let met = window.compactMap(\.inTime).reduce(0, +)
            #expect(value == (ended == 0 ? nil : 100 * Double(met) / Double(ended)))
        }
    }

    @Test(
        "in the incident the ports are at the top of their chart, and users' complete answers at the bottom of theirs"
    )
    func story() throws {
        let run = try RecordedRun.result()
        let charts = RunCharts(run)
        let incident = run.timeline.indices.filter { run.timeline[$0].phase == "incident" }
        func peak(_ chart: Chart, _ indices: [Int]) -> Double {
            indices.compactMap { chart.tops.last?[$0] }.max() ?? 0
        }
        #expect(peak(charts.ports, incident) >= peak(charts.ports, Array(run.timeline.indices)) * 0.99)
        let worst = incident.compactMap { charts.completeInTime.series[0].values[$0] }.min()
        #expect(worst == charts.completeInTime.series[0].values.compactMap { $0 }.min())
    }

    private func chart(_ times: [Double], _ values: [Double?], style: Chart.Series.Style = .line) -> Chart {
        Chart(
            id: "c",
            title: "<t> & \"u\"",
            axis: "things",
            times: times,
            series: [.init(name: "a & b", values: values, colour: 0, style: style)],
            begin: 0,
            end: 10
        )
    }

    @Test("where nothing was measured the line ends, whether a value is missing or time passed without a sample")
    func gaps() throws {
        func stretches(_ times: [Double], _ values: [Double?], _ style: Chart.Series.Style = .line) throws -> [Int] {
            try DrawnSVG(chart(times, values, style: style).svg(.wide).written).line("a & b").map(\.count)
        }
        #expect(try stretches([0, 0.5, 1, 1.5, 2], [1, 2, nil, 3, 4]) == [2, 2])
        #expect(try stretches([0, 0.5, 5, 5.5], [1, 2, 3, 4]) == [2, 2])
        #expect(try stretches([0, 0.5, 1], [nil, nil, nil]) == [])
        // Answers come when they come: those close to each other belong together.
        #expect(try stretches([0, 0.5, 1, 1.5, 6], [1, nil, 2, nil, 3], .dots) == [2, 1])
        #expect(try stretches([0, 0.5, 1], [1, nil, 2], .stacked) == [1, 1])
    }

    @Test("of hours the least, the most and the gaps are drawn, and the table says how many of the samples it has")
    func long() throws {
        let times = (0..<72_000).map { Double($0) / 2 + ($0 >= 40_000 ? 100 : 0) }
        var values: [Double?] = times.indices.map { Double($0 % 7) }
        values[12_345] = 900
        for index in 20_000..<20_500 { values[index] = nil }
        for style in [Chart.Series.Style.line, .stacked, .dots] {
            var chart = chart(times, values, style: style)
            chart.end = 36_200
            let drawn = DrawnSVG(chart.svg(.wide).written)
            #expect(drawn.text.utf8.count < 400_000)
            let stretches = try drawn.line("a & b")
            #expect(abs(try drawn.value(at: stretches.flatMap { $0 }.map(\.y).min() ?? 0) - 900) < 1)
            guard style != .dots else { continue }
            #expect(stretches.count == 3, "one ends where values are missing, one where there are no samples")
            let ends = try stretches.compactMap(\.last).map { try drawn.time(at: $0.x) }
            for (end, expected) in zip(ends, [10_000, 20_000, 36_100.0]) { #expect(abs(end - expected) < 200) }
        }
        let table = chart(times, values).figure.written
        #expect(table.components(separatedBy: "<tr data-at=").count < 3100)
        #expect(table.contains(" of 72,000 samples, least and most among them"))
        #expect(chart([0, 1], [1, 2]).thinned.times == [0, 1])
    }

    @Test("a thousand phases are bands, with names where there is room, and many callers are the busiest six")
    func many() throws {
        var chart = chart([0, 10], [1, 2])
        chart.bands = (0..<1000).map {
            .init(
                name: "phase \($0) \(String(repeating: "x", count: 80))",
                from: Double($0) / 100,
                to: Double($0 + 1) / 100
            )
        }
        for layout in Self.layouts {
            let drawn = DrawnSVG(chart.svg(layout).written)
            let height = try #require(Double(try drawn.attribute("viewBox").split(separator: " ")[3]))
            #expect(height < 700)
            #expect(try drawn.number("data-right") <= layout.width)
        }
        #expect(chart.summary.contains("and 980 more"))
        let callers = Dictionary(
            uniqueKeysWithValues: (0..<40).map { ("caller-\($0)", TimelinePoint.Client.made(milliseconds: $0 + 1)) }
        )
        let run = RunResult.made([], timeline: [.made(at: 0, clients: callers), .made(at: 0.5, clients: callers)])
        let latency = RunCharts(run).latency
        #expect(latency.series.count == 6)
        #expect(latency.note.contains("34 more are in the table below"))
        // Too many names to stand beside the lines stand above them, and none outside the picture.
        for layout in Self.layouts {
            for tag in DrawnSVG(latency.svg(layout).written).tags("text") {
                let y = try #require(DrawnSVG.attribute("y", in: tag).flatMap(Double.init))
                #expect(y > 0)
            }
        }
    }

    @Test("whatever a name holds, it ends no element and no attribute")
    func escaping() {
        let text = chart([0, 1], [1, 2]).svg(.wide).written
        #expect(text.contains("&lt;t&gt; &amp; &quot;u&quot;") && !text.contains("<t>"))
        #expect(Markup.text("a\u{0}\u{1b}b").written == "a\u{FFFD}\u{FFFD}b")
    }

    @Test("axes have titles and at least four marks each, letters are of 16 pixels or more, and no label is outside")
    func axes() throws {
        let run = try RecordedRun.result()
        for chart in RunCharts(run).all {
            for layout in Self.layouts {
                let text = chart.svg(layout).written
                #expect(text.contains(">seconds since the first phase began<"))
                #expect(text.contains(">\(chart.axis)\(chart.isLogarithmic ? ", logarithmic" : "")<"), "\(chart.id)")
                #expect(
                    chart.y.ticks(layout.yTicks).filter { chart.y.low...chart.y.high ~= $0 }.count >= 3,
                    "\(chart.id)"
                )
                let across = Int((layout.width - layout.left - layout.right) / layout.tickWidth)
                #expect(chart.x.ticks(across).count >= 4)
                let drawn = DrawnSVG(text)
                #expect(try drawn.number("font-size") >= 16)
                #expect(
                    drawn.tags("text").allSatisfy { tag in
                        guard let x = DrawnSVG.attribute("x", in: tag).flatMap(Double.init) else { return false }
                        return (0...layout.width).contains(x)
                    }
                )
                for name in chart.bands.map(\.name) {
                    #expect(text.contains(">\(name)<"), "\(chart.id) \(layout.name)")
                }
            }
        }
    }

    @Test("names beside lines keep apart, and phases' names are written below each other where they are narrow")
    func labels() {
        let spread = ChartLayout.spread([10, 11, 12, 200], by: [20, 20, 20, 20], within: 0...210)
        #expect(zip(spread, spread.dropFirst()).allSatisfy { $1 - $0 >= 20 })
        #expect(spread.allSatisfy { (0...190).contains($0) })
        #expect(
            ChartLayout.narrow.rows([("healthy", 0), ("incident", 20), ("fix", 40), ("late", 300)]) == [0, 1, 2, 0]
        )
    }

    @Test(
        "a page has each chart twice, wide and narrow, with a title, words, and a table of its values, without a script"
    )
    func page() throws {
        let run = try RecordedRun.result()
        let page = String(decoding: HTMLPage.report(run), as: UTF8.self)
        let body = try #require(page.split(separator: "<script").first)
        for chart in RunCharts(run).all {
            let figure = try #require(body.split(separator: "<figure id=\"\(chart.id)\"").dropFirst().first)
            let content = figure.prefix(upTo: figure.range(of: "</figure>")!.lowerBound)
            #expect(content.components(separatedBy: "<svg ").count == 3)
            #expect(content.components(separatedBy: "<title id=").count == 3)
            #expect(content.components(separatedBy: "<desc id=").count == 3)
            #expect(content.components(separatedBy: "<tr data-at=").count == run.timeline.count + 1)
            #expect(content.contains("<caption>") && content.contains("<th scope=\"col\">"))
        }
        #expect(!body.contains("NaN") && !body.contains("nil"))
    }

    @Test("nothing is not on a log scale, and a linear one begins there")
    func scales() {
        #expect(ChartScale.logarithmic(around: [0, 5, 500]).share(of: 0) == nil)
        #expect(ChartScale.linear(to: 0).share(of: 0) == 0)
        for scale in [ChartScale.linear(to: 1024), .logarithmic(around: [3, 4000]), .linear(from: 40, to: 41)] {
            for share in [0.1, 0.5, 0.9] {
                #expect(abs((scale.share(of: scale.value(at: share)) ?? 0) - share) < 1e-9)
            }
        }
    }
}
