import LoadGenerator
import Testing
import Units

@testable import Results
@testable import Sweeps

/// The time that is left of a sweep, beside combinations that take much longer than their load.
@Suite("Sweep clock")
struct SweepClockTests {
    private func plan(repetitions: Int) throws -> SweepPlan {
        try SweepPlan(
            [try Variation(text: "limit=none,request:4")],
            fixed: [:],
            clients: [ClientSpec(text: "small:uris=1,rate=1/s")],
            ports: 1024,
            warmUp: .seconds(2),
            duration: .seconds(5),
            repetitions: repetitions,
            seed: 1
        )
    }

    private func cells(_ limits: [String]) -> ArraySlice<SweepPlan.Cell> {
        ArraySlice(limits.enumerated().map { SweepPlan.Cell(values: [$0.element], repetition: $0.offset + 1) })
    }

    @Test("a combination that was measured takes as long again; a slow one does not make all others slow")
    func known() throws {
        var clock = SweepClock(try plan(repetitions: 3))
        clock.note(.init(values: ["none"], repetition: 1), took: .seconds(115))
        clock.note(.init(values: ["request:4"], repetition: 1), took: .seconds(8))
        clock.note(.init(values: ["request:4"], repetition: 2), took: .seconds(10))
        #expect(clock.left(cells(["request:4", "request:4"])).time == .seconds(18))
        #expect(clock.left(cells(["none", "request:4"])).time == .seconds(124))
        #expect(clock.text(cells(["none", "none"])) == "about 4 min left")
        #expect(clock.text([]) == nil)
    }

    @Test("what was not measured yet is at least its load, and may be as slow as the slowest")
    func unknown() throws {
        var clock = SweepClock(try plan(repetitions: 1))
        let (least, unknown) = clock.left(cells(["none", "request:4"]))
        #expect(least == .seconds(16))
        #expect(unknown == 2)
        clock.note(.init(values: ["request:4"], repetition: 1), took: .seconds(8))
        #expect(
            clock.text(cells(["none"]))
                == "about 8 s left, more if one of 1 measurement of combinations not seen yet is slower"
        )
        clock.note(.init(values: ["none"], repetition: 1), took: .seconds(115))
        let text = try #require(clock.text(cells(["fair:4", "fair:5"])))
        #expect(text.hasPrefix("16 s to 4 min left, more if one of 2 measurements"))
    }
}
