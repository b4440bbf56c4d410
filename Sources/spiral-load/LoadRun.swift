internal import Commands
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

    /// - Throws: ``Refusal`` when this machine has no thread or descriptor for it.
    func play() throws -> (result: LoadResult, records: [ClientRecord]) {
        let (clients, options) = (plan.clients, plan.options)
        let machine = MachineLimits.current(sources: options.source?.count ?? 1)
        let specs = clients.map(\.spec)
        for warning in machine.warnings(specs, timeout: options.timeout, maxInFlight: options.maxInFlight) {
            note("warning: \(warning)")
        }
        if let notice = machine.notice(specs, timeout: options.timeout, maxInFlight: options.maxInFlight) {
            note("note: \(notice)")
        }
        let beginning = try plan.startAt?.instant() ?? .now
        let used = ProcessUsage.current.processorTime
        let load: Load
        do {
            load = try Load(clients, options, workload)
            try load.start(for: plan.warmUp + plan.duration, at: plan.startAt == nil ? nil : beginning)
        } catch {
            throw Refusal(.machine, "the load cannot be started: \(error)")
        }
        let isInterrupted = try wait(for: load, from: beginning)
        seconds.finish()
        let usage = ProcessUsage.current
        let generator = GeneratorReport(
            used: usage.processorTime - used,
            bySender: load.senderTime,
            over: load.elapsed,
            threads: Self.threads,
            peakBytes: usage.peakBytes,
            machine: machine
        )
        let records = load.recorders.map(\.record)
        let run = LoadResult.Run(
            target: options.form.target,
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
        return (LoadResult(run, records, generator, validity), records)
    }

    /// Batches that the schedule has after the warm-up; nil where it does not say.
    private func asked(_ spec: ClientSpec) -> Int? {
        plan.warmUp == .zero ? spec.schedule.count(within: plan.duration) : nil
    }

    /// - Returns: whether a signal ended it.
    private func wait(for load: Load, from beginning: MonotonicInstant) throws -> Bool {
        var isInterrupted = false
        while !load.isOver {
            // The first signal ends the load; what is in flight is not waited for.
            if Signals.waitForTermination(upTo: Self.tick) != nil {
                isInterrupted = true
                load.abandon()
            }
            try recording?.append(load.takeTrace())
            let isNewSecond = try seconds.advance(load.recorders, since: beginning)
            if isNewSecond, let thresholds, thresholds.endsLoad,
                !thresholds.crossed(by: load.recorders.map(\.record), isOver: false).isEmpty
            {
                load.abandon()
            }
        }
        try recording?.append(load.takeTrace())
        return isInterrupted
    }
}
