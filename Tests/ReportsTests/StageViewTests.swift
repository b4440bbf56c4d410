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

    @Test("after a change the figures are of what came after it: the room sees the cure in a second, not in five")
    func sinceChange() throws {
        var run = RunResult.made([])
        run.timeline = (0..<12).map { index in
            .made(
                at: Double(index) / 2,
                lookupsPerSecond: 1000,
                // Up to 4 s all fails; the sample at 4.5 s has some of both.
                errorsPerSecond: ["EADDRINUSE": index < 9 ? 1000 : index == 9 ? 500 : 0]
            )
        }
        func failed(upTo count: Int, changedAt: Double?) -> String? {
            var seen = run
            seen.timeline = Array(run.timeline.prefix(count))
            seen.events = changedAt.map { [.init(at: $0, kind: .setting, text: "limit = x", byHand: true)] } ?? []
            return StageView(seen).figures.first { $0.name == "lookups that failed" }?.value
        }
        #expect(failed(upTo: 9, changedAt: nil) == "100%")
        #expect(failed(upTo: 9, changedAt: 4.2) == "100%", "nothing has been seen since")
        #expect(failed(upTo: 10, changedAt: 4.2) == "50%")
        #expect(failed(upTo: 11, changedAt: 4.2) == "0%", "the sample that the change fell into counts no more")
        #expect(failed(upTo: 12, changedAt: 4.2) == "0%")
        #expect(failed(upTo: 12, changedAt: nil) == "75%")
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
