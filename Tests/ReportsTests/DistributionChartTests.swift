import Foundation
import HTTP
import POSIX
import Results
import TestSupport
import Testing
import Text
import Units

@testable import LoadGenerator
@testable import Reports

/// Latencies by percentile as they are drawn: read back from the pictures, they are those of the JSON.
@Suite("Latency by percentile")
struct DistributionChartTests {
    private static let layouts: [ChartLayout] = [.wide, .narrow, .stage]

    /// Of 1,000 batches 900 were answered in 1 to 900 ms; the others had waited for 2 s.
    private static let cut: ClientResult = {
        let recorder = Recorder(name: "small")
        for _ in 0..<1000 { recorder.begin(uris: 1) }
        for number in 1...900 {
            let latency = Duration.milliseconds(number)
            recorder.succeed(.init(records: 1, empty: 0), latency: latency, service: latency)
        }
        for _ in 0..<100 { recorder.fail("ETIMEDOUT", after: .seconds(2)) }
        return recorder.result
    }()

    private static let run: RunResult = {
        var (healthy, incident) = (
            PhaseResult.full([
                .made("small", batches: 3, milliseconds: [1, 2, 4]), .made("heavy", milliseconds: [300]),
            ]), PhaseResult.full([cut])
        )
        (healthy.name, incident.name) = ("healthy", "incident")
        return .made([healthy, incident])
    }()

