import Foundation
import LoadGenerator
import PostRecords
import Sweeps
import TestSupport
import Testing

@testable import Reports
@testable import Results

/// The picture that convinces: what the small callers wait, against what all get.
@Suite("Sweep charts")
struct SweepChartTests {
    private static let heavy = ClientResult.made("heavy", milliseconds: [300])
    /// Three repeats of each.
    private static let full = Result {
        try sweep(
            (1...3).flatMap { repetition -> [SweepResult.Run] in
                let chance = Double(repetition) * 0.1
                return [
                    run("none", repetition, small: 2, lookups: 900, errors: 90_000),
                    run("request:4", repetition, small: 5 + chance, lookups: 20_000),
                    run("request:16", repetition, small: 8 + chance, lookups: 50_000),
                    run("request:64", repetition, small: 30 + chance, lookups: 49_000),
                    run("request:256", repetition, small: 90 + chance, lookups: 60_000),
                ]
            }
        )
    }

    private static func run(_ limit: String, _ repetition: Int, small: Double?, lookups: Int, errors: Int = 0)
        -> SweepResult.Run
    {
        var phase = PhaseResult.full([
            heavy, .made("small", milliseconds: small.map { [$0] } ?? []),
        ])
        phase.duration = 1
        phase.lookups.hits = lookups
        phase.lookups.errors = errors > 0 ? ["EADDRINUSE": errors] : [:]
        phase.dials = .init(ok: 0, failed: 0, expected: nil, reasoning: "")
        return .init(cell: .init(values: [limit], repetition: repetition), result: phase)
    }

    private static func sweep(
        _ runs: [SweepResult.Run],
        limits: String = "none,request:4,request:16,request:64,request:256"
    ) throws -> SweepResult {
        let plan = try SweepPlan(
            [try Variation(text: "limit=\(limits)")],
            fixed: [:],
            clients: [ClientSpec(text: "small:uris=1..10,rate=20/s"), ClientSpec(text: "heavy:uris=20000,rate=2/s")],
            ports: 1024,
            warmUp: .zero,
            duration: .seconds(1),
            repetitions: 3,
            seed: 3
        )
        var sweep = SweepResult(plan)
        sweep.runs = runs
        sweep.analyze()
        return sweep
    }

    @Test("each combination is a dot at its figures, and the edge has those of which none is better in both")
    func tradeOff() throws {
        let chart = try #require(SweepCharts(try Self.full.get()).tradeOff)
        #expect(chart.points.count == 5)
        let names = chart.edge.map(\.name)
        // request:64 waits longer than request:16 for less; what fails is on no edge, however fast.
        #expect(names == ["limit=request:4", "limit=request:16", "limit=request:256"])
        #expect(chart.points.first { $0.name == "limit=none" }?.isSound == false)
        let four = try #require(chart.points.first { $0.name == "limit=request:4" })
        #expect(abs(four.y - 5.2) < 0.05 && four.x == 20_000)
        #expect(four.yRange.map { abs($0.lowerBound - 5.1) < 0.05 && abs($0.upperBound - 5.3) < 0.05 } == true)

        let svg = chart.svg(.wide).written
        let drawn = DrawnSVG(svg)
        for tag in drawn.tags("circle") {
            let name = try #require(DrawnSVG.attribute("data-point", in: tag))
            let point = try #require(chart.points.first { $0.name == name })
            let y = try #require(DrawnSVG.attribute("cy", in: tag).flatMap(Double.init))
            let x = try #require(DrawnSVG.attribute("cx", in: tag).flatMap(Double.init))
            #expect(abs(try drawn.value(at: y) - point.y) <= (try drawn.precision(at: y)))
            #expect(abs(try drawn.time(at: x) - point.x) <= 100)
        }
    }

    @Test("the one that is recommended is named in the picture, and no other")
    func recommended() throws {
        let sweep = try Self.full.get()
        let chart = try #require(SweepCharts(sweep).tradeOff)
        let chosen = chart.points.filter(\.isChosen)
        #expect(chosen.count == 1)
        #expect(sweep.findings[0].hasPrefix("Recommended: \(chosen[0].name)."))
        #expect(sweep.recommended.map { "limit=\($0["limit"] ?? "")" } == chosen[0].name)
        #expect(chart.svg(.wide).written.contains(": recommended<"))
        #expect(chart.svg(.narrow).written.components(separatedBy: ": recommended<").count == 2)
    }

    @Test("a part of a sweep is drawn, and says what is missing")
    func partial() throws {
        let part = try Self.sweep(Array(Self.full.get().runs.prefix(7)))
        let chart = try #require(SweepCharts(part).tradeOff)
        #expect(chart.points.count == 5)
        #expect(chart.note.contains("8 of 15 runs are missing"))
        let page = String(decoding: HTMLPage.report(part), as: UTF8.self)
        #expect(page.contains("8 of 15 runs were not played"))
        #expect(page.contains("<figure id=\"trade-off\""))
        // Nothing to draw is no picture, and no failure.
        let none = try Self.sweep([Self.run("none", 1, small: nil, lookups: 0)])
        #expect(SweepCharts(none).tradeOff == nil)
        #expect(String(decoding: HTMLPage.report(none), as: UTF8.self).contains("id=\"findings\""))
        #expect(throws: Pictures.Problem.self) { try Pictures(none).svg(nil) }
    }

    @Test("every limiter is marked on the curves: dots where it has a number, lines across where it has none")
    func marks() throws {
        let limits = ["none", "fair:64", "vegas", "request:4", "request:16", "request:64"]
        let sweep = try Self.sweep(
            limits.flatMap { limit in
                (1...3).map { repetition in
                    Self.run(
                        limit,
                        repetition,
                        small: 10 + Double(limit.utf8.count),
                        lookups: 20_000,
                        errors: limit == "none" ? 9000 : 0
                    )
                }
            },
            limits: limits.joined(separator: ",")
        )
        let chart = try #require(SweepCharts(sweep).curves.first)
        #expect(chart.series.map(\.name) == ["request:N", "fair:N"])
        #expect(chart.series.map(\.isJoined) == [true, false])
        #expect(chart.series[1].points.map(\.x) == [64])
        #expect(chart.references.map(\.name).sorted() == ["none: 14, fails", "vegas: 15"])
        for layout in [ChartLayout.wide, .narrow] {
            let text = chart.svg(layout).written
            let drawn = DrawnSVG(text)
            for reference in chart.references {
                let tag = try #require(
                    drawn.tags("line").first { DrawnSVG.attribute("data-reference", in: $0) == reference.name }
                )
                let y = try #require(DrawnSVG.attribute("y1", in: tag).flatMap(Double.init))
                #expect(abs(try drawn.value(at: y) - reference.value) <= (try drawn.precision(at: y)))
                #expect(text.contains(">\(reference.name)<"))
            }
            #expect(text.contains(", knee"))
        }
    }

    @Test("curves over the number have axis titles, and a line at what one address sustains")
    func curves() throws {
        let charts = SweepCharts(try Self.full.get()).curves
        #expect(charts.map(\.id) == ["curve-smallP99", "curve-lookups", "curve-heavyP99"])
        for chart in charts {
            #expect(chart.points.map(\.x) == [4, 16, 64, 256])
            let text = chart.svg(.wide).written
            #expect(text.contains(">limit N, logarithmic<"))
        }
        #expect(throws: Pictures.Problem.self) { try Pictures(Self.full.get()).svg("trade-of") }
        #expect(try Pictures(Self.full.get()).svg("trade-off") == Pictures(Self.full.get()).svg(nil))
    }
}
