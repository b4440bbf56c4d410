internal import Glibc
internal import KernelProbe
internal import LoadGenerator
internal import POSIX
internal import PostRecords
internal import Units

/// What has been seen of a phase, and what is still to be done in it.
struct PhaseWatch {
    let plan: PhasePlan
    let start: MonotonicInstant
    fileprivate var nextLook: MonotonicInstant
    fileprivate var nextLine: MonotonicInstant
    fileprivate var due: [Fault]
    fileprivate var counted: CounterSnapshot
    fileprivate var countedAt: MonotonicInstant
    /// When a server that died is to be started again.
    fileprivate var revival: MonotonicInstant?
    /// When no more batches are due.
    var end: MonotonicInstant
    /// Whether somebody changed a setting in it.
    var isByHand = false
    var timeWaitPeak = 0
    var portsInUsePeak = 0
    var inFlightPeak = 0
    var threadsPeak = 0
    var rssPeakBytes = 0

    /// - Parameter counted: the counts at its beginning.
    init(_ plan: PhasePlan, start: MonotonicInstant, counted: CounterSnapshot) {
        self.plan = plan
        self.start = start
        self.counted = counted
        countedAt = start
        end = start + plan.duration
        nextLook = start
        nextLine = start
        due = plan.faults.sorted { $0.at < $1.at }
    }
}

/// What a run does between two looks: faults, deaths, samples.
extension ScenarioRun {
    /// How long a dead server stays down, as a supervisor takes to start it again.
    private static let downTime = Duration.milliseconds(500)

    /// Does what is due.
    /// - Throws: ``StageError`` when a process ended that the scenario does not start again.
    func attend(_ watch: inout PhaseWatch, place: String) throws {
        while let fault = watch.due.first, MonotonicInstant.now >= watch.start + fault.at {
            watch.due.removeFirst()
            try inflict(fault, &watch)
        }
        try supervise(&watch)
        obey(&watch)
        let now = MonotonicInstant.now
        guard now >= watch.nextLook else { return }
        watch.nextLook = max(now, watch.nextLook + Self.sampleInterval)
        try look(&watch)
        if progress.isLive {
            let elapsed = "\(Int((now - watch.start).inSeconds.rounded())) s of \(watch.plan.duration.text)"
            progress.update(
                Dashboard.lines(
                    "[\(place) \(watch.plan.name)] \(elapsed)  \(settingsAtAGlance)",
                    timeline,
                    capacity: stage.ports.ports,
                    columns: progress.columns
                )
            )
        } else if now >= watch.nextLine, let point = timeline.last {
            progress.update([line(place, watch, point)])
            watch.nextLine = now + .seconds(2)
        }
    }

    private func inflict(_ fault: Fault, _ watch: inout PhaseWatch) throws {
        note(.fault, fault.description)
        switch fault.deed {
        case .setting(let name, let text): try change([(name, text)])
        case .process(.stop, let subject): send(SIGSTOP, to: subject)
        case .process(.continue, let subject): send(SIGCONT, to: subject)
        case .process(.kill, .memcached): memcached.send(SIGKILL)
        case .process(.restart, .memcached): try restartMemcached()
        case .process(.kill, .server): server.send(SIGKILL)
        case .process(.restart, .server):
            // Counts are read once more, as those of a process that ends in order.
            _ = server.counters(takePeaks: false)
            server.terminate(patience: .seconds(2))
            watch.revival = .now
        }
    }

    /// Does what somebody at the live page asked for.
    private func obey(_ watch: inout PhaseWatch) {
        for request in live?.takeRequests() ?? [] {
            switch request.order {
            case .change(let changes):
                let refusal = changeByHand(changes)
                watch.isByHand = watch.isByHand || refusal == nil
                request.resolve(refusal)
            case .nextPhase:
                watch.end = .now
                note(.setting, "phase ended by hand")
                request.resolve(nil)
            case .end:
                watch.end = .now
                isEnding = true
                note(.setting, "run ended by hand")
                request.resolve(nil)
            }
        }
    }

