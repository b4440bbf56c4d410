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