    private func numbers(_ name: String, of series: String, in drawn: DrawnSVG) throws -> [Double] {
        let tag = try #require(
            drawn.tags("path").first { DrawnSVG.attribute("data-series", in: $0) == series },
            "\(series)"
        )
        return try #require(DrawnSVG.attribute(name, in: tag)).split(separator: " ").map { try #require(Double($0)) }
    }

    /// What a result says, by the name of its line.
    private func points(_ result: ClientResult, _ phase: String) -> [(
        name: String, points: [DistributionPoint], of: Int
    )] {
        let total = Double(result.due)
        let all = result.distribution.map { point in
            DistributionPoint(
                percentile: 100 * Double(result.answered - point.above) / total,
                ms: point.ms,
                above: point.above + result.due - result.answered
            )
        }
        return [("\(phase), answered", result.distribution, result.answered), ("\(phase), all due", all, result.due)]
    }

    @Test("a phase has one colour in the charts of all callers; of many phases the slowest are drawn, and said to be")
    func phases() throws {
        func phase(_ index: Int) -> PhaseResult {
            let late = ClientResult.made("late", milliseconds: [Double(index + 1)])
            return .played("p\(index)", lookups: 1, clients: index == 0 ? [] : [late])
        }
        let few = RunCharts(.made((0..<3).map(phase))).distributions
        #expect(Set(few[0].series.map(\.name)) == ["p1", "p2"])
        #expect(few[0].series.allSatisfy { "p\($0.colour)" == $0.name })
        let many = RunCharts(.made((0..<10).map(phase))).distributions
        #expect(Set(many[0].series.map(\.name)) == Set((4..<10).map { "p\($0)" }))
        #expect(many[0].title == "late: latency by percentile, the 6 slowest of 9 phases")
    }

    @Test("every line carries the points of the JSON, and is drawn where they are", arguments: [0, 1, 2])
    func readBack(layout: Int) throws {
        for run in [try RecordedRun.result(), Self.run] {
            // As anybody reads it who has the file.
            let json = try RunResult(json: JSONText.encode(run))
            let charts = RunCharts(run).distributions
            #expect(Set(charts.map(\.title)).count == Set(json.phases.flatMap(\.clients).map(\.name)).count)
            for phase in json.phases {
                for client in phase.clients where client.due > 0 {
                    let chart = try #require(charts.first { $0.title == "\(client.name): latency by percentile" })
                    let drawn = DrawnSVG(chart.svg(Self.layouts[layout]).written)
                    for (name, points, batches) in self.points(client, phase.name) where !points.isEmpty {
                        #expect(try numbers("data-percentiles", of: name, in: drawn) == points.map(\.percentile))
                        #expect(try numbers("data-ms", of: name, in: drawn) == points.map(\.ms))
                        #expect(try numbers("data-above", of: name, in: drawn) == points.map { Double($0.above) })
                        let line = try drawn.line(name).flatMap { $0 }
                        #expect(line.count == points.count)
                        for (spot, point) in zip(line, points) where point.ms > 0.001 {
                            #expect(abs(try drawn.value(at: spot.y) - point.ms) <= (try drawn.precision(at: spot.y)))
                            let (left, right) = (try drawn.number("data-left"), try drawn.number("data-right"))
                            let (begin, end) = (try drawn.number("data-begin"), try drawn.number("data-end"))
                            let above = begin * pow(end / begin, (spot.x - left) / (right - left))
                            // Batches for each one above it; the longest has half a batch above it.
                            let expected = point.above == 0 ? Double(batches) * 2 : 1 / (1 - point.percentile / 100)
                            #expect(abs(log(above / max(1, expected))) < 0.01)
                        }
                    }
                }
            }
        }
    }

    @Test(
        "where batches were not answered the line of all due ends at their share, and goes on as at least what they waited"
    )
    func cutOff() throws {
        let chart = try #require(RunCharts(Self.run).distributions.first { $0.title.hasPrefix("small") })
        let drawn = DrawnSVG(chart.svg(.wide).written)
        #expect(try numbers("data-percentiles", of: "incident, all due", in: drawn).last == 90)
        #expect(try numbers("data-percentiles", of: "incident, answered", in: drawn).last == 100)
        let least = try numbers("data-at-least", of: "incident, not answered", in: drawn)
        #expect(least == [try #require(Self.cut.latencyAllMs?.atLeastMs)])
        let rest = try drawn.line("incident, not answered").flatMap { $0 }
        #expect(abs(try drawn.value(at: rest[0].y) - least[0]) <= (try drawn.precision(at: rest[0].y)))
        #expect(rest[0].x == (try drawn.line("incident, all due").flatMap { $0 }.last?.x))
        #expect(!drawn.text.contains("healthy, not answered"))
    }

    @Test(
        "of batches of which none was answered it says what they waited at least, and of no batches there is no chart"
    )
    func nothing() throws {
        let failed = DistributionChart(caller: "a", [("p", .made("a", batches: 3, milliseconds: []))])
        let drawn = DrawnSVG(failed.svg(.wide).written)
        #expect(try numbers("data-at-least", of: "p, not answered", in: drawn) == [1])
        #expect(DistributionChart(caller: "a", [("p", .made("a", batches: 0, milliseconds: []))]).series.isEmpty)
        for chart in [failed, DistributionChart(caller: "a", [("p", .made("a", milliseconds: [0]))])] {
            let text = chart.svg(.narrow).written
            #expect(!text.contains("nan") && !text.contains("inf\""))
        }
    }

    @Test("the axis is of percentiles, with titles, and letters of 16 pixels or more")
    func axes() throws {
        let chart = try #require(RunCharts(Self.run).distributions.first)
        for layout in Self.layouts {
            let text = chart.svg(layout).written
            #expect(text.contains(">percentile, logarithmic<") && text.contains(">ms, logarithmic<"))
            for tick in ["0", "90", "99"] { #expect(text.contains(">\(tick)<"), "\(layout.name) \(tick)") }
            let drawn = DrawnSVG(text)
            #expect(try drawn.number("font-size") >= 16)
            #expect(
                drawn.tags("text").allSatisfy { tag in
                    DrawnSVG.attribute("x", in: tag).flatMap(Double.init).map { (0...layout.width).contains($0) }
                        ?? false
                }
            )
        }
        #expect(DistributionChart.percentile(at: 1000) == "99.9")
        #expect(DistributionChart.percentile(at: 1_000_000) == "99.9999")
    }

    @Test(
        "the page of a run, and that of a load, have it without a script, with a title, words, and every point in a table"
    )
    func pages() throws {
        let load = LoadResult(
            LoadResult.Run(
                target: .init(address: .ipv6(.ipv6Loopback, port: 8080), path: "/"),
                seed: 1,
                duration: .seconds(1),
                elapsed: .seconds(1),
                interrupted: false,
                asked: [.init(client: "small:uris=1,rate=1000/s", batches: 1000)]
            ),
            [],
            GeneratorReport(
                used: .seconds(1),
                bySender: .seconds(1),
                over: .seconds(1),
                threads: 3,
                peakBytes: 1,
                machine: MachineLimits(descriptors: 1, portsPerSource: nil, sources: 1)
            ),
            LoadValidity(
                [],
                maxInFlight: nil,
                machine: MachineLimits(descriptors: 1, portsPerSource: nil, sources: 1),
                senderCpuPercent: 1
            )
        )
        var ofLoad = load
        ofLoad.clients = [Self.cut]
        let pages = [
            (HTMLPage.report(Self.run), RunCharts(Self.run).distributions),
            (HTMLPage.report(ofLoad), LoadPage(result: ofLoad).charts),
        ]
        for (page, charts) in pages {
            let body = try #require(String(decoding: page, as: UTF8.self).split(separator: "<script").first)
            #expect(!charts.isEmpty)
            for chart in charts {
                let figure = try #require(body.split(separator: "<figure id=\"\(chart.id)\"").dropFirst().first)
                let content = figure.prefix(upTo: figure.range(of: "</figure>")!.lowerBound)
                #expect(content.components(separatedBy: "<svg ").count == 3)
                #expect(content.components(separatedBy: "<title id=").count == 3)
                #expect(content.components(separatedBy: "<desc id=").count == 3)
                let rows = chart.series.reduce(0) { $0 + $1.points.count + ($1.atLeastMs == nil ? 0 : 1) }
                #expect(content.components(separatedBy: "<tr>").count == rows + 2)
                #expect(content.contains("<caption>"))
                #expect(content.contains("&gt; ") == chart.series.contains { $0.atLeastMs != nil })
            }
            #expect(!body.contains("NaN") && !body.contains("nil"))
        }
        #expect(try Pictures(ofLoad).svg(nil).hasPrefix("<svg "))
        #expect(try Pictures(Self.run).svg("percentiles-small").hasPrefix("<svg "))
        #expect(MarkdownReport.lines(ofLoad).contains { $0.contains("| small | 1,000 | 900 | 100 | 0 | 0 |") })
    }
}
