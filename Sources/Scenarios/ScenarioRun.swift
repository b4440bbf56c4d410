internal import FanOut
internal import Forecast
internal import Glibc
internal import HTTP
internal import KernelProbe
internal import Limits
internal import LoadGenerator
internal import Memcached
internal import POSIX
internal import PostRecords
internal import Results
internal import Telemetry
internal import Testbed
internal import Units

/// A run in progress: memcached, server and clients in a network of their own, and the phases played there.
///
/// It belongs to one thread, whose end ends the processes too.
final class ScenarioRun {
    /// How often the kernel and the server are asked.
    static let sampleInterval = Duration.milliseconds(500)
    /// How often it is checked whether a process has ended and a fault is due.
    static let tickInterval = Duration.milliseconds(50)
    /// The clients come from an address of their own, so that no dialer can take their ports.
    private static let clientSource = IPv4Address(value: 0x7f00_0201)

    let scenario: Scenario
    let network: NetworkSetup
    let folder: RunFolder
    let observers: [any RunObserver]
    /// Whether the settings may be changed by hand.
    private let isSteerable: Bool
    private let workload: Workload
    var memcached: MemcachedProcess
    let server: SupervisedServer
    private(set) var load: Load?
    /// Which batches of the phase were under way together.
    private(set) var overlaps = BatchOverlaps()
    private(set) var settings = Settings()
    let beginning: MonotonicInstant
    /// The counts at the beginning of the phase.
    private(set) var last: CounterSnapshot
    private(set) var events: [RunResult.Event] = []
    var timeline: [TimelinePoint] = []
    let looks: PortLooks
    /// Source addresses that held ports when the run began, which are others'.
    let heldBefore: Set<IPAddress>
    private var hasShownIncidentLine = false
    var stopped = StoppedProcesses()
    /// Whether somebody has ended the run: no further phase begins.
    var isEnding = false
    /// Starts memcached and server and fills the cache.
    /// - Throws: ``TestbedError``, ``Interrupted``
    init(
        _ scenario: Scenario,
        in network: NetworkSetup,
        folder: RunFolder,
        seed: UInt64,
        observers: [any RunObserver],
        isSteerable: Bool
    ) throws {
        self.scenario = scenario
        self.network = network
        self.folder = folder
        self.observers = observers
        self.isSteerable = isSteerable
        memcached = try Self.startMemcached(scenario, network, folder, isSteerable: isSteerable)
        try Self.checkForSignal()
        settings.logSink = .file(path: folder.path + "/errors.log")
        settings.apply(scenario.settings)
        try network.makeOwn(settings.fanOut.dialer)
        let address = memcached.address
        server = try SupervisedServer(
            settings: settings,
            memoryLimit: scenario.setup.memoryLimit.map { MemoryLimit($0) }
        ) { settings, cgroup throws(TestbedError) in
            try ServerProcess(
                address: network.serverAddress,
                adminAddress: network.adminAddress,
                memcached: [address],
                Self.arguments(settings, scenario),
                descriptorLimit: scenario.setup.nofile,
                cgroup: cgroup,
                in: folder
            )
        }
        let largest = scenario.clients.map(\.uris.upperBound).max() ?? 1
        workload = Workload(seed: seed, count: max(scenario.setup.posts, largest))
        try Self.checkForSignal()
        if scenario.setup.isPreloaded {
            do {
                try Preload.run(workload, into: ServerList([memcached.address]), from: Self.clientSource)
            } catch {
                throw TestbedError("memcached cannot be filled: \(error)")
            }
        }
        do throws(SystemCallError) {
            looks = try .start()
        } catch {
            throw TestbedError("no thread can be started: \(error)")
        }
        do throws(SystemCallError) {
            heldBefore = Set(try looks.fresh().use.sources.filter { $0.value.held > 0 }.keys)
        } catch {
            throw TestbedError("the kernel does not list its sockets: \(error)")
        }
        last = server.counters(takePeaks: true)
        beginning = .now
    }

    private static func arguments(_ settings: Settings, _ scenario: Scenario) -> [String] {
        Settings.names.flatMap { ["--\($0)", settings[$0]!] }
            + (scenario.setup.logThreads.map { ["--log-threads", "\($0)"] } ?? [])
            + scenario.logFiles.flatMap { ["--allow-log-file", $0] }
            // As the incident's service did.
            + ["--abandoned", "finish"]
    }

