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
    /// Whether somebody changed a setting in it, or what is sent.
    var isSteered = false
    /// Clients that send by hand, and whether each sends one batch after the other.
    var sending: [String: Bool] = [:]
    /// Processes that somebody did something to.
    var touched: Set<Fault.Subject> = []

    /// Whether a process may end in it.
    func mayEnd(_ subject: Fault.Subject) -> Bool {
        touched.contains(subject) || plan.faults.contains { $0.concerns(subject) }
    }
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
        try handleRequests(&phase)
        switch phase.clock.takeSampleStep(at: .now, isLooking: looks.isLooking) {
        case .nothing: break
        case .look: looks.begin()
        case .read: try sample(&phase)
        }
    }

    private func inject(_ fault: Fault, _ phase: inout ActivePhase) throws {
        note(.fault, fault.description)
        try carryOut(fault, &phase)
    }

    private func carryOut(_ fault: Fault, _ phase: inout ActivePhase) throws {
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

    /// Does what has been asked for since the last time.
    /// - Throws: ``TestbedError`` when a process could not be started again.
    private func handleRequests(_ phase: inout ActivePhase) throws {
        for request in observers.flatMap({ $0.takeRequests() }) {
            switch request.action {
            case .send(let order, let client):
                guard phase.sending[client] != nil else {
                    request.resolve("there is no caller '\(client)' in this phase that sends by hand")
                    continue
                }
                load?.send(order, from: client)
                phase.isSteered = true
                switch order {
                case .batch: note(.fault, "one batch of \(client)", byHand: true)
                case .loop: note(.fault, "\(client) sends", byHand: true)
                case .pause: note(.fault, "\(client) stops sending", byHand: true)
                }
                if order != .batch {
                    phase.sending[client] = order == .loop
                    for observer in observers { observer.sendingChanged(phase.sending) }
                }
                request.resolve(nil)
            case .inject(let fault):
                guard case .process(_, let subject) = fault.effect else {
                    request.resolve("a setting is changed by PATCH /settings")
                    continue
                }
                phase.isSteered = true
                phase.touched.insert(subject)
                do {
                    note(.fault, "\(fault), by hand", byHand: true)
                    try carryOut(fault, &phase)
                    request.resolve(nil)
                } catch {
                    request.resolve("\(error)")
                    throw error
                }
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
            guard scenario.setup.restarts || phase.mayEnd(.server) else {
                throw TestbedError("spiral-server ended (\(exit.reason))\(folder.lastWords("server.log"))")
            }
            phase.clock.scheduleRestart(at: .now + Self.downTime)
        }
        if !server.isUp, phase.clock.takeRestart(at: .now) {
            try server.restart()
            note(.restart, "the server is up again")
        }
        if !phase.mayEnd(.memcached), let exit = memcached.poll() {
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
    /// - Throws: ``TestbedError`` when the kernel did not list its sockets.
    func sample(_ phase: inout ActivePhase) throws {
        let seen: [PortSample]
        do {
            seen = try looks.take()
        } catch {
            throw unlisted(error)
        }
        let reading = PhaseSampler.Reading(
            at: .now,
            looks: seen.map { MemcachedPorts($0.use, port: network.memcachedPort) },
            // A peak belongs to the sample after it.
            counters: server.counters(takePeaks: true),
            status: server.status,
            cgroupBytes: server.memoryLimit?.usedBytes,
            isUp: server.isUp,
            batchesPending: (load?.recorders ?? []).reduce(0) { $0 + $1.pending },
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

    /// Looks at the ports now, and waits for it.
    /// - Throws: ``TestbedError`` when the kernel does not list its sockets.
    func look() throws(TestbedError) -> PortUse {
        do throws(SystemCallError) {
            return try looks.fresh().use
        } catch {
            throw unlisted(error)
        }
    }

    private func unlisted(_ error: SystemCallError) -> TestbedError {
        TestbedError("the kernel does not list its sockets: \(error)")
    }
}
