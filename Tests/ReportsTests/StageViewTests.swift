import LoadGenerator
import Results
import TestSupport
import Testing

@testable import Reports

/// What a room is told of the last seconds.
@Suite("Stage")
struct StageViewTests {
    /// The recorded run, up to the last sample of a phase.
    private func figures(upTo phase: String) throws -> [String: StageView.Figure] {
        var run = try RecordedRun.result()
        let end = try #require(run.timeline.lastIndex { $0.phase == phase })
        run.timeline = Array(run.timeline[...end])
        return Dictionary(StageView(run).figures.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    }

    @Test("healthy is good, the incident is bad, and ports in TIME_WAIT that nobody needs are no alarm")
    func figures() throws {
        let healthy = try figures(upTo: "healthy")
        #expect(healthy["lookups that failed"]?.isGood == true)
        #expect(healthy["appview: complete in time"]?.value == "100%")
        let incident = try figures(upTo: "incident")
        #expect(incident["ports of one address"]?.isGood == false)
        #expect(incident["ports of one address"]?.note == "none is free")
        #expect(incident["lookups that failed"]?.isGood == false)
        #expect(incident["lookups that failed"]?.note == "EADDRINUSE")
        let fix = try figures(upTo: "fix")
        #expect(fix["ports of one address"]?.value == "1,024 of 1,024")
        #expect(fix["ports of one address"]?.isGood == nil)
        #expect(fix["ports of one address"]?.note == "closed; free again within 60 s")
        #expect(fix["lookups that failed"]?.value == "0%")
    }

    @Test("a server that is down is said to be, and what was not measured is a dash")
    func absent() throws {
        var run = try RecordedRun.result()
        run.timeline = [run.timeline[0]]
        run.timeline[0].isUp = false
        run.timeline[0].batchesPending = nil
        let figures = StageView(run).figures
        #expect(figures[0] == .init(name: "server", value: "down", isGood: false))
        #expect(figures.first { $0.name == "batches waiting" }?.value == "–")
        #expect(figures.first { $0.name == "connections per second" }?.value == "–")
        run.timeline = []
        #expect(StageView(run).figures.isEmpty && StageView(run).chart("ports") == nil)
    }
}
