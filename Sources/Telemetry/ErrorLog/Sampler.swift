internal import POSIX
internal import Synchronization

/// Mode `sampled`: of each kind of error the first lines of a second, then one line with the number
/// of those left out.
final class Sampler: LineRoute {
    private struct Window {
        var start: MonotonicInstant
        var passed = 0
        var suppressed = 0
    }

    private struct State {
        var windows: [String: Window] = [:]
        var isClosed = false
    }

    /// Lines of one kind that pass in a second.
    static let linesPerSecond = 10
    private static let second = Duration.seconds(1)

    private let writer: BufferedWriter
    private let counts: LogCounts
    private let state = Mutex(State())

    /// - Throws: ``SystemCallError`` when a thread cannot be started.
    static func start(_ output: LogOutput) throws(SystemCallError) -> Sampler {
        let sampler = Sampler(try BufferedWriter.start(output), output.counts)
        // Sums up windows of kinds that no longer occur.
        try Thread(name: "log-sampler", stackBytes: 256 << 10) {
            while sampler.sumUp() { sleepThread(for: .milliseconds(100)) }
        }.detach()
        return sampler
    }

    private init(_ writer: BufferedWriter, _ counts: LogCounts) {
        self.writer = writer
        self.counts = counts
    }

    func record(
        _ kind: String,
        count: Int,
        line: (Int) -> ErrorLine,
        whenWritten: @escaping @Sendable () -> Void
    ) -> Bool {
        let passing = state.withLock { state in
            var window = state.windows[kind] ?? Window(start: .now)
            let passing = min(count, Self.linesPerSecond - window.passed)
            window.passed += passing
            window.suppressed += count - passing
            state.windows[kind] = window
            return passing
        }
        counts.suppressed.add(count - passing)
        if passing > 0 { writer.add((0..<passing).map { line($0).encoded() }) }
        return false
    }

    func close() {
        state.withLock { $0.isClosed = true }
        _ = sumUp()
        writer.close()
    }

    func finish(by deadline: MonotonicInstant) -> Int {
        close()
        return writer.finish(by: deadline)
    }

    /// Ends the windows that are over, all of them once closed, and writes what they left out.
    /// - Returns: whether there will be more.
    private func sumUp() -> Bool {
        let now = MonotonicInstant.now
        let (over, isClosed) = state.withLock { state in
            let over = state.windows.filter { state.isClosed || now - $0.value.start >= Self.second }
            for kind in over.keys { state.windows[kind] = nil }
            return (over, state.isClosed)
        }
        for (kind, window) in over.sorted(by: { $0.key < $1.key }) where window.suppressed > 0 {
            let fields: [(String, LogLine.Value)] = [("kind", .text(kind)), ("suppressed", .number(window.suppressed))]
            writer.add([LogLine.encode(level: "WARN", "error lines suppressed", fields)], areNotices: true)
        }
        return !isClosed
    }
}
