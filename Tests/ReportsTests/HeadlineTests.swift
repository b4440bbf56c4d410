import LoadGenerator
import PostRecords
import Results
import TestSupport
import Testing

@testable import Reports

/// The picture of the README.
@Suite("Headline picture")
struct HeadlineTests {
    @Test("the README's picture is what the program draws of the recorded run")
    func picture() throws {
        #expect(
            try Pictures(try RecordedRun.result()).svg(nil) == RecordedRun.picture(),
            "draw it again: see RecordedRun"
        )
        #expect(
            try Pictures(try RecordedRun.result()).svg(nil, width: 390) == RecordedRun.picture("headline-narrow"),
            "draw it again: see RecordedRun"
        )
    }

    @Test("on a phone it has the same figures, in letters of 16 pixels, and nothing is outside")
    func narrow() throws {
        let run = try RecordedRun.result()
        let text = try RecordedRun.picture("headline-narrow")
        let drawn = DrawnSVG(text)
        #expect(try drawn.attribute("viewBox").hasPrefix("0 0 390 ") && drawn.number("font-size") >= 16)
        let full = try drawn.number("data-bar")
        func bar(_ series: String, _ phase: String) throws -> Double {
            let tag = try #require(
                drawn.tags("rect").first {
                    DrawnSVG.attribute("data-series", in: $0) == series
                        && DrawnSVG.attribute("data-phase", in: $0) == phase
                }
            )
            return 100 * (try #require(DrawnSVG.attribute("width", in: tag).flatMap(Double.init))) / full
        }
        for phase in run.phases {
            let failed = 100 * Double(phase.lookups.failed) / Double(phase.lookups.total)
            #expect(abs(try bar("failed", phase.name) - failed) < 0.1)
            let percent = try #require(phase.clients.first { $0.name == "appview" }?.slo?.percent)
            #expect(abs(try bar("complete appview", phase.name) - percent) < 0.1)
        }
        #expect(try !drawn.line("TIME_WAIT").isEmpty)
        // As wide as its letters are at most.
        for (content, tag) in zip(texts(text), drawn.tags("text")) {
            let size = DrawnSVG.attribute("font-size", in: tag).flatMap(Double.init) ?? 17
            let x = try #require(DrawnSVG.attribute("x", in: tag).flatMap(Double.init))
            let width = Double(content.count) * size * 0.6
            switch DrawnSVG.attribute("text-anchor", in: tag) {
            case "end": #expect(x <= 390 && x - width >= 0, "\(content)")
            case "middle": #expect(x - width / 2 >= 0 && x + width / 2 <= 390, "\(content)")
            default: #expect(x >= 0 && x + width <= 392, "\(content)")
            }
        }
        #expect(throws: Pictures.Problem.self) { try Pictures(run).svg("port", width: 390) }
        #expect(try Pictures(run).svg(nil, width: 500).contains("width=\"500\""))
        #expect(try Pictures(run).svg("ports", width: 390).contains("class=\"chart narrow\""))
        #expect(try Pictures(run).svg("ports", width: 2000).contains("class=\"chart wide\""))
    }

    private func texts(_ svg: String) -> [Substring] {
        svg.split(separator: "<").filter { $0.hasPrefix("text ") }
            .map { $0.drop { $0 != ">" }.dropFirst() }
    }

    @Test(
        "many phases, long names and long runs are drawn in letters one can read; what has no room is said to be left out",
        arguments: [1, 5, 13, 1000]
    )
    func shapes(count: Int) throws {
        let name = String(repeating: "phase-of-a-long-name-", count: 3)
        let caller = String(repeating: "c", count: 60)
        // Of each kind one is made: a thousand would take longer than all else.
        let kinds = (0..<3).map { kind in
            PhaseResult.played(
                "",
                lookups: kind == 0 ? 0 : 1000,
                failed: kind == 1 ? 1000 : 0,
                clients: [.made(caller, milliseconds: [10], slo: .milliseconds(250))]
            )
        }
        let phases = (0..<count).map { index in
            var phase = kinds[index % 3]
            phase.name = "\(name)\(index)"
            phase.start = Double(index) * 36_000
            phase.duration = index == 0 ? 0 : 36_000
            phase.title =
                "a title that is as long as its phase, and a little longer than anybody reads; with a second part"
            return phase
        }
        var run = RunResult.made(phases, timeline: [.made(at: 0, portsInUse: 5, timeWait: 5)])
        run.timeline.append(.made(at: 35_999, portsInUse: 1024, timeWait: 9_999_999))
        let headline = try #require(Headline(run))
        #expect(headline.phases.count == min(12, count))
        for svg in [headline.svg().written, headline.narrowSVG().written] {
            #expect(svg.contains("The first 12 of ") == (count > 12))
            for tag in DrawnSVG(svg).tags("text") {
                if let size = DrawnSVG.attribute("font-size", in: tag).flatMap(Double.init) { #expect(size >= 16) }
            }
            #expect(!svg.contains("nan") && !svg.contains("inf "))
        }
        let page = String(decoding: HTMLPage.report(run), as: UTF8.self)
        #expect(page.utf8.count < 8_000_000)
        #expect(page.contains("and \(count - 12) more phases") == (count > 12))
    }

    @Test("its bars are the shares of the run's JSON, its areas the timeline's sockets")
    func readBack() throws {
        let run = try RecordedRun.result()
        let drawn = DrawnSVG(try RecordedRun.picture())
        let tall = try drawn.number("data-strip")
        func bar(_ series: String, _ phase: String) throws -> Double {
            let tag = try #require(
                drawn.tags("rect").first {
                    DrawnSVG.attribute("data-series", in: $0) == series
                        && DrawnSVG.attribute("data-phase", in: $0) == phase
                }
            )
            return 100 * (try #require(DrawnSVG.attribute("height", in: tag).flatMap(Double.init))) / tall
        }
        for phase in run.phases {
            let failed = 100 * Double(phase.lookups.failed) / Double(phase.lookups.total)
            #expect(abs(try bar("failed", phase.name) - failed) < 0.1)
            let percent = try #require(phase.clients.first { $0.name == "appview" }?.slo?.percent)
            #expect(abs(try bar("complete appview", phase.name) - percent) < 0.1)
        }
        // The outline of an area: its roof, and then its floor.
        let most = Double(
            try #require(
                drawn.tags("path").first { DrawnSVG.attribute("data-series", in: $0) == "TIME_WAIT" }
                    .flatMap { DrawnSVG.attribute("data-most", in: $0) }
            )
        )!
        let stretches = try drawn.line("TIME_WAIT")
        let floor = try #require(stretches.first?.last?.y)
        // A moment alone is drawn as a sliver.
        let gaps = run.timeline.indices.dropFirst().filter { run.timeline[$0].at - run.timeline[$0 - 1].at > 2.2 }
        let lengths = zip([0] + gaps, gaps + [run.timeline.count]).map { $1 - $0 }
        #expect(stretches.map(\.count) == lengths.map { 2 * max(2, $0) })
        let roof = zip(stretches, lengths).flatMap { $0.prefix($1) }
        for (point, sample) in zip(roof, run.timeline) {
            #expect(abs((floor - point.y) / tall * most - Double(sample.timeWait)) <= 0.06 / tall * most + 1)
        }
    }

    @Test("it says in words what it shows, and its letters are of 16 pixels or more where a page shows it")
    func words() throws {
        let run = try RecordedRun.result()
        let text = try RecordedRun.picture()
        let headline = try #require(Headline(run))
        #expect(text.contains("<title id=\"headline-title\">") && text.contains("<desc id=\"headline-desc\">"))
        for phase in run.phases { #expect(headline.description.contains("\(phase.name): ")) }
        #expect(!text.contains("<script") && text.utf8.count < 40_000)
        for tag in DrawnSVG(text).tags("text") {
            if let size = DrawnSVG.attribute("font-size", in: tag).flatMap(Double.init) { #expect(size >= 16) }
        }
    }

    @Test("what was not measured is a dash, and a run of nothing has no picture")
    func absent() throws {
        var run = try RecordedRun.result()
        run.phases[1].lookups = CounterSnapshot().lookups
        run.phases[1].clients = []
        let headline = try #require(Headline(run))
        #expect(headline.phases[1].failed == nil)
        #expect(headline.svg().written.contains(">–<"))
        run.phases = []
        #expect(Headline(run) == nil)
    }

    @Test("results of before, without open ports apart, are drawn too")
    func old() throws {
        var run = try RecordedRun.result()
        for index in run.timeline.indices {
            (run.timeline[index].portsOpen, run.timeline[index].portsTimeWait) = (nil, nil)
            for name in run.timeline[index].clients.keys {
                run.timeline[index].clients[name]?.complete = nil
                run.timeline[index].clients[name]?.failed = nil
                run.timeline[index].clients[name]?.inTime = nil
            }
        }
        let charts = RunCharts(run)
        #expect(charts.ports.series.map(\.name) == ["in use"])
        #expect(charts.ports.series[0].values == run.timeline.map { Double($0.portsInUse) })
        // The share of the whole phase, as that is all there is.
        let share = try #require(charts.completeInTime.series.first { $0.name.hasPrefix("appview") })
        let phase = try #require(run.phases.first { $0.name == "incident" })
        let index = try #require(run.timeline.firstIndex { $0.phase == "incident" })
        #expect(share.values[index] == phase.clients.first { $0.name == "appview" }?.slo?.percent)
        #expect(Headline(run)?.isSplit == false)
    }
}
