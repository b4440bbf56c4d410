internal import CLinux
internal import Glibc
internal import POSIX
internal import Units

/// How signals stood when this process was started, for the program it starts, and their passing on from now on.
package struct SignalState: Sendable {
    /// The mask to give to the program.
    let blocked: sigset_t
    let ignoredBrokenPipes: Bool
    /// Whether the terminal sends its signals to the program as well, since both are in one process group.
    private let hasTerminal: Bool

    /// A signal that came.
    package enum Arrival: Sendable {
        /// A child may have ended.
        case child
        /// To be passed on; `sender` is 0 where the kernel sent it.
        case signal(CInt, sender: Int32)
    }

    /// Passed on to the program. SIGTSTP and its kin stop this process, as its program.
    private static let passedOn = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH]

    /// Holds the signals from now on: call it before the first thread starts. pthread_sigmask(3)
    package static func hold() -> SignalState {
        let before = current()
        var held = awaited
        pthread_sigmask(CInt(SIG_BLOCK), &held, nil)
        Signals.ignoreBrokenPipes()
        return before
    }

    /// How signals stand now, for programs that are started later: none is held.
    package static func current() -> SignalState {
        var before = sigset_t()
        pthread_sigmask(CInt(SIG_BLOCK), nil, &before)
        var pipes = sigaction()
        sigaction(SIGPIPE, nil, &pipes)
        let ignored = pipes.__sigaction_handler.sa_handler.map { unsafeBitCast($0, to: Int.self) == 1 } ?? false
        let terminal = try? Descriptor.writing("/dev/tty")
        return SignalState(blocked: before, ignoredBrokenPipes: ignored, hasTerminal: terminal != nil)
    }

    /// Whether a program needs a process group of its own: without a terminal nothing but this process reaches it.
    package var needsOwnGroup: Bool { !hasTerminal }

    /// Waits for the next signal, up to `limit`; nil when none came. sigtimedwait(2)
    package func next(within limit: Duration) -> Arrival? {
        var set = Self.awaited
        var information = siginfo_t()
        let nanoseconds = max(0, limit.wholeNanoseconds)
        var time = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        let number = sigtimedwait(&set, &information, &time)
        guard number > 0 else { return nil }
        if number == SIGCHLD { return .child }
        return .signal(number, sender: information.si_code > 0 ? 0 : information._sifields._kill.si_pid)
    }

    /// Whether a signal has reached the program already.
    package func hasReachedProgram(sender: Int32) -> Bool { sender == 0 && hasTerminal }

    private static var awaited: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in passedOn + [SIGCHLD] { sigaddset(&set, number) }
        return set
    }
}
