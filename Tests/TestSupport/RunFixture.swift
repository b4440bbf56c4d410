package import LoadGenerator
internal import PostRecords
package import Results

extension Environment {
    /// A machine as results name it.
    package static func made(kernel: String = "6.18", cores: Int = 2, clients: [String] = []) -> Environment {
        Environment(
            kernel: kernel,
            cores: cores,
            memcached: "1.6.18",
            libmemcached: "1.1.4",
            network: .namespace,
            portRange: [32768, 33791],
            tcpTwReuse: "2",
            nofile: 20_000,
            seed: 1,
            clients: clients,
            spiral: "test",
            arguments: [],
            date: "2026-04-06T12:00:00Z"
        )
    }
}

extension RunResult {
    /// A run as if it had been played.
    package static func made(
        _ phases: [PhaseResult],
        timeline: [TimelinePoint] = [],
        events: [Event] = [],
        in environment: Environment = .made(),
        passes: Bool = true
    ) -> RunResult {
        RunResult(
            scenario: "test",
            description: "",
            environment: environment,
            phases: phases,
            events: events,
            timeline: timeline,
            verdict: .init(pass: passes, text: passes ? "all expectations held" : "FAIL", missing: [])
        )
    }
}

extension PhaseResult {
    /// A phase of so many lookups, of which some failed with one error.
    package static func played(
        _ name: String,
        at start: Double = 0,
        lookups: Int,
        failed: Int = 0,
        error: String = "EADDRINUSE",
        dials: Int = 0,
        clients: [ClientResult] = [],
        settings: KeyValuePairs<String, String> = [:]
    ) -> PhaseResult {
        var phase = empty(clients)
        phase.name = name
        phase.start = start
        phase.lookups.hits = lookups - failed
        phase.lookups.errors = failed > 0 ? [error: failed] : [:]
        phase.dials = .init(ok: dials, failed: failed, expected: nil, reasoning: "")
        var values = Settings()
        values.apply(settings.compactMap { try? SettingChange($0.key, $0.value) })
        phase.settings = SettingsDocument(values)
        return phase
    }
}

extension TimelinePoint {
    /// A point of a run of which nothing is to be said but this.
    package static func made(
        at: Double,
        phase: String = "p",
        portsInUse: Int = 0,
        timeWait: Int = 0,
        threads: Int = 1,
        rssBytes: Int = 1,
        dialsPerSecond: Double = 0,
        lookupsPerSecond: Double = 0,
        errorsPerSecond: [String: Double] = [:],
        clients: [String: Client] = [:]
    ) -> TimelinePoint {
        TimelinePoint(
            at: at,
            phase: phase,
            isUp: true,
            portsInUse: portsInUse,
            timeWait: timeWait,
            established: 0,
            sourceAddresses: 0,
            inFlight: 0,
            threads: threads,
            rssBytes: rssBytes,
            dialsPerSecond: dialsPerSecond,
            lookupsPerSecond: lookupsPerSecond,
            errorsPerSecond: errorsPerSecond,
            logLinesPerSecond: errorsPerSecond.values.reduce(0, +),
            logWaiting: 0,
            clients: clients
        )
    }
}

extension TimelinePoint.Client {
    /// One batch answered after so many milliseconds.
    package static func made(milliseconds: Int) -> TimelinePoint.Client {
        let recorder = Recorder(name: "any", slo: nil)
        recorder.begin(uris: 1)
        let latency = Duration.milliseconds(milliseconds)
        recorder.succeed(AnswerCheck.Tally(records: 1, empty: 0), latency: latency, service: latency)
        return TimelinePoint.Client(recorder.takeWindow())
    }
}
