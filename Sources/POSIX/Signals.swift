internal import CLinux
internal import Glibc
internal import Units

/// Signals that ask the process to end, taken by waiting for them instead of by interruption.
package enum Signals {
    /// A write to a connection that is gone answers EPIPE instead of ending the process. signal(7)
    package static func ignoreBrokenPipes() {
        signal(SIGPIPE, SIG_IGN)
    }

    /// Keeps SIGINT, SIGTERM and SIGHUP waiting until ``waitForTermination(upTo:)`` takes them, but for those that this
    /// process was started to ignore, as under nohup(1): a blocked signal would be taken all the same. sigaction(2)
    /// Call it before the first thread starts: threads inherit it. pthread_sigmask(3)
    package static func holdTermination() {
        var set = termination
        pthread_sigmask(CInt(SIG_BLOCK), &set, nil)
    }

    /// Lets the next of them end the process, as a second Ctrl-C should.
    package static func releaseTermination() {
        var set = termination
        pthread_sigmask(CInt(SIG_UNBLOCK), &set, nil)
    }

    /// Waits for one of the held signals.
    /// - Parameter timeout: how long; nil means until one comes.
    /// - Returns: the signal, or nil when none came in time. sigtimedwait(2)
    package static func waitForTermination(upTo timeout: Duration? = nil) -> CInt? {
        var set = termination
        guard let timeout else {
            var number: CInt = 0
            return sigwait(&set, &number) == 0 ? number : nil
        }
        let deadline = MonotonicInstant.now + timeout
        while true {
            let left = max(0, (deadline - .now).wholeNanoseconds)
            var time = timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
            let number = sigtimedwait(&set, nil, &time)
            if number > 0 { return number }
            if errno != EINTR { return nil }
        }
    }

    private static var termination: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGINT, SIGTERM, SIGHUP] where !isIgnored(number) { sigaddset(&set, number) }
        return set
    }

    private static func isIgnored(_ number: CInt) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        // SIG_IGN is the address 1, which Swift cannot compare with as a function.
        return action.__sigaction_handler.sa_handler.map { unsafeBitCast($0, to: Int.self) == 1 } ?? false
    }
}
