internal import Exec
internal import KernelProbe
internal import LoadGenerator
internal import Memcached
internal import POSIX
internal import Results
internal import Testbed
internal import Units

/// One cell of a sweep over somebody's own server: a room with the server and what is started beside it, a load from an
/// address of its own, and what is to be seen of them from outside.
struct ServiceCell {
    /// The load comes from an address of its own, so that the server cannot take its ports.
    private static let source = IPv4Address(value: 0x7f00_0201)
    /// The same for a server of IPv6: `fd00::201`, which is made the cell's own.
    private static let source6 = IPAddress(high: 0xfd00 << 48, low: 0x201)
    /// How long a batch may take to be answered.
    private static let batchTimeout = Duration.seconds(60)
    private static let tick = Duration.milliseconds(50)
    /// Distinct posts, as a scenario has them.
    private static let posts = 50_000

    let plan: SweepPlan
    let service: ServicePlan
    let values: [String]
    /// What the programs begin with.
    let signals: SignalState
    let descriptors: DescriptorLimit

    /// Measures it from its beginning to its end, on the calling thread.
    /// - Throws: ``TestbedError``, ``Interrupted``
    func measure() throws -> (result: ServiceResult, environment: Environment) {
        do {
            let load = try Prepared(plan, service)
            var options = Room.Options()
            options.ports = try plan.ports.map { try PortRangeText(count: "\($0)") }
            options.sysctls = try (plan.sysctls ?? [:]).sorted { $0.key < $1.key }
                .map { try SysctlText(text: "\($0.key)=\($0.value)") }
            let room = try Room(options)
            // Its programs are reaped when this returns, which the end of the room waits for.
            return try measure(load, in: room)
        } catch let error as UnitTextError {
            throw TestbedError("\(error)")
        } catch let error as RequestText.Problem {
            throw TestbedError("\(error)")
        } catch let error as SystemCallError {
            throw TestbedError("the cell cannot be measured: \(error)")
        }
    }

    /// What is read out of the plan before anything is started.
    private struct Prepared {
        let specs: [ClientSpec]
        let form: RequestForm
        let servers: ServerList?
        let commands: [CommandTemplate]
        let workload: Workload

        init(_ plan: SweepPlan, _ service: ServicePlan) throws {
            specs = try plan.specs()
            form = try service.request.form()
            servers = try service.preload.map { try ServerList(text: $0) }
            commands = try service.templates()
            let largest = specs.map(\.uris.upperBound).max() ?? 1
            workload = Workload(seed: plan.seed, count: service.request.isPlain ? 1 : max(posts, largest))
        }
    }

    private func measure(
        _ prepared: Prepared,
        in room: borrowing Room
    ) throws -> (result: ServiceResult, environment: Environment) {
        let folder = try RunFolder()
        var environment = Environment(
            .namespace,
            try PortRange.current(),
            seed: plan.seed,
            clients: prepared.specs,
            arguments: CommandLine.arguments
        )
        environment.sysctls = plan.sysctls
        let placeholders = plan.placeholders(values)
        var companions: [ServiceProgram] = []
        for (number, command) in prepared.commands.dropLast().enumerated() {
            companions.append(
                try ServiceProgram(
                    "--with",
                    command.words(placeholders),
                    in: room,
                    signals,
                    descriptors: descriptors,
                    log: "with-\(number).log",
                    in: folder
                )
            )
        }
        if let servers = prepared.servers { try fill(servers, prepared.workload, companions) }
        let server = try ServiceProgram(
            "--server",
            prepared.commands[companions.count].words(placeholders),
            in: room,
            signals,
            descriptors: descriptors,
            log: "server.log",
            in: folder
        )
        let programs = companions + [server]
        try wait(for: service.ready, programs) {
            "--ready: nobody listens on port \(service.ready) after \(readyTimeout.text)\(server.lastWords)"
        }
        return (try run(prepared, server, programs), environment)
    }

    // MARK: Before the load

    private var readyTimeout: Duration { .nanoseconds(Int64(service.readyTimeout * 1e9)) }

    private func fill(_ servers: ServerList, _ workload: Workload, _ companions: [ServiceProgram]) throws {
        for port in servers.addresses.compactMap(\.port) {
            try wait(for: port, companions) { "--preload: nobody listens on port \(port)" }
        }
        do {
            try Preload.run(workload, into: servers, from: Self.source)
        } catch {
            throw TestbedError("--preload: memcached cannot be filled: \(error)")
        }
    }

    private func wait(for port: UInt16, _ programs: [ServiceProgram], orSay problem: () -> String) throws {
        let deadline = MonotonicInstant.now + readyTimeout
        while !ListeningPorts.current().contains(port) {
            for program in programs { try program.checkAlive("before port \(port) was listened on") }
            guard MonotonicInstant.now < deadline else { throw TestbedError(problem()) }
            try pause(for: .milliseconds(10))
        }
    }

