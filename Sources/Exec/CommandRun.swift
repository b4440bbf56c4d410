internal import Glibc
internal import KernelProbe
package import POSIX
package import Testbed
package import Units

/// A command in its room, from before its start to after its end.
package final class CommandRun {
    /// What a run of a command is given.
    package struct Options: Sendable {
        /// The command, and its arguments.
        package var command: [String] = []
        package var path = ""
        /// RLIMIT_NOFILE; nil for what this process was started with.
        package var descriptors: DescriptorLimit?
        package var memory: ByteCount?
        /// Shell lines of what is started before it.
        package var companions: [String] = []
        /// Ports that somebody must listen on before it is started.
        package var ready: [UInt16] = []
        package var readyTimeout = Duration.seconds(30)

        package init() {}
    }

    /// Why a command was not started: a line, and what a shell would end with.
    package struct NotStarted: Error {
        package var message: String
        /// 126 or 127 for a command that cannot be executed, 3 for a machine that cannot run it.
        package var exitStatus: Int32
    }

    /// What is done with the held command before it is let go, and where lines for the user go.
    package struct Hooks {
        package var held: (inout HeldLaunch) throws(SystemCallError) -> Void = { _ throws(SystemCallError) in }
        /// Once a second as it runs.
        package var tick: () -> Void = {}
        /// The command has ended; its companions have not.
        package var ended: () -> Void = {}
        package var note: (String) -> Void = { _ in }

        package init() {}
    }

    private let options: Options
    private let signals: SignalState
    private let hooks: Hooks

    package init(_ options: Options, _ signals: SignalState, _ hooks: Hooks) {
        self.options = options
        self.signals = signals
        self.hooks = hooks
    }

    /// Runs it to its end, on a thread that lives as long as the process.
    /// - Returns: how the command ended.
    /// - Throws: ``NotStarted``
    package func run(in room: borrowing Room, memory: MemoryLimit?, isIntercepted: Bool) throws(NotStarted)
        -> ProcessExit
    {
        let descriptors = options.descriptors ?? .current
        var companions: [Companion] = []
        defer { Self.end(companions) }
        do {
            for line in options.companions {
                companions.append(try Companion(line, in: room, signals, descriptors: descriptors))
            }
            try Companion.waitUntilReady(companions, ports: options.ready, timeout: options.readyTimeout, signals)
        } catch {
            throw NotStarted(message: error.description, exitStatus: 3)
        }
        var program = try start(in: room, memory, descriptors, isIntercepted)
        var told: Set<Int> = []
        var tick = MonotonicInstant.now + .seconds(1)
        while true {
            if let exit = program.poll() {
                hooks.ended()
                return exit
            }
            let untilTick = max(.zero, tick - .now)
            switch signals.next(within: memory == nil ? untilTick : min(untilTick, .milliseconds(50))) {
            case .signal(let number, let sender):
                if !signals.hasReachedProgram(sender: sender), sender == 0 || !room.contains(process: sender) {
                    program.send(number)
                }
            case .child, nil: break
            }
            if MonotonicInstant.now >= tick {
                hooks.tick()
                tick = tick + .seconds(1)
            }
            if memory?.enforce(on: program.process) == true {
                hooks.note("the command was over its --memory and has been killed")
            }
            for (index, companion) in companions.enumerated() where !told.contains(index) {
                guard let exit = companion.poll() else { continue }
                told.insert(index)
                hooks.note("--with: '\(companion.line)' ended: \(exit)")
            }
        }
    }

    private func start(
        in room: borrowing Room,
        _ memory: MemoryLimit?,
        _ descriptors: DescriptorLimit,
        _ isIntercepted: Bool
    ) throws(NotStarted) -> LaunchedProgram {
        var launch = Launch(
            path: options.path,
            arguments: Array(options.command.dropFirst()),
            name: options.command[0],
            descriptors: descriptors,
            ownGroup: signals.needsOwnGroup
        )
        launch.isIntercepted = isIntercepted
        do {
            return try execute(launch, in: room, memory)
        } catch  where error.step == .exec && error.errno == ENOEXEC {
            // A script that does not say by what: shells read it themselves.
            launch.arguments.insert(launch.path, at: 0)
            launch.path = "/bin/sh"
        } catch {
            throw notStarted(error, descriptors)
        }
        do {
            return try execute(launch, in: room, memory)
        } catch {
            throw notStarted(error, descriptors)
        }
    }

    private func execute(
        _ launch: Launch,
        in room: borrowing Room,
        _ memory: MemoryLimit?
    ) throws(Launch.Failure) -> LaunchedProgram {
        var held = try launch.hold(in: room, signals)
        if let folder = memory?.folder {
            // Held before its first instruction, it is under the limit from the beginning.
            try? KernelFile.write("\(held.process)", to: folder + "/cgroup.procs")
        }
        if launch.isIntercepted { try held.checkAccess() }
        do {
            try hooks.held(&held)
        } catch {
            throw Launch.Failure(step: .filter, errno: error.errno)
        }
        return try held.execute()
    }

    private func notStarted(_ failure: Launch.Failure, _ descriptors: DescriptorLimit) -> NotStarted {
        let name = options.command[0]
        let text = SystemCallError.text(of: failure.errno)
        switch failure.step {
        case .exec:
            return NotStarted(message: "\(name): \(text)", exitStatus: failure.errno == ENOENT ? 127 : 126)
        case .limit:
            return NotStarted(message: "--nofile: \(failure.text(descriptors))", exitStatus: 3)
        case .filter where failure.errno == EBUSY:
            return NotStarted(
                message:
                    "system calls are handed to another program here already (\(text)): the kernel allows one listener, "
                    + "and rootless containers and other 'spiral exec' have one; run it outside of them, or with --no-accounting",
                exitStatus: 3
            )
        case .filter:
            return NotStarted(
                message: "this machine does not hand over system calls (seccomp: \(text)); run it with --no-accounting",
                exitStatus: 3
            )
        case .look:
            return NotStarted(
                message: "no process may look into another here (pidfd_getfd: \(text)), as in a container without "
                    + "CAP_SYS_PTRACE; give it that, or run it with --no-accounting",
                exitStatus: 3
            )
        case .fork, .namespace:
            return NotStarted(message: "\(name) cannot be started: \(text)", exitStatus: 3)
        }
    }

    /// Asks companions to end, and gives them two seconds; the room takes those that stay.
    private static func end(_ companions: [Companion]) {
        for companion in companions { companion.askToEnd() }
        let deadline = MonotonicInstant.now + .seconds(2)
        while MonotonicInstant.now < deadline, companions.contains(where: { $0.poll() == nil }) {
            sleepThread(for: .milliseconds(5))
        }
    }
}
