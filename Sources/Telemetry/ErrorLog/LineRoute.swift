internal import POSIX

/// The way error lines take in one mode.
protocol LineRoute: AnyObject, Sendable {
    /// Takes errors of one kind.
    /// - Parameters:
    ///   - kind: as in `bind EADDRINUSE`; from a bounded set.
    ///   - count: how many there are, 1 or more.
    ///   - line: makes the line of one of them; called only for lines that may be written.
    ///   - whenWritten: called once, from any thread, when the caller has to wait for the lines.
    /// - Returns: whether the caller has to wait.
    func record(
        _ kind: String,
        count: Int,
        line: (Int) -> ErrorLine,
        whenWritten: @escaping @Sendable () -> Void
    ) -> Bool

    /// Takes no more errors. Whoever waits for a line not yet begun waits no longer.
    func close()

    /// Takes no more errors, and waits until those taken are written.
    /// - Returns: how many lines are not by the deadline, besides those counted as dropped.
    func finish(by deadline: MonotonicInstant) -> Int
}
