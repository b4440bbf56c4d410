internal import Dispatch
package import HTTP
package import POSIX
internal import PostRecords
internal import Synchronization
internal import Units

/// Sends one client's batches when they are due. A slow server does not slow it down: a batch that
/// finds no idle connection gets a new one, with a thread of its own.
package final class Attack: Sendable {
    private struct State {
        /// Batches due and not yet taken by a sender; oldest first.
        var queue: [BatchSender.Job] = []
        var senders = 0
        var idle = 0
        var stopped = false
    }

    /// What became of the batches.
    package let recorder: Recorder
    private let spec: ClientSpec
    private let options: BatchSender.Options
    private let workload: Workload
    private let maxInFlight: Int
    private let state = Mutex(State())
    /// Counts the queue.
    private let queued = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - source: address to connect from; nil leaves it to the kernel.
    ///   - timeout: of each wait for the server.
    ///   - maxInFlight: batches on their way at once; one that is due beyond it fails as `UNSENT`.
    ///   - overlaps: where it is noted which batches of several clients are under way together.
    package init(
        _ spec: ClientSpec,
        to target: Target,
        from source: IPv4Address?,
        workload: Workload,
        timeout: Duration,
        maxInFlight: Int,
        overlaps: BatchOverlaps? = nil
    ) {
        self.spec = spec
        self.workload = workload
        self.maxInFlight = maxInFlight
        options = BatchSender.Options(
            target: target,
            source: source,
            client: spec.name,
            codec: spec.codec,
            timeout: timeout
        )
        recorder = Recorder(name: spec.name, slo: spec.slo, overlaps: overlaps)
    }

    /// Starts the schedule on a thread of its own.
    /// - Parameter duration: no batch is due after it; nil goes on until ``stop()``.
    /// - Throws: ``SystemCallError`` when the thread cannot be made.
    package func start(for duration: Duration?) throws(SystemCallError) {
        try Thread(name: "load-\(spec.name)") { self.pace(for: duration) }.detach()
    }

    /// No batch is due from now on; those on their way go on.
    package func stop() {
        let senders = state.withLock { state in
            state.stopped = true
            return state.senders
        }
        for _ in 0..<senders { queued.signal() }
    }

    /// Whether no further batch will be due.
    package var isStopped: Bool { state.withLock { $0.stopped } }

    private func pace(for duration: Duration?) {
        // Clients of one seed still ask for different posts.
        var generator = SplitMix64(seed: spec.name.utf8.reduce(workload.seed) { $0 &* 31 &+ UInt64($1) })
        var beginning: MonotonicInstant?
        for start in spec.schedule.starts(within: duration) {
            // The body is made before the batch is due, and is no part of its latency: the schedule begins when the
            // first one is made.
            let size = Int.random(in: spec.uris, using: &generator)
            let body = workload.body(size: size, in: spec.codec, using: &generator)
            if beginning == nil { beginning = .now }
            let due = beginning! + start
            // In steps, so that one that is due much later does not keep a stopped load alive.
            while !isStopped, MonotonicInstant.now < due { sleepThread(until: min(due, .now + .milliseconds(200))) }
            if isStopped { return }
            recorder.begin(uris: size)
            dispatch(BatchSender.Job(body: body, uris: size, due: due, recorder: recorder))
        }
        // The last batch was due before the end; the schedule ends with the duration.
        if let duration { sleepThread(until: (beginning ?? .now) + duration) }
        stop()
    }

    private func dispatch(_ job: BatchSender.Job) {
        enum Fate { case taken, needsSender, refused }
        let fate = state.withLock { state -> Fate in
            if state.queue.count < state.idle {
                state.queue.append(job)
                return .taken
            }
            guard state.senders < maxInFlight else { return .refused }
            state.queue.append(job)
            state.senders += 1
            return .needsSender
        }
        switch fate {
        case .refused: return job.recorder.fail("UNSENT")
        case .taken: break
        case .needsSender:
            do {
                try Thread(name: "load-sender") { self.runSender() }.detach()
            } catch {
                // The queue still holds the batch; a sender that comes free takes it.
                state.withLock { $0.senders -= 1 }
            }
        }
        queued.signal()
    }

    private func runSender() {
        var sender = BatchSender(options)
        while true {
            state.withLock { $0.idle += 1 }
            queued.wait()
            let job = state.withLock { state -> BatchSender.Job? in
                state.idle -= 1
                return state.queue.isEmpty ? nil : state.queue.removeFirst()
            }
            // Woken without a batch: the schedule is over.
            guard let job else { return }
            sender.send(job)
        }
    }
}
