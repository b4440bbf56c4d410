import LoadGenerator
import PostRecords
import Results
import TestSupport
import Testing

@testable import Scenarios

/// What a run is said to have shown.
@Suite("Run story")
struct StoryTests {
    private let healthy = PhaseResult.played(
        "healthy",
        lookups: 100,
        dials: 76,
        clients: [.made("appview", batches: 4, complete: 4)]
    )
    private var incident: PhaseResult {
        var phase = PhaseResult.played(
            "incident",
            at: 8,
            lookups: 20_000,
            failed: 19_840,
            dials: 948,
            clients: [
                .made("appview", batches: 4, complete: 1),
                .made("heavy-caller", batches: 2, milliseconds: [900]),
            ]
        )
        phase.clients[1].uris = 20_000
        phase.portsInUsePeak = 1024
        phase.exhaustion = .init(predicted: 0, measured: 0.5)
        return phase
    }

    private func story(_ phases: PhaseResult...) -> [String] { RunStory(.made(phases)).sentences }

    @Test(
        "the first sentence says what was asked, what ran out, and what share failed; the next what callers had of it"
    )
    func incidentFirst() {
        let story = story(healthy, incident)
        #expect(
            story.first
                == "incident: heavy-caller sent 2 batches of 10,000 URIs, and 20,788 new connections were tried; one source "
                + "address has 1,024 ephemeral ports. They ran out within 0.5 s, and 99.2% of 20,000 lookups failed with "
                + "EADDRINUSE (no free port for bind())."
        )
        #expect(story[1] == "appview had 25% of its batches complete within 250 ms, against 100% in healthy.")
    }

    @Test("each change is told with what it did: the settings, failures, connections, TIME_WAIT and the callers")
    func changes() {
        var workaround = PhaseResult.played(
            "band-aid",
            at: 20,
            lookups: 20_000,
            failed: 50,
            error: "EMFILE",
            dials: 19_950,
            settings: ["dialer": "rotate"]
        )
        workaround.timeWaitPeak = 102_400
        var fix = PhaseResult.played("fix", at: 40, lookups: 20_000, settings: ["limit": "request:64"])
        fix.portsInUsePeak = 1024
        let story = story(healthy, incident, workaround, fix)
        #expect(
            story[2]
                == "band-aid (dialer rotate): 0.25% of lookups failed with EMFILE (the process had no file descriptor left); "
                + "20,000 new connections were tried; 102,400 sockets were in TIME_WAIT, 100 times the ports of one source address."
        )
        #expect(
            story[3]
                == "fix (limit request:64, dialer bind:127.32.0.1): no lookup failed; no new connection was needed; "
                + "the ports of the phases before were still in TIME_WAIT and not needed."
        )
    }

    @Test("other failures are not told as port exhaustion, and a run without any says how near the ports came")
    func others() {
        let slow = PhaseResult.played("stopped", lookups: 100, failed: 50, error: "ETIMEDOUT")
        #expect(
            story(slow) == [
                "stopped: 50% of 100 lookups failed with ETIMEDOUT (no answer in time); ports did not run out (0 of 1,024 in use at most)."
            ]
        )
        var calm = healthy
        calm.portsInUsePeak = 77
        #expect(
            story(calm) == [
                "No lookup failed: 100 lookups in 1 phase; at most 7.52% of the 1,024 ephemeral ports of one source address were in use (healthy)."
            ]
        )
        #expect(story().isEmpty)
        #expect(story(.empty([.made("a")])) == ["Nothing was looked up."])
    }

    @Test(
        "nothing less than all is 100%, and nothing more than none 0%",
        arguments: [
            (19_999, 20_000, "more than 99.9%"), (1, 1_000_000, "less than 0.01%"), (20_000, 20_000, "100%"),
            (0, 5, "0%"),
            (1, 3, "33.3%"), (0, 0, "0%"),
        ]
    )
    func shares(part: Int, whole: Int, text: String) {
        #expect(Share(part, of: whole).description == text)
    }

    @Test(
        "what was changed by hand is told with the share that failed before and after it; clicks close together are one"
    )
    func byHand() {
        var phase = PhaseResult.played("show", lookups: 1000, failed: 500)
        phase.duration = 20
        func event(_ at: Double, _ text: String) -> RunResult.Event {
            .init(at: at, kind: .setting, text: text, byHand: true)
        }
        let timeline = (1...20).map { second in
            TimelinePoint.made(
                at: Double(second),
                lookupsPerSecond: 100,
                errorsPerSecond: second <= 10 ? ["EADDRINUSE": 90] : [:]
            )
        }
        let run = RunResult.made(
            [phase],
            timeline: timeline,
            events: [event(10, "limit = request:64, by hand"), event(11, "max-idle = 64, by hand")]
        )
        #expect(
            RunStory(run).sentences.last
                == "At 10 s limit = request:64, max-idle = 64 were set by hand: failed lookups 90% before, 0% after."
        )
    }

    @Test("what to do next depends on what was seen: the doctor after a failure, a limit after exhaustion")
    func next() {
        let exhausted = NextStep.after(.made([healthy, incident]), file: "run.json").map(\.command)
        #expect(exhausted.first == "spiral report run.json")
        #expect(exhausted.contains { $0.hasPrefix("spiral sweep") })
        #expect(!NextStep.after(.made([healthy]), file: nil).contains { $0.command.hasPrefix("spiral sweep") })
        #expect(NextStep.after(.made([healthy], passes: false), file: "-").first?.command == "spiral doctor")
    }
}

extension ClientResult {
    /// A client with an SLO of 250 ms.
    fileprivate static func made(_ name: String, batches: Int, complete: Int) -> ClientResult {
        var client = made(
            name,
            batches: batches,
            milliseconds: [Double](repeating: 1, count: batches),
            slo: .milliseconds(250)
        )
        client.slo?.met = complete
        client.slo?.percent = 100 * Double(complete) / Double(batches)
        return client
    }
}
