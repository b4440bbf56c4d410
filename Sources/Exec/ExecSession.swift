internal import Glibc
internal import Memcached
package import POSIX
internal import Synchronization
internal import Testbed
internal import Text
internal import Units

/// All of one `spiral exec`: the room, what is started in it, the accounting, and the end of everything.
package final class ExecSession: Sendable {
    /// What a session is given, as the command line has it.
    package struct Options: Sendable {
        package var room = Room.Options()
        package var run = CommandRun.Options()
        package var policy = DialPolicy()
        package var publish: [PublishText] = []
        package var links: [LinkText] = []
        /// Whether connects and binds are handed over; without it dials are neither counted nor changed.
        package var isAccounting = true
        /// A line each second.
        package var showsProgress = false
        package var expectations: [ExecExpectation] = []

        package init() {}
    }

    private struct State {
        var interceptor: Interceptor?
        var sampler: PeakSampler?
        var began = MonotonicInstant.now
        /// When the command ended, and the ports there were then.
        var ended: MonotonicInstant?
        var ports = PortPeaks()
    }

    private let options: Options
    private let signals: SignalState
    private let note: @Sendable (String) -> Void
    private let state = Mutex(State())

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
        // What belongs to the network outside comes before the room.
        let control = try ControlSocket.open()
        let relays = try Relays(publish: options.publish, links: options.links)
        let keeper = run.memory == nil && options.links.isEmpty ? nil : try Keeper()
        let room = try Room(options.room, sparing: keeper?.process)
        for line in room.notes { note(line) }
        let memory = run.memory.map { MemoryLimit($0) }
        if let folder = memory?.folder { try keeper?.remove(folder) }
        if let memory, memory.enforcement == .watched {
            note("--memory: no cgroup can be made here: the command's own \(memory.enforcement.rawValue)")
        }
        try relays.start(keeper)
        try serve(control)
        if !room.usesHostNetwork {
            let sampler = try PeakSampler.start()
            state.withLock { $0.sampler = sampler }
        }
        let hooks = makeHooks(isUserNamespace: room.isUserNamespace)
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
        var result = found(exitStatus: status)
        result.expectations = options.expectations.map { $0.judge(result) }
        return (exit, result)
    }

    private func makeHooks(isUserNamespace: Bool) -> CommandRun.Hooks {
        var hooks = CommandRun.Hooks()
        hooks.note = note
        hooks.held = { [self] (held: inout HeldLaunch) throws(SystemCallError) in
            try begin(&held, isUserNamespace: isUserNamespace)
        }
        hooks.tick = { [self] in if options.showsProgress { note(found().progressLine) } }
        hooks.ended = { [self] in
            let ended = MonotonicInstant.now
            let ports = state.withLock { $0.sampler }?.finish() ?? PortPeaks()
            state.withLock { state in
                state.ended = ended
                state.ports = ports
            }
        }
        return hooks
    }

    /// The command is about to be let go.
    /// - Parameter isUserNamespace: of the room.
    private func begin(_ held: inout HeldLaunch, isUserNamespace: Bool) throws(SystemCallError) {
        state.withLock { $0.began = .now }
        if isUserNamespace || held.gainsNoPrivileges, CommandPath.changesUser(options.run.path) {
            note("\(options.run.path) does not take another user's rights here: it runs as you; run by root, it does")
        }
        guard let listener = held.takeListener() else { return }
        let interceptor = try Interceptor(listener, options.policy) { [self] in
            // The moment at which most ports are held.
            state.withLock { $0.sampler }?.sample()
        }
        try interceptor.start()
        state.withLock { $0.interceptor = interceptor }
    }

    private func found(exitStatus: Int32? = nil) -> ExecResult {
        let state = state.withLock { $0 }
        let account = state.interceptor?.account
        return ExecResult(
            command: options.run.command,
            began: state.began,
            ended: state.ended ?? .now,
            exitStatus: exitStatus,
            account: account,
            dialer: state.interceptor.map { $0.policy.dialer.description },
            ports: state.ended == nil ? state.sampler?.current ?? PortPeaks() : state.ports
        )
    }

    /// Answers who asks for figures and for changes.
    private func serve(_ control: consuming Descriptor) throws(SystemCallError) {
        let raw = control.release()
        try Thread(name: "control") { [self] in
            ControlSocket.serve(Descriptor(owning: raw)) { request in
                do {
                    let request = try ControlRequest(bytes: request)
                    if let interceptor = state.withLock({ $0.interceptor }) {
                        interceptor.policy = try request.applied(to: interceptor.policy)
                    } else if !request.changes.isEmpty {
                        return Array(
                            "there are no dials to change: the command has not begun, or runs with --no-accounting".utf8
                        )
                    }
                    return JSONText.encode(found()) + Array("\n".utf8)
                } catch {
                    return Array("\(error)".utf8)
                }
            }
        }.detach()
    }
}
