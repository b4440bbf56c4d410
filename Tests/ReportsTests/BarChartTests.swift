import LoadGenerator
import PostRecords
import Results
import TestSupport
import Testing
import Text

@testable import Cures
@testable import Reports

/// The picture of the cures: who got an answer, and who paid for it.
@Suite("Bar charts")
struct BarChartTests {
    private static func measurement(
        found: [Int],
        complete: (heavy: Int, small: Int?),
        others: (ok: Int, failed: Int)
    ) -> CureMeasurement {
        var heavy = ClientResult.made(CuresPlan.heavyName, batches: 2, milliseconds: [5, 5])
        heavy.complete = complete.heavy
        var small = ClientResult.made(CuresPlan.smallName, batches: 30)
        small.complete = complete.small
        if complete.small == small.batches { (small.records.found, small.records.empty) = (small.uris, 0) }
        var dials = CureMeasurement.Others()
        (dials.ok, dials.failed) = others
        return CureMeasurement(
            settings: SettingsDocument(Settings()),
            sysctls: [:],
            portsCapacity: 64,
            batches: found.enumerated().map {
                .init(round: $0 + 1, uris: 100, found: $1, errors: [:], milliseconds: 3)
            },
            dials: .init(ok: 64, failed: 9, errorsByCall: ["bind EADDRINUSE": 9], countedByMemcached: 64),
            timeWaitPeak: 64,
            memcachedTimeWaitPeak: 3,
            portsInUsePeak: 64,
            inFlightPeak: 100,
            others: dials,
            clients: [heavy, small],
            cpuSeconds: .init(server: 0.1, memcached: 0.1),
            rssPeakBytes: 1,
            memcachedRSSPeakBytes: nil,
            timeWaitOverflows: 0,
            resets: 0,
            refusals: [:],
            roomMilliseconds: 40
        )
    }

    private static func result() -> CuresResult {
        var result = CuresResult(
            CuresPlan(["tw-reuse-1", "limit", "unix-socket"], ports: 64, repetitions: 1, seed: 1)
        )
        func run(_ name: String, _ measurement: CureMeasurement?) -> CuresResult.Run {
            .init(
                cell: .init(cure: name, repetition: 1),
                measurement: measurement,
                unavailable: measurement == nil ? "no <unix> here" : nil
            )
        }
        result.runs = [
            run("nothing", measurement(found: [20, 0], complete: (0, 7), others: (10, 30))),
            run("tw-reuse-1", measurement(found: [20, 0], complete: (0, nil), others: (10, 29))),
            run("limit", measurement(found: [100, 100], complete: (2, 30), others: (40, 0))),
            run("unix-socket", nil),
        ]
        result.judge()
        return result
    }

    @Test("each bar is as long as its figure in the JSON says, in the order of the table, and what is absent has none")
    func bars() throws {
        let written = JSONText.encode(Self.result())
        let result = try CuresResult(json: written)
        let chart = try #require(BarChart(result))
        #expect(chart.rows.map(\.name) == ["limit", "nothing", "tw-reuse-1"])
        #expect(chart.rows.map(\.name) == result.cures.filter { $0.dials != nil }.map(\.name))
        #expect(chart.rows.map(\.group) == ["cures", "does nothing", "does nothing"])
        for layout in [ChartLayout.wide, .narrow] {
            let drawn = DrawnSVG(chart.svg(layout).written)
            var seen: [String: [String: Double]] = [:]
            var last = -Double.infinity
            for tag in drawn.tags("rect") {
                guard let row = DrawnSVG.attribute("data-row", in: tag) else { continue }
                func number(_ name: String) throws -> Double {
                    try #require(DrawnSVG.attribute(name, in: tag).flatMap(Double.init))
                }
                let series = try #require(DrawnSVG.attribute("data-series", in: tag))
                let drawnValue = try drawn.time(at: number("x") + number("width")) - drawn.time(at: number("x"))
                let value = try number("data-value")
                #expect(abs(drawnValue - value) < 0.2, "\(row) \(series): \(drawnValue) for \(value)")
                #expect(try number("y") > last, "one below the other")
                last = try number("y")
                seen[row, default: [:]][series] = value
            }
            let cures = Dictionary(uniqueKeysWithValues: result.cures.map { ($0.name, $0) })
            for (name, values) in seen {
                let row = try #require(cures[name])
                let heavy = try #require(row.client(CuresPlan.heavyName))
                let small = try #require(row.client(CuresPlan.smallName))
                let others = try #require(row.others)
                var expected = [
                    chart.series[0]: 100 * Double(try #require(heavy.complete)) / Double(heavy.batches),
                    chart.series[2]: 100 * Double(others.failed) / Double(others.ok + others.failed),
                ]
                expected[chart.series[1]] = small.complete.map { 100 * Double($0) / Double(small.batches) }
                #expect(values == expected)
            }
            #expect(
                seen.count == 3 && seen["tw-reuse-1"]?.count == 2,
                "what was not counted is not none"
            )
        }
    }

    @Test("the page has it with a title, a description, and the values as a table; the picture alone is written too")
    func page() throws {
        let result = Self.result()
        let page = String(decoding: HTMLPage.report(result), as: UTF8.self)
        #expect(page.contains("<figure id=\"complete\""))
        #expect(page.contains("<title id=\"complete-wide-title\">Complete batches, and who pays</title>"))
        #expect(page.contains("tw-reuse-1 (does nothing): heavy batches complete: 0%, small batches complete: –"))
        #expect(page.contains("<td>75%</td>") && page.contains("Without 1 that were not played"))
        #expect(try Pictures(result).svg(nil) == Pictures(result).svg("complete"))
        #expect(try Pictures(result).svg(nil).hasPrefix("<svg "))
        #expect(throws: Pictures.Problem.self) { try Pictures(result).svg("complet") }
        var none = result
        none.runs = []
        none.judge()
        #expect(BarChart(none) == nil)
        #expect(String(decoding: HTMLPage.report(none), as: UTF8.self).contains("Why not just"))
        #expect(throws: Pictures.Problem.self) { try Pictures(none).svg(nil) }
    }

    @Test("no text of the picture is written outside of it, whatever its rows are called")
    func inside() throws {
        var chart = try #require(BarChart(Self.result()))
        chart.rows.append(.init(name: String(repeating: "long-", count: 12), group: "g", values: [100, 100, 100]))
        for layout in [ChartLayout.wide, .narrow] {
            let drawn = DrawnSVG(chart.svg(layout).written)
            for tag in drawn.tags("text") {
                let x = try #require(DrawnSVG.attribute("x", in: tag).flatMap(Double.init))
                #expect((0...layout.width).contains(x))
            }
            for tag in drawn.tags("rect") {
                let width = try #require(DrawnSVG.attribute("width", in: tag).flatMap(Double.init))
                #expect((0...layout.width).contains(width))
            }
        }
    }

    @Test("a share that is none has no bar, whatever the file says", arguments: [-1, 3, 1_000_000_000_000_000])
    func absurd(complete: Int) throws {
        var result = Self.result()
        result.runs[2].measurement?.clients[0].complete = complete
        result.judge()
        let chart = try #require(BarChart(result))
        let row = try #require(chart.rows.first { $0.name == "limit" })
        #expect(row.values[0] == nil && row.values[1] == 100)
    }
}
