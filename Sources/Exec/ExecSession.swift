internal import Glibc
internal import Memcached
package import POSIX
internal import Testbed
internal import Units

/// All of one `spiral exec`: the room, what is started in it, the accounting, and the end of everything.
package final class ExecSession {
    package struct Options: Sendable {
        package var room = Room.Options()
        package var run = CommandRun.Options()
        package var policy = DialPolicy()
        /// Whether connects and binds are handed over; without it dials are neither counted nor changed.
        package var isAccounting = true
        /// A line each second.
        package var showsProgress = false
        package var expectations: [ExecExpectation] = []

        package init() {}
    }

    private let options: Options
    private let signals: SignalState
    private let note: @Sendable (String) -> Void
    private var interceptor: Interceptor?
    private var sampler: PortSampler?
    private var began = MonotonicInstant.now

    /// - Parameter note: gets lines for the user.
    package init(_ options: Options, _ signals: SignalState, note: @escaping @Sendable (String) -> Void) {
        self.options = options
        self.signals = signals
        self.note = note
    }

    /// Runs the command to its end, from the main thread.
    /// - Throws: ``CommandRun/NotStarted``, ``TestbedError`` or ``SystemCallError``; nothing is left running then.
    package func run() throws -> (exit: ProcessExit, result: ExecResult) {
        var run = options.run
        run.descriptors = run.descriptors ?? .current
        DescriptorLimit.raise()
        let keeper = run.memory == nil ? nil : try Keeper()
        let room = try Room(options.room)
        for line in room.notes { note(line) }
        let memory = run.memory.map { MemoryLimit($0) }
        if let folder = memory?.folder { try keeper?.remove(folder) }
        if let memory, memory.enforcement == .watched {
            note("--memory: no cgroup can be made here: the command's own \(memory.enforcement.rawValue)")
        }
        if !room.usesHostNetwork { sampler = try PortSampler.start() }
        var hooks = CommandRun.Hooks()
        hooks.note = note
        hooks.held = { [self] (held: inout HeldLaunch) throws(SystemCallError) in try begin(&held) }
        hooks.tick = { [self] in
            if options.showsProgress { note(found(sampler?.current ?? PortPeaks()).progressLine) }
        }
        var ports = PortPeaks()
        var ended = MonotonicInstant.now
        hooks.ended = { [self] in
            ended = .now
            ports = sampler?.finish() ?? ports
        }
        let exit = try CommandRun(run, signals, hooks).run(
            in: room,
            memory: memory,
            isIntercepted: options.isAccounting
        )
        let status: Int32 =
            switch exit {
            case .status(let status): status
            case .signal(let number): 128 + number
            }
        var result = found(ports, until: ended, exitStatus: status)
        result.expectations = options.expectations.map { $0.judge(result) }
        return (exit, result)
    }

    /// The command is about to be let go.
    private func begin(_ held: inout HeldLaunch) throws(SystemCallError) {
        began = .now
        guard let listener = held.takeListener() else { return }
        if held.gainsNoPrivileges, CommandPath.changesUser(options.run.path) {
            note(
                "\(options.run.path) cannot take another user's rights under this filter: it runs as you; root can run it as it is"
            )
        }
        let interceptor = try Interceptor(listener, options.policy)
        try interceptor.start()
        self.interceptor = interceptor
    }

    private func found(_ ports: PortPeaks, until ended: MonotonicInstant = .now, exitStatus: Int32? = nil) -> ExecResult
    {
        ExecResult(
            command: options.run.command,
            began: began,
            ended: ended,
            exitStatus: exitStatus,
            account: interceptor?.account,
            dialer: interceptor.map { $0.policy.dialer.description },
            ports: ports
        )
    }
}
