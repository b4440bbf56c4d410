internal import Glibc
internal import KernelProbe
internal import LoadGenerator
internal import POSIX
internal import PostRecords
internal import Results
internal import Testbed

/// A phase that is being played.
struct ActivePhase {
    let plan: PhasePlan
    let position: PhasePosition
    var clock: PhaseClock
    var sampler: PhaseSampler
    /// Whether somebody changed a setting in it.
    var isSteered = false
}

/// What a run does every few milliseconds: faults, requests, exits, samples.
extension ScenarioRun {
    /// How long a server that died stays down, as a supervisor takes to start it again.
    private static let downTime = Duration.milliseconds(500)

    /// Does what is due.
    /// - Throws: ``TestbedError`` when a process ended that the scenario does not start again.
    func tick(_ phase: inout ActivePhase) throws {
        while let fault = phase.clock.takeFault(at: .now) { try inject(fault, &phase) }
        try supervise(&phase)
        handleRequests(&phase)
        if phase.clock.takeSample(at: .now) { try sample(&phase) }
    }

    private func inject(_ fault: Fault, _ phase: inout ActivePhase) throws {
        note(.fault, fault.description)
        switch fault.effect {
        case .setting(let change): try self.change([change], in: phase.position)
        case .process(.stop, let subject): send(SIGSTOP, to: subject)
        case .process(.continue, let subject): send(SIGCONT, to: subject)
        case .process(.kill, .memcached): memcached.send(SIGKILL)
        case .process(.restart, .memcached): try restartMemcached()
        case .process(.kill, .server): server.send(SIGKILL)
        case .process(.restart, .server):
            // Counts are read once more, as those of a process that ends in order.
            _ = server.counters(takePeaks: false)
            server.terminate(timeout: .seconds(2))
            phase.clock.scheduleRestart(at: .now)
        }
    }

    private func handleRequests(_ phase: inout ActivePhase) {
        for request in observers.flatMap({ $0.takeRequests() }) {
            switch request.action {
            case .change(let changes):
                let refusal = changeByHand(changes, in: phase.position)
                if refusal == nil { phase.isSteered = true }
                request.resolve(refusal)
            case .nextPhase:
                phase.clock.endEarly(at: .now)
                note(.setting, "phase ended by hand", byHand: true)
                request.resolve(nil)
            case .end:
                phase.clock.endEarly(at: .now)
                isEnding = true
                note(.setting, "run ended by hand", byHand: true)
                request.resolve(nil)
            }
        }
    }

    /// Notices processes that ended, and starts a server again whose time has come.
    /// - Throws: ``TestbedError`` when one ended that the scenario does not start again.
    func supervise(_ phase: inout ActivePhase) throws {
        if let exit = server.checkForExit() {
            note(.death, "the server ended: \(exit.reason)")
            let isIntended = phase.plan.faults.contains { $0.concerns(.server) }
            guard scenario.setup.restarts || isIntended else {
                throw TestbedError("spiral-server ended (\(exit.reason))\(folder.lastWords("server.log"))")
            }
            phase.clock.scheduleRestart(at: .now + Self.downTime)
        }
        if !server.isUp, phase.clock.takeRestart(at: .now) {
            try server.restart()
            note(.restart, "the server is up again")
        }
        let mayEnd = phase.plan.faults.contains { $0.concerns(.memcached) }
        if !mayEnd, let exit = memcached.poll() {
            note(.fault, "memcached ended: \(exit)")
            throw TestbedError("memcached ended (\(exit))\(folder.lastWords("memcached.log"))")
        }
    }

    /// A process that somebody else stopped answers nothing, and the run would wait without a word.
    private func warnOfStops(_ server: ProcessStatus?) {
        let memcachedStatus = try? ProcessStatus.read(memcached.identifier)
        for (subject, name, status) in [
            (Fault.Subject.server, "spiral-server", server), (.memcached, "memcached", memcachedStatus),
        ] {
            guard let status, stopped.observe(subject, isStopped: status.isStopped) else { continue }
            let text = "\(name) was stopped by somebody else (SIGSTOP); batches wait until it gets SIGCONT"
            note(.fault, text)
            for observer in observers { observer.warned(text) }
        }
    }

    /// Takes a sample.
    /// - Throws: ``TestbedError`` when the kernel does not list its sockets.
    func sample(_ phase: inout ActivePhase) throws {
        let survey: SocketSurvey
        do {
            survey = try SocketDiagnostics.survey(towardsPort: network.memcachedPort, budget: network.ports)
        } catch {
            throw TestbedError("the kernel does not list its sockets: \(error)")
        }
        let reading = PhaseSampler.Reading(
            at: .now,
            survey: survey,
            counters: server.counters(takePeaks: false),
            status: server.status,
            cgroupBytes: server.memoryLimit?.usedBytes,
            isUp: server.isUp,
            clients: (load?.recorders ?? []).map { ($0.name, TimelinePoint.Client($0.takeWindow())) }
        )
        warnOfStops(reading.status)
        let point = phase.sampler.point(reading, since: beginning)
        timeline.append(point)
        let progress = PhaseProgress(
            position: phase.position,
            elapsed: reading.at - phase.clock.start,
            planned: phase.plan.duration,
            settings: settingsDocument,
            capacity: network.ports.ports,
            counted: reading.counters.change(since: last)
        )
        for observer in observers { observer.sampled(point, progress) }
    }
}
