internal import CLinux
internal import Glibc

/// How a child process ended.
package enum ProcessExit: Sendable, Equatable, CustomStringConvertible {
    case status(CInt)
    case signal(CInt)

    package var description: String {
        switch self {
        case .status(let status): "exit status \(status)"
        case .signal(let signal): "signal \(signal)"
        }
    }
}

/// A child process, killed and reaped when its owner lets go of it.
///
/// The kernel kills it as well when the thread that started it ends (PR_SET_PDEATHSIG in
/// prctl(2)), so that not even SIGKILL of the parent leaves it behind: start children from a
/// thread that lives as long as they should.
package struct ChildProcess: ~Copyable {
    package let identifier: Int32
    private var ended: ProcessExit?

    /// - Parameters:
    ///   - path: the executable.
    ///   - arguments: without the zeroth.
    ///   - output: descriptor for standard output and error.
    ///   - descriptorLimit: its RLIMIT_NOFILE, or nil to inherit.
    ///   - cgroup: folder of the cgroup it begins in, or nil for this process's own.
    /// - Throws: ``SystemCallError`` of the call that failed, exec included. fork(2), execve(2), cgroups(7)
    package init(
        _ path: String,
        _ arguments: [String],
        output: CInt,
        descriptorLimit: UInt64? = nil,
        cgroup: String? = nil
    ) throws(SystemCallError) {
        let null = try Descriptor.reading("/dev/null")
        let members = try Descriptor.writing(cgroup.map { $0 + "/cgroup.procs" } ?? "/dev/null")
        var argv: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for argument in argv { free(argument) } }
        var child: pid_t = 0
        var call: UnsafePointer<CChar>?
        let error = path.withCString { path in
            argv.withUnsafeMutableBufferPointer { argv in
                var spawn = linux_spawn(
                    path: path,
                    argv: UnsafePointer(argv.baseAddress),
                    envp: UnsafePointer(environ),
                    standard_input: null.rawValue,
                    standard_output: output,
                    standard_error: output,
                    descriptor_limit: descriptorLimit ?? 0,
                    cgroup: cgroup == nil ? -1 : members.rawValue
                )
                return linux_spawn(&spawn, &child, &call)
            }
        }
        guard error == 0 else {
            throw SystemCallError(call.map { String(cString: $0) } ?? "exec", on: path, errno: error)
        }
        identifier = child
    }

    deinit {
        guard ended == nil else { return }
        kill(identifier, SIGKILL)
        waitpid(identifier, nil, 0)
    }

    /// Sends a signal; nothing happens if the child has ended. After SIGSTOP, returns when the last
    /// of the child's threads has stopped: on a busy machine they go on serving for milliseconds,
    /// 17 at most when this was measured. kill(2)
    package func send(_ signal: CInt) {
        guard ended == nil else { return }
        kill(identifier, signal)
        if signal == SIGSTOP { waitUntilStopped(timeout: .seconds(1)) }
    }

    /// The parent is told of a stop when it is complete, or of an end. The word of it is left, so that a
    /// child that is stopped twice is found stopped at once. waitid(2)
    private func waitUntilStopped(timeout: Duration) {
        let deadline = MonotonicInstant.now + timeout
        while MonotonicInstant.now < deadline {
            var stop = siginfo_t()
            let result = waitid(P_PID, id_t(identifier), &stop, WSTOPPED | WEXITED | WNOWAIT | WNOHANG)
            guard result == 0, stop.si_signo != SIGCHLD else { return }
            sleepThread(for: .microseconds(100))
        }
    }

    /// How the child ended, or nil while it runs. waitpid(2)
    package mutating func poll() -> ProcessExit? {
        if ended == nil {
            var status: CInt = 0
            if waitpid(identifier, &status, WNOHANG) == identifier {
                // The macros of wait(2), which Swift cannot import.
                ended = status & 0x7f == 0 ? .status(status >> 8 & 0xff) : .signal(status & 0x7f)
            }
        }
        return ended
    }

    /// Asks the child to end, waits up to `timeout`, and kills it if it has not.
    package mutating func terminate(timeout: Duration) {
        send(timeout > .zero ? SIGTERM : SIGKILL)
        send(SIGCONT)
        let deadline = MonotonicInstant.now + timeout
        while poll() == nil {
            if MonotonicInstant.now > deadline { send(SIGKILL) }
            sleepThread(for: .milliseconds(2))
        }
    }

    /// Runs a program to its end and returns what it printed, to standard output and error.
    /// - Throws: ``SystemCallError``
    package static func output(of path: String, _ arguments: [String]) throws(SystemCallError) -> String {
        let pipe = try Pipe()
        let process = try ChildProcess(path, arguments, output: pipe.writeEnd.rawValue)
        // Only the program holds the other end now: its end is the pipe's.
        let readEnd = pipe.closingWriteEnd()
        var bytes: [UInt8] = []
        while true {
            let more = try readEnd.readSome(upTo: 64 << 10)
            if more.isEmpty { break }
            bytes += more
        }
        _ = consume process
        return String(decoding: bytes, as: UTF8.self)
    }
}