    /// Sees to a server that died.
    /// - Throws: ``StageError`` when the scenario does not start it again.
    func supervise(_ watch: inout PhaseWatch) throws {
        if let death = server.checkForDeath() {
            note(.death, "the server ended: \(death.reason)")
            let isWanted = watch.plan.faults.contains { $0.concerns(.server) }
            guard scenario.ground.restarts || isWanted else {
                throw StageError("spiral-server ended (\(death.reason)): \(serverLog())")
            }
            watch.revival = watch.revival ?? .now + Self.downTime
        }
        if let revival = watch.revival, !server.isUp, MonotonicInstant.now >= revival {
            watch.revival = nil
            try server.restart()
            note(.restart, "the server is up again")
        }
        let mayEnd = watch.plan.faults.contains { $0.concerns(.memcached) }
        if !mayEnd, let exit = memcached.poll() {
            throw StageError("memcached ended (\(exit)): \(memcachedLog())")
        }
    }

    /// Takes a sample.
    /// - Throws: ``StageError`` when the kernel does not tell its sockets.
    func look(_ watch: inout PhaseWatch) throws {
        let survey: SocketSurvey
        do {
            survey = try SocketDiagnostics.survey(towardsPort: stage.memcachedPort, budget: stage.ports)
        } catch {
            throw StageError("the kernel does not tell its sockets: \(error)")
        }
        let now = MonotonicInstant.now
        let counters = server.counters(takePeaks: false)
        let change = counters.change(since: watch.counted)
        let seconds = max((now - watch.countedAt).inSeconds, 1e-3)
        let status = server.status
        let clients = attacks.map { ($0.recorder.name, TimelinePoint.Client($0.recorder.takeWindow())) }
        let point = TimelinePoint(
            at: (now - beginning).inSeconds,
            phase: watch.plan.name,
            isUp: server.isUp,
            portsInUse: survey.portsInUse,
            timeWait: survey.timeWait,
            established: survey.established,
            sourceAddresses: survey.sourceCount,
            inFlight: server.isUp ? counters.inFlight : 0,
            limit: server.isUp ? counters.limit : nil,
            threads: status?.threads ?? 0,
            rssBytes: status?.residentBytes ?? 0,
            cgroupBytes: server.memoryLimit?.usedBytes,
            dialsPerSecond: Double(change.dials.ok) / seconds,
            lookupsPerSecond: Double(change.lookups.total) / seconds,
            errorsPerSecond: change.lookups.errors.mapValues { Double($0) / seconds },
            logLinesPerSecond: Double(change.logLines.written) / seconds,
            logWaiting: server.isUp ? counters.logLines.waiting : 0,
            clients: Dictionary(clients, uniquingKeysWith: { $1 })
        )
        timeline.append(point)
        live?.sampled(point)
        watch.counted = counters
        watch.countedAt = now
        watch.timeWaitPeak = max(watch.timeWaitPeak, point.timeWait)
        watch.portsInUsePeak = max(watch.portsInUsePeak, point.portsInUse)
        watch.inFlightPeak = max(watch.inFlightPeak, point.inFlight)
        watch.threadsPeak = max(watch.threadsPeak, point.threads)
        watch.rssPeakBytes = max(watch.rssPeakBytes, point.rssBytes)
    }

    private func line(_ place: String, _ watch: PhaseWatch, _ point: TimelinePoint) -> String {
        let change = watch.counted.change(since: last)
        let errors = change.lookups.errors.max { $0.value < $1.value }.map { "\($0.key) \(grouped($0.value))" }
        return "[\(place) \(watch.plan.name)] \(Int((MonotonicInstant.now - watch.start).inSeconds.rounded()))s"
            + (point.isUp ? "" : "  DOWN")
            + "  found \(grouped(change.lookups.hits))"
            + (change.lookups.unreadable > 0 ? "  unreadable \(grouped(change.lookups.unreadable))" : "")
            + "  errors \(errors ?? "none")"
            + "  dials \(grouped(change.dials.ok))"
            + "  ports \(grouped(point.portsInUse))/\(grouped(stage.ports.ports))"
            + "  TIME_WAIT \(grouped(point.timeWait))"
            + "  in flight \(grouped(point.inFlight))"
            + "  threads \(grouped(point.threads))"
            + "  \(point.rssBytes >> 20) MiB"
    }
}
