internal import DequeModule
internal import Dispatch
internal import POSIX
internal import Synchronization
internal import Units

/// Mode `async`: lines wait in a bounded buffer for one writer; those that find it full are dropped.
final class BufferedWriter: LineRoute {
    private struct Line {
        var bytes: [UInt8]
        var isNotice: Bool
    }

    private struct State {
        var lines = Deque<Line>()
        var writerWaits = false
        var isClosed = false
    }

    /// Lines that wait at most; some 2 MB.
    static let capacity = 8192

    private let output: LogOutput
    private let state = Mutex(State())
    private let wakeup = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    /// Error lines that were taken and have not come to the sink.
    private let unwritten = Atomic<Int>(0)

    /// - Throws: ``SystemCallError`` when the writer's thread cannot be started.
    static func start(_ output: LogOutput) throws(SystemCallError) -> BufferedWriter {
        let writer = BufferedWriter(output)
        try Thread(name: "log-writer", stackBytes: 256 << 10) { writer.write() }.detach()
        return writer
    }

    private init(_ output: LogOutput) {
        self.output = output
    }

    func record(
        _ kind: String,
        count: Int,
        line: (Int) -> ErrorLine,
        whenWritten: @escaping @Sendable () -> Void
    ) -> Bool {
        // Lines that would not fit are not made.
        let room = state.withLock { max(0, Self.capacity - $0.lines.count) }
        add((0..<min(count, room)).map { line($0).encoded() })
        output.counts.dropped.add(max(0, count - room))
        return false
    }

    /// - Parameter areNotices: whether they are about error lines, and no errors' own.
    func add(_ lines: [[UInt8]], areNotices: Bool = false) {
        let (dropped, wake) = state.withLock { state in
            let taken = state.isClosed ? 0 : min(lines.count, Self.capacity - state.lines.count)
            state.lines += lines.prefix(taken).map { Line(bytes: $0, isNotice: areNotices) }
            if !areNotices { unwritten.wrappingAdd(taken, ordering: .relaxed) }
            defer { if taken > 0 { state.writerWaits = false } }
            return (lines.count - taken, taken > 0 && state.writerWaits)
        }
        if !areNotices { output.counts.dropped.add(dropped) }
        if wake { wakeup.signal() }
    }

    /// What is in the buffer is still written.
    func close() {
        let wake = state.withLock { state in
            state.isClosed = true
            defer { state.writerWaits = false }
            return state.writerWaits
        }
        if wake { wakeup.signal() }
    }

    func finish(by deadline: MonotonicInstant) -> Int {
        close()
        let left = max(0, (deadline - .now).wholeNanoseconds)
        if ended.wait(timeout: .now() + .nanoseconds(Int(left))) == .success { return 0 }
        return unwritten.load(ordering: .relaxed)
    }

    private func write() {
        defer { ended.signal() }
        while true {
            let (lines, isClosed) = state.withLock { state -> ([Line], Bool) in
                // A few at a time, so that the buffer's bound is the bound on what waits.
                let lines = Array(state.lines.prefix(16))
                state.lines.removeFirst(lines.count)
                state.writerWaits = lines.isEmpty && !state.isClosed
                return (lines, state.isClosed)
            }
            if lines.isEmpty {
                if isClosed { return }
                wakeup.wait()
            }
            for line in lines {
                output.write(line.bytes, isNotice: line.isNotice)
                if !line.isNotice { unwritten.wrappingSubtract(1, ordering: .relaxed) }
            }
        }
    }
}
