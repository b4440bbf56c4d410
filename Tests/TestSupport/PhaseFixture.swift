package import LoadGenerator
internal import PostRecords
package import Results

extension ClientResult {
    /// A client as if it had sent batches of 5 URIs.
    /// - Parameter milliseconds: the latency of each that was answered; all others were refused.
    package static func made(
        _ name: String,
        batches: Int = 1,
        milliseconds: [Double] = [12],
        slo: Duration? = nil
    ) -> ClientResult {
        let recorder = Recorder(name: name, slo: slo)
        let answer = AnswerCheck.Tally(records: 5, empty: 1)
        for number in 0..<batches {
            recorder.begin(uris: 5)
            if number < milliseconds.count {
                let latency = Duration.microseconds(Int64(milliseconds[number] * 1000))
                recorder.succeed(answer, latency: latency, service: latency)
            } else {
                recorder.fail("HTTP_429", after: .milliseconds(1))
            }
        }
        return recorder.result
    }
}

extension PhaseResult {
    /// A phase in which nothing was looked up, sent or sampled.
    package static func empty(_ clients: [ClientResult] = []) -> PhaseResult {
        let counters = CounterSnapshot()
        return PhaseResult(
            name: "p",
            title: "",
            start: 0,
            duration: 2.75,
            settings: SettingsDocument(Settings()),
            lookups: counters.lookups,
            dials: .init(ok: 0, failed: 0, expected: nil, reasoning: "batches were refused"),
            writeBacks: counters.writeBacks,
            inFlightPeak: 0,
            timeWaitPeak: 0,
            portsInUsePeak: 0,
            portsCapacity: 1024,
            clients: clients,
            threadsPeak: nil,
            rssPeakBytes: nil,
            logLines: counters.logLines,
            restarts: 0,
            refusals: [:],
            expectations: []
        )
    }

    /// One of which everything was measured.
    package static func full(_ clients: [ClientResult]) -> PhaseResult {
        var phase = empty(clients)
        phase.lookups.hits = 90
        phase.lookups.errors = ["EADDRINUSE": 7]
        phase.dials = .init(ok: 1005, failed: 7, expected: 1000, reasoning: "test")
        phase.threadsPeak = 9
        phase.rssPeakBytes = 3 << 20
        return phase
    }
}
