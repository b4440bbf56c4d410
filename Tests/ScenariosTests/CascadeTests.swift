import LoadGenerator
import PostRecords
import Results
import TestSupport
import Testing

@testable import Scenarios

/// When the steps of the cascade are said to have happened, and with which figures.
@Suite("Cascade")
struct CascadeTests {
    private func stages(_ run: RunResult, sustainable: Double = 17.1) -> [String: CascadeStage] {
        Dictionary(
            run.measuredCascade(sustainableDialsPerSecond: sustainable).map { ($0.name, $0) },
            uniquingKeysWith: { $1 }
        )
    }

    /// Points half a second apart.
    private func churn(_ dials: [Double]) -> Double? {
        let timeline = dials.enumerated().map {
            TimelinePoint.made(at: Double($0.offset + 1) / 2, dialsPerSecond: $0.element)
        }
        return stages(.made([.played("p", lookups: 1)], timeline: timeline), sustainable: 10)["churn"]?.at
    }

    @Test("a rate counts for the time it held: a short first sample with one dial is no churn in a healthy phase")
    func timeWeighted() throws {
        // As a healthy phase was measured: 5 dials within 46 ms of its beginning, 76 in its 8 s.
        var timeline = [TimelinePoint.made(at: 0.046, phase: "healthy", dialsPerSecond: 117)]
        for number in 1...24 {
            let at = 0.046 + Double(number) / 2
            timeline.append(
                number <= 16
                    ? .made(at: at, phase: "healthy", dialsPerSecond: 9)
                    : .made(at: at, phase: "incident", dialsPerSecond: 500, errorsPerSecond: ["EADDRINUSE": 9000])
            )
        }
        let run = RunResult.made(
            [.played("healthy", lookups: 9), .played("incident", at: 8, lookups: 9, failed: 9)],
            timeline: timeline
        )
        let churn = stages(run)["churn"]
        #expect(churn?.phase == "incident")
        #expect(churn?.at == 8.546)
        let detail = try #require(churn?.detail)
        #expect(detail == "incident: 70.4 new connections a second over 4 s; one source address sustains 17.1")
    }

    @Test(
        "churn is when the mean of 4 s is half above what one address sustains, or that of 20 s above it, however long the run",
        .timeLimit(.minutes(1))
    )
    func windows() {
        #expect(churn(Array(repeating: 16, count: 20)) == 4)
        #expect(churn(Array(repeating: 11, count: 60)) == 20)
        #expect(churn(Array(repeating: 9, count: 60) + [40] + Array(repeating: 9, count: 60)) == nil)
        #expect(churn([1000] + Array(repeating: 0, count: 20)) == 4)
        #expect(churn([]) == nil)
        // A day, at the end of which it happens.
        #expect(churn(Array(repeating: 9, count: 172_800) + [1000]) == 86_400.5)
    }

    @Test("moment, value and phase are of one point, and what a cure needs is no step of the outage")
    func onePoint() {
        let timeline: [TimelinePoint] = [
            .made(at: 1, phase: "healthy", threads: 10, rssBytes: 20 << 20),
            .made(
                at: 9,
                phase: "incident",
                portsInUse: 1024,
                threads: 30,
                rssBytes: 40 << 20,
                errorsPerSecond: ["EADDRINUSE": 5000]
            ),
            .made(
                at: 10,
                phase: "incident",
                portsInUse: 1024,
                threads: 300,
                rssBytes: 50 << 20,
                errorsPerSecond: ["EADDRINUSE": 7000]
            ),
            .made(at: 25, phase: "band-aid", threads: 900, rssBytes: 434 << 20),
        ]
        let phases: [PhaseResult] = [
            .played("healthy", lookups: 9), .played("incident", at: 8, lookups: 9, failed: 9),
            .played("band-aid", at: 20, lookups: 9),
        ]
        let stages = stages(.made(phases, timeline: timeline))
        #expect(stages["memory"]?.happened == false)
        #expect(stages["memory"]?.detail == "at most 50 MiB, from 20")
        #expect(stages["log rate"]?.detail == "incident: 5,000 error lines a second")
        #expect(stages["log rate"]?.at == 9)
        #expect(stages["threads"]?.detail == "incident: 300 threads, from 10")
        #expect(stages["exhaustion"]?.phase == "incident")
        for stage in stages.values where stage.happened {
            #expect(timeline.contains { $0.at == stage.at && $0.phase == stage.phase }, "\(stage)")
        }
    }

    @Test("while no lookup failed for lack of a port nothing of the outage has happened")
    func healthy() {
        let timeline = (1...20).map { TimelinePoint.made(at: Double($0), threads: 10 * $0, rssBytes: $0 << 20) }
        let all = RunResult.made([.played("p", lookups: 9)], timeline: timeline)
            .measuredCascade(sustainableDialsPerSecond: 17.1)
        #expect(all.allSatisfy { !$0.happened && $0.at == nil && $0.phase == nil })
    }
}
