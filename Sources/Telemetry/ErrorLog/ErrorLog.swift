internal import POSIX
internal import Synchronization

/// The error log of a running server; mode and sink change while it is written to.
package final class ErrorLog: Sendable {
    private struct State {
        var mode: LogMode
        var sink: LogSink
        var output: LogOutput
        var route: (any LineRoute)?
    }

    /// Threads that may be blocked in writes before the process ends; Go's own default.
    package static let defaultMostThreads = 10_000

    private let state: Mutex<State>
    private let mostThreads: Int
    private let tallies: Tallies
    package let counts = LogCounts()

    /// - Parameter mostThreads: threads of mode `blocking` at which the process ends, as Go's does at 10,000.
    /// - Throws: ``LogSinkError`` when the sink cannot be opened.
    package init(
        mode: LogMode,
        sink: LogSink,
        mostThreads: Int = ErrorLog.defaultMostThreads
    ) throws(LogSinkError) {
        self.mostThreads = mostThreads
        tallies = Tallies(counts)
        let output = try LogOutput(sink, counts: counts)
        let route = try Self.route(mode, output, tallies, mostThreads: mostThreads)
        state = Mutex(State(mode: mode, sink: sink, output: output, route: route))
    }

    deinit {
        state.withLock { state in
            state.route?.close()
            state.output.close()
        }
    }

    package var mode: LogMode { state.withLock { $0.mode } }

    /// Changes mode and sink; nothing has changed when the sink cannot be opened. Lines that wait for
    /// a writer when the mode changes are dropped, and nobody waits for them any longer.
    /// Holds no lock while the sink is opened, which may take two seconds.
    /// - Throws: ``LogSinkError`` from opening the sink.
    package func set(mode: LogMode, sink: LogSink) throws(LogSinkError) {
        let before = state.withLock { ($0.mode, $0.sink, $0.output) }
        guard (mode, sink) != (before.0, before.1) else { return }
        let output = sink == before.1 ? before.2 : try LogOutput(sink, counts: counts)
        let route = try Self.route(mode, output, tallies, mostThreads: mostThreads)
        let replaced = state.withLock { state in
            let replaced = (route: state.route, output: state.output)
            state = State(mode: mode, sink: sink, output: output, route: route)
            return replaced
        }
        replaced.route?.close()
        if replaced.output !== output { replaced.output.close() }
    }

    /// Ends it with its process: takes no more errors, and waits a while until those taken are written.
    /// - Returns: error lines that were taken and are lost; they are counted as dropped.
    package func close(within timeout: Duration) -> Int {
        let route = state.withLock { state in
            defer { state.route = nil }
            return state.route
        }
        let before = counts.dropped.value
        let unwritten = route?.finish(by: .now + timeout) ?? 0
        counts.dropped.add(unwritten)
        return counts.dropped.value - before
    }

    /// Logs errors of one kind in the present mode.
    /// - Parameters:
    ///   - kind: as in `bind EADDRINUSE`; from a bounded set.
    ///   - count: how many lookups it concerns. None is no error: a reply that broke off after its last value.
    ///   - line: makes the line of one of them; called only for lines that are to be written.
    ///   - whenWritten: called once, from another thread, if the caller has to wait.
    /// - Returns: whether the caller has to wait: mode `blocking` holds it up as long as the writes take.
    package func record(
        _ kind: @autoclosure () -> String,
        count: Int = 1,
        line: (Int) -> ErrorLine,
        whenWritten: @escaping @Sendable () -> Void
    ) -> Bool {
        guard count > 0, let route = state.withLock({ $0.route }) else { return false }
        return route.record(kind(), count: count, line: line, whenWritten: whenWritten)
    }

    /// As above for one error, when nobody waits.
    package func record(_ kind: @autoclosure () -> String, line: () -> ErrorLine) {
        _ = record(kind(), line: { _ in line() }, whenWritten: {})
    }

    /// Each kind of error that mode `metrics` has counted, with an exemplar.
    package var tally: [String: ErrorTally] { tallies.all }

    private static func route(
        _ mode: LogMode,
        _ output: LogOutput,
        _ tallies: Tallies,
        mostThreads: Int
    ) throws(LogSinkError) -> (any LineRoute)? {
        do throws(SystemCallError) {
            return switch mode {
            case .off: nil
            case .blocking: BlockingWriters(output, mostThreads: mostThreads)
            case .async: try BufferedWriter.start(output)
            case .sampled: try Sampler.start(output)
            case .metrics: tallies
            }
        } catch {
            throw LogSinkError(description: "start a writer: \(error)")
        }
    }
}