    private static func startMemcached(
        _ scenario: Scenario,
        _ network: NetworkSetup,
        _ folder: RunFolder,
        isSteerable: Bool
    ) throws(TestbedError) -> MemcachedProcess {
        var options = scenario.setup.memcached
        options.port = network.memcachedPort
        let dialers = (scenario.settings + scenario.phases.flatMap(\.changes)).filter { $0.name == "dialer" }
        let mayRotate = isSteerable && network.network == .namespace
        if mayRotate || dialers.contains(where: { $0.text == "rotate-destination" }) {
            options.listen = IPv4Address(value: 0)
        }
        return try MemcachedProcess(options, in: folder)
    }

    /// Lanes of the server.
    var lanes: Int? { last.lanes }

    /// How the server's memory is bounded; nil where it is not.
    var memoryLimit: String? {
        server.memoryLimit.map { "\($0.limit) (\($0.enforcement.rawValue))" }
    }

    /// Plays one phase: changes the settings, lets the clients send, and waits until all is answered.
    /// - Throws: ``TestbedError``, ``Interrupted``
    func play(_ plan: PhasePlan, _ position: PhasePosition) throws -> PhaseResult {
        note(.phase, plan.name)
        try apply(plan, position)
        let start = MonotonicInstant.now
        let idle = last.idleConnections
        let use = try look()
        let ports = dialerPorts(use)
        let exits = server.exits
        try startClients(plan)

        var phase = ActivePhase(
            plan: plan,
            position: position,
            clock: PhaseClock(plan, start: start, sampleInterval: Self.sampleInterval),
            sampler: PhaseSampler(
                plan.name,
                start: start,
                counted: last,
                ports: MemcachedPorts(use, port: network.memcachedPort)
            )
        )
        if isSteerable {
            phase.sending = Dictionary(plan.byHand.map { ($0, false) }, uniquingKeysWith: { $1 })
            for observer in observers { observer.sendingChanged(phase.sending) }
        }
        let deadline = start + plan.duration + .seconds(300)
        while MonotonicInstant.now < phase.clock.end || load.map({ !$0.isOver }) ?? false {
            try pause(for: Self.tickInterval)
            if MonotonicInstant.now >= phase.clock.end { load?.stop() }
            guard MonotonicInstant.now < deadline else {
                throw TestbedError("phase \(plan.name): batches are still unanswered 5 minutes after the last was due")
            }
            try tick(&phase)
        }
        // A server that died with the last answers is up again before the next phase begins.
        try supervise(&phase)
        while !server.isUp {
            try pause(for: Self.tickInterval)
            try supervise(&phase)
        }
        // Whatever was stopped goes on, so that the next phase begins with all that there is.
        for fault in plan.faults {
            if case .process(.stop, let subject) = fault.effect { send(SIGCONT, to: subject) }
        }
        for subject in phase.touched { send(SIGCONT, to: subject) }
        // The answers are out; the last connections are closing.
        try pause(for: .milliseconds(50))
        _ = try look()
        try sample(&phase)
        return try finish(plan, start: start, idle: idle, ports: ports, restarts: server.exits - exits, phase)
    }

    /// The incident's own log line as the server wrote it, the first time there is one.
    func takeIncidentLine() -> String? {
        guard !hasShownIncidentLine else { return nil }
        let line = folder.firstLine(of: "errors.log", containing: "bind: address already in use")
        hasShownIncidentLine = line != nil
        return line
    }

    func end() {
        load?.abandon()
        looks.stop()
        // Nothing waits for it any more; a server with thousands of blocked writers would take its time.
        server.terminate(timeout: scenario.setup.restarts ? .zero : .seconds(2))
        memcached.terminate()
    }

    // MARK: Phases

    private func apply(_ plan: PhasePlan, _ position: PhasePosition) throws {
        try change(plan.changes, in: position)
        for change in plan.changes { note(.setting, "\(change)") }
        last = server.counters(takePeaks: true)
    }

    /// Changes settings as somebody asked for them.
    /// - Returns: why not; nil when they are changed.
    func changeByHand(_ changes: [SettingChange], in position: PhasePosition) -> String? {
        do {
            try change(changes, in: position)
        } catch {
            return "\(error)"
        }
        for change in changes { note(.setting, "\(change), by hand", byHand: true) }
        return nil
    }

