internal import DequeModule
internal import Dispatch
internal import Glibc
internal import POSIX
internal import Synchronization

/// Mode `blocking`: each line is a write(2) of its own, and whoever met the error waits for it.
///
/// Threads grow as they do in Go's runtime. A goroutine that blocks in a write holds its thread, and
/// the runtime's monitor then gives the processor to another thread, a new one when none is idle;
/// threads once made stay. At the limit, 10,000 by default, the process dies, as Go's does.
/// go.dev/src/runtime/proc.go (sysmon, retake, checkmcount)
final class BlockingWriters: LineRoute {
    private struct Job {
        var lines: [[UInt8]]
        var whenWritten: @Sendable () -> Void
    }

    private struct State {
        var queue = Deque<Job>()
        var threads = 0
        var idle = 0
        var isWatched = false
        var isClosed = false
    }

    /// How often the monitor looks. Go's looks every 20 us to 10 ms, by how much there is to do.
    private static let monitorTick = Duration.microseconds(100)
    /// Threads that may write at once without any of them being blocked, as GOMAXPROCS is.
    private static let processors = max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN)))

    private let output: LogOutput
    private let mostThreads: Int
    private let state = Mutex(State())
    private let wakeup = DispatchSemaphore(value: 0)
    private let progress = Atomic<Int>(0)

    init(_ output: LogOutput, mostThreads: Int) {
        self.output = output
        self.mostThreads = mostThreads
    }

    func record(
        _ kind: String,
        count: Int,
        line: (Int) -> ErrorLine,
        whenWritten: @escaping @Sendable () -> Void
    ) -> Bool {
        let job = Job(lines: (0..<count).map { line($0).encoded() }, whenWritten: whenWritten)
        enum Need { case nothing, thread, monitor }
        let need: Need? = state.withLock { state in
            if state.isClosed { return nil }
            state.queue.append(job)
            // Writers that get on take the next line themselves; the monitor sees to those that do not.
            if state.threads - state.idle < Self.processors { return add(1, to: &state) > 0 ? .thread : .nothing }
            if state.isWatched { return .nothing }
            state.isWatched = true
            return .monitor
        }
        if need != nil { output.counts.waiting.increment(by: count) }
        switch need {
        case nil: return false
        case .nothing: break
        case .thread: startWriter()
        case .monitor: start("log-monitor") { [self] in watch() }
        }
        return true
    }

    func close() {
        let (unwritten, threads) = state.withLock { state in
            state.isClosed = true
            let jobs = Array(state.queue)
            state.queue.removeAll()
            return (jobs, state.threads)
        }
        for _ in 0..<threads { wakeup.signal() }
        output.counts.dropped.add(unwritten.reduce(0) { $0 + $1.lines.count })
        for job in unwritten { finish(job) }
    }

    func finish(by deadline: MonotonicInstant) -> Int {
        while output.counts.waiting.value > 0, .now < deadline { sleepThread(for: .milliseconds(1)) }
        // Drops what waits for a writer.
        close()
        return output.counts.waiting.value
    }

    private func startWriter() {
        start("log-writer") { [self] in write() }
    }

    private func write() {
        while true {
            enum Next {
                case job(Job)
                case wait, end
            }
            let next: Next = state.withLock { state in
                if let job = state.queue.popFirst() { return .job(job) }
                if state.isClosed { return .end }
                state.idle += 1
                return .wait
            }
            switch next {
            case .job(let job):
                for line in job.lines { output.write(line) }
                progress.wrappingAdd(1, ordering: .relaxed)
                finish(job)
            case .wait: wakeup.wait()
            case .end: return
            }
        }
    }

    private func finish(_ job: Job) {
        output.counts.waiting.decrement(by: job.lines.count)
        job.whenWritten()
    }

    /// Brings in more threads while lines wait and no writer gets on.
    private func watch() {
        var seen = progress.load(ordering: .relaxed)
        while true {
            sleepThread(for: Self.monitorTick)
            let now = progress.load(ordering: .relaxed)
            let isStuck = now == seen
            seen = now
            let more: Int? = state.withLock { state in
                guard !state.queue.isEmpty, !state.isClosed else {
                    state.isWatched = false
                    return nil
                }
                return isStuck ? add(min(Self.processors, state.queue.count), to: &state) : 0
            }
            guard let more else { return }
            for _ in 0..<more { startWriter() }
        }
    }

    /// Wakes idle writers.
    /// - Returns: how many must be started, for want of idle ones.
    private func add(_ writers: Int, to state: inout State) -> Int {
        let woken = min(writers, state.idle)
        state.idle -= woken
        for _ in 0..<woken { wakeup.signal() }
        state.threads += writers - woken
        if state.threads > mostThreads { exhausted("\(mostThreads) threads are blocked writing the log") }
        return writers - woken
    }

    private func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        do {
            try Thread(name: name, stackBytes: 64 << 10, body).detach()
        } catch {
            exhausted("cannot start another log writer: \(error)")
        }
    }

    /// Status 2, as a Go program ends whose runtime gives up. runtime/debug.SetMaxThreads
    private func exhausted(_ reason: String) -> Never {
        StandardError.print("fatal: thread exhaustion: \(reason); the process ends here, as Go's runtime would")
        _exit(2)
    }
}
