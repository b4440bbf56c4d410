internal import CLinux
internal import Glibc
package import POSIX

/// A program to run in a ``Room``.
package struct Launch: Sendable {
    /// The executable.
    package var path: String
    /// Without the zeroth.
    package var arguments: [String]
    /// What the program sees as its name.
    package var name: String
    /// RLIMIT_NOFILE.
    package var descriptors: DescriptorLimit
    /// Descriptors for standard input, output and error; nil to inherit.
    package var input: CInt?
    package var output: CInt?
    package var errorOutput: CInt?
    /// A process group of its own: out of reach of the terminal's signals.
    package var ownGroup: Bool
    /// Its connects and binds are handed over.
    package var isIntercepted = false

    package init(path: String, arguments: [String], name: String, descriptors: DescriptorLimit, ownGroup: Bool) {
        self.path = path
        self.arguments = arguments
        self.name = name
        self.descriptors = descriptors
        self.ownGroup = ownGroup
    }

    /// Why a program did not start.
    package struct Failure: Error {
        /// What was being done when a launch failed.
        package enum Step: Sendable { case fork, namespace, limit, filter, look, exec }
        package var step: Step
        package var errno: CInt

        /// Why, for a program that is to have so many descriptors.
        package func text(_ descriptors: DescriptorLimit) -> String {
            let text = SystemCallError.text(of: errno)
            guard step == .limit else { return text }
            return "\(descriptors.hard) descriptors are not allowed here (\(text)): the limit is "
                + "\(DescriptorLimit.current.hard), which only root with all rights may raise"
        }
    }

    /// Brings it to the point before execve(2).
    ///
    /// The kernel kills it when the calling thread ends: call this from one that lives as long as it should.
    /// - Throws: ``Failure``
    package func hold(in room: borrowing Room, _ signals: SignalState) throws(Failure) -> HeldLaunch {
        var argv: [UnsafeMutablePointer<CChar>?] = ([name] + arguments).map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        var held = linux_held_program()
        var error: CInt = 0
        let namespace = room.processNamespace
        let step = path.withCString { path in
            argv.withUnsafeMutableBufferPointer { argv in
                var program = linux_program(
                    path: path,
                    argv: UnsafePointer(argv.baseAddress),
                    envp: UnsafePointer(environ),
                    soft_descriptors: UInt64(descriptors.soft),
                    hard_descriptors: UInt64(descriptors.hard),
                    pid_namespace: namespace,
                    standard: (input ?? -1, output ?? -1, errorOutput ?? -1),
                    own_group: ownGroup ? 1 : 0,
                    intercept: isIntercepted ? 1 : 0,
                    blocked: signals.blocked,
                    ignores_broken_pipes: signals.ignoredBrokenPipes ? 1 : 0
                )
                return linux_hold_program(&program, &held, &error)
            }
        }
        guard step == LINUX_STARTED else { throw Failure(step: .init(step), errno: error) }
        return HeldLaunch(held)
    }
}

extension Launch.Failure.Step {
    init(_ step: linux_start_step) {
        self =
            switch step {
            case LINUX_STEP_NAMESPACE: .namespace
            case LINUX_STEP_LIMIT: .limit
            case LINUX_STEP_FILTER: .filter
            case LINUX_STEP_EXEC: .exec
            default: .fork
            }
    }
}

/// A program that is about to be executed; killed when it is let go of unexecuted.
package struct HeldLaunch: ~Copyable {
    private var held: linux_held_program

    fileprivate init(_ held: linux_held_program) {
        self.held = held
    }

    deinit {
        kill(held.process, SIGKILL)
        waitpid(held.process, nil, 0)
        if held.listener >= 0 { close(held.listener) }
        close(held.control)
    }

    package var process: Int32 { held.process }

    /// Whether setuid programs cannot take effect in it.
    package var gainsNoPrivileges: Bool { held.no_new_privileges != 0 }

    /// - Throws: ``Launch/Failure`` when its calls cannot be decided, as it may not be looked into.
    package func checkAccess() throws(Launch.Failure) {
        let error = linux_may_look_into(held.process)
        guard error == 0 else { throw Launch.Failure(step: .look, errno: error) }
    }

    /// The descriptor on which its connects and binds arrive; once.
    package mutating func takeListener() -> Descriptor? {
        guard held.listener >= 0 else { return nil }
        defer { held.listener = -1 }
        return Descriptor(owning: held.listener)
    }

    /// Lets it execute.
    /// - Throws: ``Launch/Failure`` when execve(2) fails; the process is gone then.
    package consuming func execute() throws(Launch.Failure) -> LaunchedProgram {
        var error: CInt = 0
        let step = linux_execute_held(&held, &error)
        let process = held.process
        if held.listener >= 0 { close(held.listener) }
        discard self
        guard step == LINUX_STARTED else { throw Launch.Failure(step: .init(step), errno: error) }
        return LaunchedProgram(process)
    }
}

/// A program that runs; killed and reaped when its owner lets go of it.
package struct LaunchedProgram: ~Copyable {
    package let process: Int32
    private var ended: ProcessExit?

    fileprivate init(_ process: Int32) {
        self.process = process
    }

    deinit {
        guard ended == nil else { return }
        kill(process, SIGKILL)
        waitpid(process, nil, 0)
    }

    /// Sends a signal; nothing happens when it has ended. kill(2)
    package func send(_ signal: CInt) {
        if ended == nil { kill(process, signal) }
    }

    /// How it ended, or nil while it runs. waitpid(2)
    package mutating func poll() -> ProcessExit? {
        if ended == nil {
            var status: CInt = 0
            if waitpid(process, &status, WNOHANG) == process {
                ended = status & 0x7f == 0 ? .status(status >> 8 & 0xff) : .signal(status & 0x7f)
            }
        }
        return ended
    }
}
