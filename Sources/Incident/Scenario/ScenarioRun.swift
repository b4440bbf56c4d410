internal import FanOut
internal import Glibc
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
    /// How often the kernel and the server are asked.
    static let sampleInterval = Duration.milliseconds(500)
    /// How often it is looked whether the server still lives, and whether a fault is due.
    static let watchInterval = Duration.milliseconds(50)
    /// The clients come from an address of their own, so that no dialer can take their ports.
    private static let clientSource = IPv4Address(value: 0x7f00_0201)

    let scenario: Scenario
    let stage: Stage
    private let folder: RunFolder
    let progress: Progress
    let live: LiveRun?
    private let workload: Workload
    var memcached: MemcachedProcess
    let server: SupervisedServer
    private(set) var attacks: [Attack] = []
    private var settings = Settings()
    let beginning: MonotonicInstant
    /// The counts at the beginning of the phase.
    private(set) var last: CounterSnapshot
    package internal(set) var events: [RunResult.Event] = []
    package internal(set) var timeline: [TimelinePoint] = []
    private var hasShownIncidentLine = false
    /// Whether somebody has ended the run: no further phase begins.
    var isEnding = false
    /// Where the run is, for those who watch it live.
    private var place = ""

    /// Starts memcached and server and fills the cache.
    /// - Throws: ``StageError``, ``Interrupted``
    init(
        _ scenario: Scenario,
        on stage: Stage,
        in folder: RunFolder,
        seed: UInt64,
        progress: Progress,
        live: LiveRun?
    ) throws {
        self.scenario = scenario
        self.stage = stage
        self.folder = folder
        self.progress = progress
        self.live = live
        memcached = try Self.startMemcached(scenario, stage, folder, isLive: live != nil)
        try Self.checkForSignal()
        settings.logSink = .file(path: folder.path + "/errors.log")
        for setting in scenario.settings { try settings.set(setting.name, to: setting.text) }
        let address = memcached.address
        server = try SupervisedServer(
            settings: settings,
            memoryLimit: scenario.ground.memoryLimit.map { MemoryLimit($0) }
        ) { settings, cgroup throws(StageError) in
            try ServerProcess(
                address: stage.serverAddress,
                adminAddress: stage.adminAddress,
                memcached: address,
                Self.arguments(settings, scenario.ground),
                descriptorLimit: scenario.ground.nofile,
                cgroup: cgroup,
                in: folder
            )
        }
        let largest = scenario.clients.map(\.uris.upperBound).max() ?? 1
        workload = Workload(seed: seed, count: max(scenario.ground.posts, largest))
        try Self.checkForSignal()
        if scenario.ground.isPreloaded {
            do {
                try Preload.run(workload, into: ServerList([memcached.address]), from: Self.clientSource)
            } catch {
                throw StageError("memcached cannot be filled: \(error)")
            }
        }
        last = server.counters(takePeaks: true)
        beginning = .now
    }

    private static func arguments(_ settings: Settings, _ ground: Ground) -> [String] {
        Settings.names.flatMap { ["--\($0)", settings[$0]!] }
            + (ground.logThreads.map { ["--log-threads", "\($0)"] } ?? [])
    }

    private static func startMemcached(
        _ scenario: Scenario,
        _ stage: Stage,
        _ folder: RunFolder,
        isLive: Bool
    ) throws(StageError) -> MemcachedProcess {
        var options = scenario.ground.memcached
        options.port = stage.memcachedPort
        let dialers = (scenario.settings + scenario.phases.flatMap(\.changes)).filter { $0.name == "dialer" }
        let mayTurn = isLive && stage.network == .namespace
        if mayTurn || dialers.contains(where: { $0.text == "rotate-destination" }) {
            options.listen = IPv4Address(value: 0)
        }
        return try MemcachedProcess(options, in: folder)
    }

    /// How the server's memory is bounded; nil where it is not.
    var memoryLimit: String? {
        server.memoryLimit.map { "\($0.limit) (\($0.enforcement.rawValue))" }
    }

    /// Plays one phase: changes the settings, lets the clients send, and waits until all is answered.
    /// - Parameter place: of the phase among all, for the progress line.
    /// - Throws: ``StageError``, ``Interrupted``
    func play(_ plan: PhasePlan, place: String) throws -> PhaseResult {
        self.place = "\(place) \(plan.name)\(plan.title.isEmpty ? "" : ": \(plan.title)")"
        note(.phase, plan.name)
        try apply(plan)
        let start = MonotonicInstant.now
        let idle = last.idleConnections
        let free = try freePorts()
        let deaths = server.deaths
        try startClients(plan)

        var watch = PhaseWatch(plan, start: start, counted: last)
        let patience = start + plan.duration + .seconds(300)
        while MonotonicInstant.now < watch.end || attacks.contains(where: { $0.recorder.pending > 0 }) {
            try pause(for: Self.watchInterval)
            if MonotonicInstant.now >= watch.end { for attack in attacks { attack.stop() } }
            guard MonotonicInstant.now < patience else {
                throw StageError("phase \(plan.name): batches are still unanswered 5 minutes after the last was due")
            }
            try attend(&watch, place: place)
        }
        // A server that died with the last answers is up again before the next phase begins.
        try supervise(&watch)
        while !server.isUp {
            try pause(for: Self.watchInterval)
            try supervise(&watch)
        }
        // Whatever was stopped goes on, so that the next phase begins with all that there is.
        for fault in plan.faults {
            if case .process(.stop, let subject) = fault.deed { send(SIGCONT, to: subject) }
        }
        // The answers are out; the last connections are closing.
        try pause(for: .milliseconds(50))
        try look(&watch)
        return try finish(plan, start: start, idle: idle, free: free, restarts: server.deaths - deaths, watch)
    }

    /// The incident's own log line as the server wrote it, the first time there is one.
    func takeIncidentLine() -> String? {
        guard !hasShownIncidentLine else { return nil }
        let line = folder.firstLine(of: "errors.log", containing: "bind: address already in use")
        hasShownIncidentLine = line != nil
        return line
    }

    func end() {
        for attack in attacks { attack.stop() }
        // Nothing waits for it any more; a server with thousands of blocked writers would take its time.
        server.terminate(patience: scenario.ground.restarts ? .zero : .seconds(2))
        memcached.terminate()
    }

    // MARK: Phases

    private func apply(_ plan: PhasePlan) throws {
        try change(plan.changes)
        for change in plan.changes { note(.setting, "\(change.name) = \(change.text)") }
        last = server.counters(takePeaks: true)
    }

    /// Changes settings as somebody asked for them.
    /// - Returns: why not; nil when they are changed.
    func changeByHand(_ changes: [(name: String, text: String)]) -> String? {
        do {
            try change(changes)
        } catch {
            return "\(error)"
        }
        for change in changes { note(.setting, "\(change.name) = \(change.text), by hand") }
        return nil
    }

    /// Changes settings of the running server: all of them, or on an error none.
    /// - Throws: ``Settings/Problem``, ``StageError``
    func change(_ changes: [(name: String, text: String)]) throws {
        var changed = settings
        for change in changes { try changed.set(change.name, to: change.text) }
        try server.change(changes)
        settings = changed
        live?.changed(settings, place: place)
    }

    /// The settings that matter most, in a line.
    var settingsAtAGlance: String {
        ["limit", "dialer", "max-idle", "log-mode"].map { "\($0) \(settings[$0]!)" }.joined(separator: ", ")
    }

    private func startClients(_ plan: PhasePlan) throws {
        attacks = plan.clients.map { spec in
            Attack(
                spec,
                to: Target(address: stage.serverAddress, path: Endpoint.path),
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
            note(.client, "client \(spec) starts")
        }
    }

    private func finish(
        _ plan: PhasePlan,
        start: MonotonicInstant,
        idle: Int,
        free: Int?,
        restarts: Int,
        _ watch: PhaseWatch
    ) throws -> PhaseResult {
        let now = server.counters(takePeaks: true)
        let change = now.change(since: last)
        last = now
        let forecast = DialForecast(
            clients: attacks.map(\.recorder.batchSizes),
            maxIdle: settings.fanOut.maxIdle,
            limit: settings.fanOut.limit.bound,
            idle: idle,
            freePorts: free,
            failed: change.dials.failed
        )
        let isForeseeable =
            plan.faults.isEmpty && !watch.isByHand && restarts == 0 && change.lookups.misses == 0
            && settings.fanOut.fanout == .perURI
            && forecast.applies
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
                expected: isForeseeable ? forecast.expected : nil,
                reasoning: isForeseeable ? forecast.reasoning : ""
            ),
            exhaustion: exhaustion(
                plan,
                start: start,
                idle: idle,
                free: isForeseeable && settings.fanOut.limit == .none ? free : nil
            ),
            writeBacks: change.writeBacks,
            inFlightPeak: max(change.inFlightPeak, watch.inFlightPeak),
            timeWaitPeak: watch.timeWaitPeak,
            portsInUsePeak: watch.portsInUsePeak,
            portsCapacity: stage.ports.ports,
            clients: attacks.map(\.recorder.result),
            threadsPeak: watch.threadsPeak,
            rssPeakBytes: watch.rssPeakBytes,
            logLines: change.logLines,
            restarts: restarts,
            refusals: change.refusals,
            expectations: []
        )
        result.expectations = plan.expectations.map { expectation in
            let (observed, pass) = expectation.judge(result)
            return .init(text: expectation.text, observed: observed, pass: pass)
        }
        return result
    }

    /// When the ports ran out, foretold and seen.
    /// - Parameter free: ports that were free at the beginning; nil where nothing can be foretold.
    private func exhaustion(
        _ plan: PhasePlan,
        start: MonotonicInstant,
        idle: Int,
        free: Int?
    ) -> PhaseResult.Exhaustion? {
        let begin = (start - beginning).inSeconds
        let measured = timeline.first { $0.phase == plan.name && $0.portsInUse >= stage.ports.ports }
            .map { max(0, $0.at - begin) }
        // Ports that rested before may be free again when a phase lasts.
        let isShort = free == stage.ports.ports || (MonotonicInstant.now - beginning) < PortBudget.timeWait
        var predicted: Double?
        if let free, isShort {
            var simulation = PortSimulation(ports: stage.ports.ports, maxIdle: settings.fanOut.maxIdle)
            simulation.idle = idle
            simulation.resting = stage.ports.ports - free - idle
            predicted = simulation.run(plan.clients, for: plan.duration).exhaustedAfter
        }
        return predicted == nil && measured == nil ? nil : .init(predicted: predicted, measured: measured)
    }

    /// Ports the dialer's one address has left for memcached; nil for a dialer with many or none of its own.
    private func freePorts() throws -> Int? {
        guard case .bind(let source) = settings.fanOut.dialer else { return nil }
        do {
            return stage.ports.ports
                - (try SocketDiagnostics.survey(towardsPort: stage.memcachedPort, from: source).total)
        } catch {
            throw StageError("the kernel does not tell its sockets: \(error)")
        }
    }

    // MARK: What others do with it

    func note(_ kind: RunResult.Event.Kind, _ text: String) {
        let event = RunResult.Event(at: (MonotonicInstant.now - beginning).inSeconds, kind: kind, text: text)
        events.append(event)
        live?.noted(event)
    }

    func send(_ signal: CInt, to subject: Fault.Subject) {
        switch subject {
        case .server: server.send(signal)
        case .memcached: memcached.send(signal)
        }
    }

    /// A new memcached in place of the old one, empty as a new one is.
    func restartMemcached() throws {
        memcached.terminate()
        memcached = try Self.startMemcached(scenario, stage, folder, isLive: live != nil)
    }

    func serverLog() -> String { folder.tail("server.log") }

    func memcachedLog() -> String { folder.tail("memcached.log") }

    private func pause(for patience: Duration) throws {
        guard Signals.waitForTermination(upTo: patience) == nil else { throw Interrupted() }
    }

    private static func checkForSignal() throws {
        guard Signals.waitForTermination(upTo: .zero) == nil else { throw Interrupted() }
    }
}
