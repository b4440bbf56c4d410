internal import ArgumentParser
internal import Commands
internal import POSIX
internal import Units

/// How often a command that watches looks, and how long.
struct WatchOptions: ParsableArguments {
    @Option(help: "Time between two samples.")
    var interval = "1s"

    @Option(help: "Samples before it ends. Default: until Ctrl-C.")
    var count: Int?

    func validate() throws {
        guard try period() >= .milliseconds(100) else {
            throw ValidationError("--interval: '\(interval)' is too often; use 100ms or more")
        }
        guard count.map({ $0 > 0 }) ?? true else { throw ValidationError("--count: use a number of 1 or more") }
    }

    func period() throws -> Duration {
        try readOption("--interval", interval, as: Duration.init(text:))
    }

    /// Calls `look` with the number of the look, at the interval, until the count is reached, somebody ends it, or `look`
    /// says that nobody reads on.
    /// - Parameters:
    ///   - isLate: whether the first look too waits for an interval.
    ///   - count: looks; nil for no end.
    func repeatedly(isLate: Bool = false, _ count: Int?, _ look: (Int) throws -> Bool) throws {
        let period = try period()
        var due = MonotonicInstant.now
        if isLate {
            due = due + period
            if Signals.waitForTermination(upTo: period) != nil { return }
        }
        for number in 0..<(count ?? .max) {
            guard try look(number), number + 1 != count else { return }
            due = due + period
            let left = due - .now
            if Signals.waitForTermination(upTo: max(.zero, left)) != nil { return }
        }
    }
}
