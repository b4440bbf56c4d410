internal import Commands
internal import HTTP
internal import LoadGenerator
internal import POSIX
internal import Units

/// What is sent, for how long, and from when on.
struct LoadPlan {
    var clients: [Load.Client]
    var options: Load.Options
    var seed: UInt64
    var warmUp: Duration
    /// After the warm-up.
    var duration: Duration
    /// Nil for at once.
    var startAt: StartTime?
}

/// A load from its beginning to its result, with the signals that may end it.
struct LoadRun {
    private static let tick = Duration.milliseconds(20)
    /// This program's threads: the one that waits for signals, the sender and its assistant.
    private static let threads = 3

    private let plan: LoadPlan
    private let workload: Workload
    private let seconds: SecondLines
    private let recording: TraceFile?
    private let thresholds: Thresholds?

    init(
        _ plan: LoadPlan,
        _ workload: Workload,
        observers seconds: SecondLines,
        _ recording: TraceFile?,
        _ thresholds: Thresholds? = nil
    ) {
        self.thresholds = thresholds
        self.plan = plan
        self.workload = workload
        self.seconds = seconds
        self.recording = recording
    }

    /// What a load came to.
    struct Finished {
        var result: LoadResult
        var records: [ClientRecord]
        /// The thresholds that were crossed, in words.
        var crossed: [String]
        /// What could not be written meanwhile.
        var problems: [Refusal]
    }

    /// - Throws: ``Refusal`` when this machine has no thread or descriptor for it, or no way to its target.
    func play() throws -> Finished {
        let (clients, options) = (plan.clients, plan.options)
        try checkWay()
        let machine = MachineLimits.current(
            sources: options.source?.count ?? 1,
            family: options.form.target.address.endpoint?.address.family ?? .ipv4
        )
        let specs = clients.map(\.spec)
        for warning in machine.warnings(specs, timeout: options.timeout, maxInFlight: options.maxInFlight) {
            note("warning: \(warning)")
        }
        if let notice = machine.notice(specs, timeout: options.timeout, maxInFlight: options.maxInFlight) {
            note("note: \(notice)")
        }
        let began = MonotonicInstant.now
        var beginning = began
        if let start = plan.startAt {
            guard let instant = start.instant() else { throw start.isOver }
            beginning = instant
        }
        let used = ProcessUsage.current.processorTime
        let load: Load
        do {
            load = try Load(clients, options, workload)
            try load.start(for: plan.warmUp + plan.duration, at: plan.startAt == nil ? nil : beginning)
        } catch {
            throw Refusal(.machine, "the load cannot be started: \(error)")
        }
        let (isInterrupted, crossedAtOnce) = wait(for: load, from: beginning)
        seconds.finish(load.recorders)
        let usage = ProcessUsage.current
        let generator = GeneratorReport(
            used: usage.processorTime - used,
            bySender: load.senderTime,
            // One that was ended before it began has taken time all the same.
            over: load.elapsed > .zero ? load.elapsed : .now - began,
            threads: Self.threads,
            peakBytes: usage.peakBytes,
            machine: machine
        )
        let records = load.recorders.map(\.record)
        let run = LoadResult.Run(
            target: load.target,
            seed: plan.seed,
            duration: plan.duration,
            elapsed: max(.zero, load.elapsed - plan.warmUp),
            interrupted: isInterrupted,
            asked: specs.map { .init(client: $0.description, batches: asked($0)) }
        )
        let validity = LoadValidity(
            records,
            maxInFlight: options.maxInFlight,
            machine: machine,
            senderCpuPercent: generator.senderCpuPercent
        )
        return Finished(
            result: LoadResult(run, records, generator, validity),
            records: records,
            crossed: crossedAtOnce ?? thresholds?.crossed(by: records, isOver: true) ?? [],
            problems: [seconds.problem, recording?.problem].compactMap { $0 }
        )
    }

    /// What would fail every connect in the same way is said before.
    private func checkWay() throws {
        var source = plan.options.source
        if let source, source.family == .ipv6, source.isLocal == false {
            throw Refusal(
                .usage,
                "--source: it is not of this machine, and no answer would come back; 'ip -6 route add local PREFIX dev lo' makes "
                    + "addresses its own"
            )
        }
        let from = source?.next()
        var failure: SystemCallError?
        for address in plan.options.form.addresses {
            do throws(SystemCallError) {
                try Socket.checkWay(to: address, from: from)
                return
            } catch {
                failure = error
            }
        }
        guard let failure, ["EADDRNOTAVAIL", "EAFNOSUPPORT", "EINVAL"].contains(failure.name) else { return }
        if failure.call == "bind" {
            throw Refusal(.usage, "--source: cannot \(failure); use an address that this machine has")
        }
        throw Refusal(.machine, "--target: this machine has no address to reach it from: \(failure)")
    }

    /// Batches that the schedule has after the warm-up; nil where it does not say.
    private func asked(_ spec: ClientSpec) -> Int? {
        guard plan.warmUp == .zero, let count = spec.schedule.count(within: plan.duration) else { return nil }
        guard let most = plan.options.maxBatches else { return count }
        // How many of them are a client's, of several, only the run says.
        return plan.clients.count == 1 ? min(count, most) : nil
    }

    /// - Returns: whether a signal ended it, and the thresholds that did.
    private func wait(for load: Load, from beginning: MonotonicInstant) -> (isInterrupted: Bool, crossed: [String]?) {
        var isInterrupted = false
        var crossed: [String]?
        while !load.isOver {
            // The first signal ends the load; what is in flight is not waited for.
            if Signals.waitForTermination(upTo: Self.tick) != nil {
                isInterrupted = true
                load.abandon()
            }
            recording?.append(load.takeTrace())
            let isNewSecond = seconds.advance(load.recorders, since: beginning)
            if isNewSecond, crossed == nil, let thresholds, thresholds.endsLoad {
                let now = thresholds.crossed(by: load.recorders.map(\.record), isOver: false)
                guard !now.isEmpty else { continue }
                crossed = now
                load.abandon()
            }
        }
        recording?.append(load.takeTrace())
        return (isInterrupted, crossed)
    }
}

extension StartTime {
    var isOver: Refusal { Refusal(.usage, "--start-at: \(self) is over") }
}
