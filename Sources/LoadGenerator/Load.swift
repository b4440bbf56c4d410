package import HTTP
package import POSIX
internal import PostRecords
internal import Synchronization
internal import Units

/// Sends the batches of several clients when they are due, whatever became of earlier ones: a slow server does not slow
/// it down. One thread does all sending and receiving; another makes large requests and looks through large answers.
package final class Load: Sendable {
    /// What a load is given besides its callers.
    package struct Options: Sendable {
        /// What is written down of a batch.
        package enum TraceContent: Sendable {
            /// How many URIs it had; all of them where it was replayed from a file that had them.
            case sizes
            /// The URIs.
            case uris
        }

        package var form: RequestForm
        /// Addresses to connect from; nil leaves it to the kernel.
        package var source: SourceAddresses?
        /// From when a batch is due: it has failed when it is over.
        package var timeout: Duration
        /// Of each wait for bytes to go or come; nil for none.
        package var readTimeout: Duration?
        /// Batches of one client in flight at once; further ones wait. Nil for as many as are due.
        package var maxInFlight: Int?
        /// Batches of all clients together after the warm-up, after which no further one is due; nil for no bound.
        package var maxBatches: Int?
        /// At the beginning; what is due in it is sent, and not recorded.
        package var warmUp = Duration.zero
        /// Bytes of large requests that are made and have no answer: as many as wait for a server that does not read them.
        var mostHeldBytes = Options.mostHeldBytes
        static let mostHeldBytes = 1 << 30
        /// What ``Load/takeTrace()`` gives of each batch that was due; nil for nothing.
        package var trace: TraceContent?

        package init(_ form: RequestForm, from source: SourceAddresses? = nil, timeout: Duration) {
            self.form = form
            self.source = source
            self.timeout = timeout
        }
    }

    /// A client, and what it sends where that was recorded before.
    package struct Client: Sendable {
        package var spec: ClientSpec
        /// In order; nil where the schedule of the specification says what is due.
        package var trace: [Trace.Entry]?
        /// Whether it sends only what it is told to, see ``Load/send(_:from:)``: for closed loops.
        package var isByHand = false

        package init(_ spec: ClientSpec, trace: [Trace.Entry]? = nil) {
            self.spec = spec
            self.trace = trace
        }

        /// A caller whose batches were recorded.
        package init(name: String, trace: [Trace.Entry]) {
            self.init(
                ClientSpec(name: name, sizes: nil, schedule: Schedule(.recorded(batches: trace.count))),
                trace: trace
            )
        }
    }

    /// What became of the batches, client by client.
    package let recorders: [Recorder]
    private let clients: [Client]
    private let options: Options
    private let workload: Workload
    private let control: LoadControl

    /// - Parameter overlaps: where it is noted which batches of several clients are under way together.
    /// - Throws: ``SystemCallError`` when there is no descriptor left.
    package init(
        _ clients: [Client],
        _ options: Options,
        _ workload: Workload,
        overlaps: BatchOverlaps? = nil
    ) throws(SystemCallError) {
        self.clients = clients
        self.options = options
        self.workload = workload
        recorders = clients.map { Recorder(name: $0.spec.name, slo: $0.spec.slo, overlaps: overlaps) }
        control = try LoadControl()
    }

    /// Starts the schedules.
    /// - Parameters:
    ///   - duration: no batch is due after it; nil goes on until ``stop()``.
    ///   - beginning: of the schedules; nil for as soon as the first batches are made.
    /// - Throws: ``SystemCallError`` when a thread or a descriptor cannot be had.
    package func start(for duration: Duration?, at beginning: MonotonicInstant? = nil) throws(SystemCallError) {
        let assistant = Assistant()
        try assistant.start()
        do {
            try Thread(name: "load-sender") { [self] in
                let loop = LoadLoop(
                    clients,
                    recorders,
                    options,
                    workload,
                    for: duration,
                    control: control,
                    assistant: assistant
                )
                loop.run(from: beginning)
            }.detach()
        } catch {
            assistant.finish()
            throw error
        }
    }

    /// What a client is told that sends by hand.
    package enum Order: Sendable, Equatable {
        /// One batch, unless there is one that has not ended.
        case batch
        /// One after the other, or no further one.
        case loop, pause
    }

    /// Tells a client that sends by hand what to send; others go on as they do.
    package func send(_ order: Order, from client: String) {
        guard let index = clients.firstIndex(where: { $0.spec.name == client && $0.isByHand }) else { return }
        control.give(order, to: index)
    }

    /// No batch is due from now on; those in flight go on.
    package func stop() { control.stop(abandoning: false) }

    /// No batch is due from now on, and those in flight are left unanswered.
    package func abandon() { control.stop(abandoning: true) }

    /// Whether no further batch will be due.
    package var isStopped: Bool { control.state.withLock { $0.isStopped } }

    /// Whether all batches have ended, and are recorded.
    package var isOver: Bool { control.state.withLock { $0.isOver } }

    /// From the beginning of the schedules to the end of the last batch; zero before a load is over.
    package var elapsed: Duration {
        control.state.withLock { state in
            guard let beginning = state.beginning, let end = state.end else { return .zero }
            return max(.zero, end - beginning)
        }
    }

    /// Where it was sent: to which of the host's addresses is known once the load is over.
    package var target: Target {
        var target = options.form.target
        if let address = control.state.withLock({ $0.address }) { target.address = address }
        return target
    }

    /// Processor time of the thread that sends, once the load is over.
    package var senderTime: Duration { control.state.withLock { $0.threadTime } }

    /// What became due since this was last called.
    package func takeTrace() -> [Trace.Entry] {
        control.state.withLock { state in
            defer { state.trace = [] }
            return state.trace
        }
    }
}