    /// Changes settings of the running server: all of them, or on an error none.
    /// - Throws: ``TestbedError``
    func change(_ changes: [SettingChange], in position: PhasePosition) throws {
        var changed = settings
        changed.apply(changes)
        try network.makeOwn(changed.fanOut.dialer)
        try server.change(changes)
        settings = changed
        for observer in observers { observer.settingsChanged(settingsDocument, in: position) }
    }

    var settingsDocument: SettingsDocument { SettingsDocument(settings) }

    private func startClients(_ plan: PhasePlan) throws {
        overlaps = BatchOverlaps()
        let form = RequestForm(to: Target(address: network.serverAddress, path: Endpoint.path))
        do {
            load = try Load(
                phased(plan).map { spec in
                    var client = Load.Client(spec)
                    // Nobody could tell it to send.
                    client.isByHand = isSteerable && plan.byHand.contains(spec.name)
                    return client
                },
                Load.Options(form, from: SourceAddresses(Self.clientSource), timeout: .seconds(180)),
                workload,
                overlaps: overlaps
            )
            try load?.start(for: plan.duration)
        } catch {
            throw TestbedError("the callers cannot be started: \(error)")
        }
        for spec in plan.clients where !isSteerable || !plan.byHand.contains(spec.name) {
            note(.client, "caller \(spec) starts")
        }
    }

    /// The clients of a phase, so that they do not march in step.
    func phased(_ plan: PhasePlan) -> [ClientSpec] {
        plan.clients.map { $0.phased(seed: workload.seed, within: plan.duration) }
    }

    private func finish(
        _ plan: PhasePlan,
        start: MonotonicInstant,
        idle: Int,
        ports: DialForecast.Ports,
        restarts: Int,
        _ phase: ActivePhase
    ) throws -> PhaseResult {
        let now = server.counters(takePeaks: true)
        let change = now.change(since: last)
        let peaks = phase.sampler.peaks
        last = now
        let clients = (load?.recorders ?? []).map(\.result)
        let obstacle =
            scenario.setup.dialObstacle
            ?? DialObstacle.known(
                settings: settings,
                clients: plan.clients,
                isPreloaded: scenario.setup.isPreloaded,
                hasFaults: !plan.faults.isEmpty
            )
            ?? DialObstacle.seen(counted: change, clients: clients, restarts: restarts, isSteered: phase.isSteered)
        let dials = expectedDials(obstacle, idle: idle, ports: ports, start: start, failed: change.lookups.failed)
        var free: Int?
        if case .exactly(let ports, _) = ports, obstacle == nil, settings.fanOut.limit == .none { free = ports }
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
                expected: dials.expected,
                reasoning: dials.reasoning
            ),
            exhaustion: exhaustion(plan, start: start, idle: idle, free: free),
            writeBacks: change.writeBacks,
            inFlightPeak: max(change.inFlightPeak, peaks.inFlight),
            timeWaitPeak: peaks.timeWait,
            portsInUsePeak: peaks.portsInUse,
            portsCapacity: network.ports.ports,
            clients: clients,
            threadsPeak: peaks.threads,
            rssPeakBytes: peaks.rssBytes,
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

    // MARK: Processes

    func note(_ kind: RunResult.Event.Kind, _ text: String, byHand: Bool? = nil) {
        let at = (MonotonicInstant.now - beginning).inSeconds
        let event = RunResult.Event(at: at, kind: kind, text: text, byHand: byHand)
        events.append(event)
        for observer in observers { observer.noted(event) }
    }

    func send(_ signal: CInt, to subject: Fault.Subject) {
        stopped.sent(signal, to: subject)
        switch subject {
        case .server: server.send(signal)
        case .memcached: memcached.send(signal)
        }
    }

    /// A new memcached in place of the old one, empty as a new one is.
    func restartMemcached() throws {
        memcached.terminate()
        memcached = try Self.startMemcached(scenario, network, folder, isSteerable: isSteerable)
    }

    private func pause(for duration: Duration) throws {
        guard Signals.waitForTermination(upTo: duration) == nil else { throw Interrupted() }
    }

    private static func checkForSignal() throws {
        guard Signals.waitForTermination(upTo: .zero) == nil else { throw Interrupted() }
    }
}
