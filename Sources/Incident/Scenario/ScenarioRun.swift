internal import FanOut
internal import HTTP
internal import KernelProbe
internal import Limits
internal import LoadGenerator
internal import Memcached
internal import POSIX
internal import PostRecords
internal import Telemetry
internal import Units

/// A run in progress: memcached, server and clients on a stage, and the phases played on it.
///
/// It belongs to one thread, whose end ends the processes too.
package final class ScenarioRun {
    /// How often the kernel is asked about sockets and the server process.
    private static let sampleInterval = Duration.milliseconds(500)
    /// The clients come from an address of their own, so that no dialer can take their ports.
    private static let clientSource = IPv4Address(value: 0x7f00_0201)

    private let stage: Stage
    private let folder: RunFolder
    private let progress: Progress
    private let workload: Workload
    private let memcached: MemcachedProcess
    private let server: ServerProcess
    private var attacks: [Attack] = []
    private var settings = Settings()
    private let beginning: MonotonicInstant
    private var last: CounterSnapshot
    package private(set) var events: [RunResult.Event] = []

    /// Starts memcached and server and fills the cache.
    /// - Throws: ``StageError``, ``Interrupted``
    package init(on stage: Stage, in folder: RunFolder, seed: UInt64, posts: Int, progress: Progress) throws {
        self.stage = stage
        self.folder = folder
        self.progress = progress
        var options = MemcachedProcess.Options()
        options.port = stage.memcachedPort
        memcached = try MemcachedProcess(options, in: folder)
        try Self.checkForSignal()
        settings.logSink = .file(path: folder.path + "/errors.log")
        server = try ServerProcess(
            address: stage.serverAddress,
            adminAddress: stage.adminAddress,
            memcached: memcached.address,
            ["--log-sink", settings.logSink.description],
            in: folder
        )
        workload = Workload(seed: seed, count: posts)
        try Self.checkForSignal()
        do {
            try Preload.run(workload, into: ServerList([memcached.address]), from: Self.clientSource)
        } catch {
            throw StageError("memcached cannot be filled: \(error)")
        }
        last = try server.counters(takePeaks: true)
        beginning = .now
    }

    /// Plays one phase: changes the settings, lets the clients send, and waits until all is answered.
    /// - Parameter place: of the phase among all, for the progress line.
    /// - Throws: ``StageError``, ``Interrupted``
    package func play(_ plan: PhasePlan, place: String) throws -> PhaseResult {
        try apply(plan)
        let start = MonotonicInstant.now
        let idle = last.idleConnections
        let free = try freePorts()
        try startClients(plan)

        var sample = Sample()
        let end = start + plan.duration
        let patience = end + .seconds(300)
        var nextLine = start
        while MonotonicInstant.now < end || attacks.contains(where: { $0.recorder.pending > 0 }) {
            try pause(until: .now + Self.sampleInterval)
            if MonotonicInstant.now >= end { for attack in attacks { attack.stop() } }
            guard MonotonicInstant.now < patience else {
                throw StageError("phase \(plan.name): batches are still unanswered 5 minutes after the last was due")
            }
            try take(&sample)
            let now = try server.counters(takePeaks: false)
            if progress.isLive || MonotonicInstant.now >= nextLine {
                progress.update(line(place, plan, since: start, now, sample))
                nextLine = .now + .seconds(2)
            }
        }
        // The answers are out; the last connections are closing.
        try pause(until: .now + .milliseconds(50))
        try take(&sample)
        return try finish(plan, start: start, idle: idle, free: free, sample)
    }

    /// The incident's own log line as the server wrote it, or nil when it did not.
    package func incidentLine() -> String? {
        folder.firstLine(of: "errors.log", containing: "bind: address already in use")
    }

    package func end() {
        for attack in attacks { attack.stop() }
        server.terminate()
        memcached.terminate()
    }

    // MARK: Phases

    private func apply(_ plan: PhasePlan) throws {
        if !plan.changes.isEmpty { try server.change(plan.changes) }
        for change in plan.changes {
            try settings.set(change.name, to: change.text)
            note("\(change.name) = \(change.text)")
        }
        last = try server.counters(takePeaks: true)
    }

    private func startClients(_ plan: PhasePlan) throws {
        attacks = plan.clients.map { spec in
            Attack(
                spec,
                to: Target(address: server.address, path: Endpoint.path),
                from: Self.clientSource,
                workload: workload,
                timeout: .seconds(180),
                maxInFlight: 512
            )
        }
        for (attack, spec) in zip(attacks, plan.clients) {
            do {
                try attack.start(for: plan.duration)
            } catch {
                throw StageError("client \(spec.name) cannot be started: \(error)")
            }
            note("client \(spec) starts")
        }
    }

    private func finish(
        _ plan: PhasePlan,
        start: MonotonicInstant,
        idle: Int,
        free: Int?,
        _ sample: Sample
    ) throws -> PhaseResult {
        let now = try server.counters(takePeaks: true)
        let change = now.change(since: last)
        last = now
        let forecast = DialForecast(
            batchSizes: attacks.map(\.recorder.batchSizes).reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) },
            maxIdle: settings.fanOut.maxIdle,
            limit: settings.fanOut.limit.bound,
            idle: idle,
            freePorts: free,
            failed: change.dials.failed
        )
        var result = PhaseResult(
            name: plan.name,
            title: plan.title,
            start: (start - beginning).inSeconds,
            duration: (MonotonicInstant.now - start).inSeconds,
            settings: SettingsDocument(settings),
            lookups: change.lookups,
            dials: .init(
                ok: change.dials.ok,
                failed: change.dials.failed,
                expected: forecast.expected,
                reasoning: forecast.reasoning
            ),
            writeBacks: change.writeBacks,
            inFlightPeak: change.inFlightPeak,
            timeWaitPeak: sample.timeWaitPeak,
            portsCapacity: stage.ports.ports,
            clients: attacks.map(\.recorder.result),
            threadsPeak: sample.threadsPeak,
            rssPeakBytes: sample.rssPeakBytes,
            logLines: change.logLines,
            restarts: 0,
            expectations: []
        )
        result.expectations = plan.expectations.map { expectation in
            let (observed, pass) = expectation.judge(result)
            return .init(text: expectation.text, observed: observed, pass: pass)
        }
        return result
    }

    // MARK: Looking on

    private struct Sample {
        var timeWait = 0
        var timeWaitPeak = 0
        var threadsPeak = 0
        var rssPeakBytes = 0
    }

    private func take(_ sample: inout Sample) throws {
        if let exit = server.poll() {
            throw StageError("spiral-server ended (\(exit)): \(folder.tail("server.log"))")
        }
        if let exit = memcached.poll() {
            throw StageError("memcached ended (\(exit)): \(folder.tail("memcached.log"))")
        }
        do {
            sample.timeWait = try SocketDiagnostics.survey(towardsPort: stage.memcachedPort).timeWait
        } catch {
            throw StageError("the kernel does not tell its sockets: \(error)")
        }
        sample.timeWaitPeak = max(sample.timeWaitPeak, sample.timeWait)
        if let status = server.status {
            sample.threadsPeak = max(sample.threadsPeak, status.threads)
            sample.rssPeakBytes = max(sample.rssPeakBytes, status.residentBytes)
        }
    }

    /// Ports the dialer's one address has left for memcached; nil for a dialer with many or none of its own.
    private func freePorts() throws -> Int? {
        guard case .bind(let source) = settings.fanOut.dialer else { return nil }
        do {
            let counts = try SocketDiagnostics.survey(towardsPort: stage.memcachedPort, from: source)
            return stage.ports.ports - counts.established - counts.timeWait - counts.other
        } catch {
            throw StageError("the kernel does not tell its sockets: \(error)")
        }
    }

    private func line(
        _ place: String,
        _ plan: PhasePlan,
        since start: MonotonicInstant,
        _ now: CounterSnapshot,
        _ sample: Sample
    ) -> String {
        let change = now.change(since: last)
        let errors = change.lookups.errors.max { $0.value < $1.value }.map { "\($0.key) \(grouped($0.value))" }
        return "[\(place) \(plan.name)] \(Int((MonotonicInstant.now - start).inSeconds.rounded()))s"
            + "  found \(grouped(change.lookups.hits))"
            + "  errors \(errors ?? "none")"
            + "  dials \(grouped(change.dials.ok))"
            + "  TIME_WAIT \(grouped(sample.timeWait))/\(grouped(stage.ports.ports)) ports"
            + "  in flight \(grouped(now.inFlight))"
    }

    private func note(_ text: String) {
        events.append(.init(at: (MonotonicInstant.now - beginning).inSeconds, text: text))
    }

    private func pause(until instant: MonotonicInstant) throws {
        let patience = instant - .now
        guard Signals.waitForTermination(upTo: max(.zero, patience)) == nil else { throw Interrupted() }
    }

    private static func checkForSignal() throws {
        guard Signals.waitForTermination(upTo: .zero) == nil else { throw Interrupted() }
    }
}