    private func pause(for time: Duration) throws {
        if Signals.waitForTermination(upTo: time) != nil { throw Interrupted() }
    }

    /// Where the server is reached, of the addresses its name has, and an address for the load to come from.
    private func approach(_ form: RequestForm) throws -> (RequestForm, source: IPAddress) {
        let families = form.addresses.compactMap { $0.endpoint?.address.family }
        if families.contains(.ipv6) {
            do throws(SystemCallError) {
                try LocalRoute.add(Self.source6)
            } catch {
                guard families.contains(.ipv4) else { throw TestbedError("the cell has no IPv6: \(error)") }
            }
        }
        var form = form
        for address in form.addresses {
            let family: IPAddress.Family = address.endpoint?.address.family ?? .ipv4
            let source = family == .ipv4 ? IPAddress(Self.source) : Self.source6
            let isReached =
                form.addresses.count == 1
                || (try? Socket.connected(to: address, from: source, timeout: .seconds(1))) != nil
            if isReached, form.keep(family) { return (form, source) }
        }
        return (form, IPAddress(Self.source))
    }

    // MARK: The load

    /// What there was when it began to be measured.
    private struct Window {
        let start = MonotonicInstant.now
        let ports: PortPeaks
        let connects: Int
        var threads: Int?
        var residentBytes: Int?

        init(_ sampler: PeakSampler) throws(SystemCallError) {
            ports = sampler.restart()
            connects = try TCPCounters.current()["TcpActiveOpens"]
        }

        mutating func add(_ tree: ProcessTree?) {
            guard let tree else { return }
            threads = max(threads ?? 0, tree.threads)
            residentBytes = max(residentBytes ?? 0, tree.residentBytes)
        }
    }

    private func run(
        _ prepared: Prepared,
        _ server: ServiceProgram,
        _ programs: [ServiceProgram]
    ) throws -> ServiceResult {
        let warmUp = Duration.nanoseconds(Int64(plan.warmUp * 1e9))
        let length = warmUp + .nanoseconds(Int64(plan.duration * 1e9))
        let (form, source) = try approach(prepared.form)
        var options = Load.Options(form, from: SourceAddresses(source), timeout: Self.batchTimeout)
        options.warmUp = warmUp
        let clients = prepared.specs.map { Load.Client($0.phased(seed: plan.seed, within: length)) }
        let load = try Load(clients, options, prepared.workload)
        let sampler = try PeakSampler.start(ignoring: source)
        defer {
            load.abandon()
            _ = sampler.finish()
        }
        let beginning = MonotonicInstant.now + Self.tick
        try load.start(for: length, at: beginning)
        let end = beginning + length
        var window: Window?
        while MonotonicInstant.now < end || !load.isOver {
            let untilWindow = window == nil ? beginning + warmUp - .now : Self.tick
            try pause(for: min(Self.tick, max(.zero, untilWindow)))
            for program in programs { try program.checkAlive("while it was measured") }
            if window == nil, MonotonicInstant.now >= beginning + warmUp { window = try Window(sampler) }
            window?.add(ProcessTree(of: server.process))
            if MonotonicInstant.now > end + Self.batchTimeout + .seconds(5) { load.abandon() }
        }
        // The answers are out; the last connections are closing.
        try pause(for: Self.tick)
        let measured = try window ?? Window(sampler)
        return try result(measured, sampler.finish(), load)
    }

    private func result(_ window: Window, _ ports: PortPeaks, _ load: Load) throws -> ServiceResult {
        let seconds = (MonotonicInstant.now - window.start).inSeconds
        let records = load.recorders.map(\.record)
        let connects = try TCPCounters.current()["TcpActiveOpens"] - window.connects
        let loads = records.reduce(0) { $0 + $1.connections.opened }
        let validity = LoadValidity(
            records,
            maxInFlight: nil,
            machine: .current(sources: 1),
            senderCpuPercent: 100 * load.senderTime.inSeconds / max(load.elapsed.inSeconds, 1e-3)
        )
        return ServiceResult(
            duration: seconds,
            clients: records.map(\.result),
            dials: .init(ok: max(0, connects - loads)),
            portsInUsePeak: ports.ports,
            portsCapacity: ports.capacity,
            timeWaitPeak: ports.timeWait,
            timeWaitsPerSecond: Self.growth(window.ports, ports).map { $0 / max(seconds, 1e-3) },
            threadsPeak: window.threads,
            rssPeakBytes: window.residentBytes,
            invalidBecause: validity.reasons.isEmpty ? nil : validity.reasons.joined(separator: "; ")
        )
    }

    /// Ports of the busiest source that came into TIME_WAIT between two samples, those taken again since included.
    private static func growth(_ first: PortPeaks, _ last: PortPeaks) -> Double? {
        guard let reusedFirst = first.reused, let reusedLast = last.reused else { return nil }
        let grown = (last.latestTimeWait ?? 0) - (first.latestTimeWait ?? 0)
        return Double(max(0, grown + reusedLast - reusedFirst))
    }
}
