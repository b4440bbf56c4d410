internal import DequeModule
internal import HTTP
internal import HeapModule
internal import POSIX
internal import Synchronization
internal import Units

/// What the sender's thread does, and all that belongs to it: batches become due, are sent, answered and recorded.
///
/// Nothing here waits but the poller. Batches are made before they are due.
final class LoadLoop {
    struct Client {
        let spec: ClientSpec
        let recorder: Recorder
        /// Of batches in the warm-up, whose results nobody gets.
        let warmUp: Recorder
        let head: [UInt8]
        var source: BatchSource
        /// The next batch, and when it is due; in a closed loop, when another has ended.
        var upcoming: (id: BatchTable.ID, due: Duration)?
        /// Batches that are due, and wait for others to end.
        var waiting: Deque<BatchTable.ID> = []
        /// The one used last at the end, so that those that are not needed can be closed by the server.
        var idle: [Connection] = []
        var inFlight = 0
        /// Sends only what it is told to.
        let isByHand: Bool
        /// Whether the next batch follows when one has ended.
        var isLooping: Bool
    }

    private struct NextDue: Comparable {
        var due: Duration
        var client: Int

        static func < (left: NextDue, right: NextDue) -> Bool {
            left.due < right.due || left.due == right.due && left.client < right.client
        }
    }

    /// URIs from which on the assistant makes a request.
    private static let largeBatch = 256
    /// Batches of one client that wait; what becomes due beyond it is not sent.
    private static let longestQueue = 1_000_000
    /// Batches begun in one turn.
    private static let begunAtOnce = 64

    let options: Load.Options
    let workload: Workload
    let control: LoadControl
    let assistant: Assistant
    var clients: [Client]
    var batches = BatchTable()
    var connections = ConnectionTable()
    /// Connections with more to read than fits one turn.
    var unfinished: [UInt64] = []
    /// Clients of which a batch has ended, and when.
    var freed: [(client: Int, at: MonotonicInstant)] = []
    let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    var check: AnswerCheck
    let largeCheck: LargeAnswerCheck
    var source: SourceAddresses?
    var addresses: AddressChoice

    private var schedule: Heap<NextDue> = []
    private(set) var beginning = MonotonicInstant.now
    private let duration: Duration?
    private(set) var end: MonotonicInstant?
    /// Whether no further batch becomes due.
    private(set) var isStopped = false
    private(set) var begun = 0
    var nextProgressCheck = MonotonicInstant.now
    /// Large batches whose requests are to be made, in the order they are due.
    private var unmade: Deque<BatchTable.ID> = []
    /// Of the requests of large batches that have not ended.
    private var heldBytes = 0

    init(
        _ clients: [Load.Client],
        _ recorders: [Recorder],
        _ options: Load.Options,
        _ workload: Workload,
        for duration: Duration?,
        control: LoadControl,
        assistant: Assistant
    ) {
        self.options = options
        self.duration = duration
        self.workload = workload
        self.control = control
        self.assistant = assistant
        check = AnswerCheck(workload)
        largeCheck = LargeAnswerCheck(workload)
        source = options.source
        addresses = AddressChoice(options.form.addresses)
        self.clients = zip(clients, recorders).map { client, recorder in
            Client(
                spec: client.spec,
                recorder: recorder,
                warmUp: Recorder(name: recorder.name),
                head: options.form.head(of: client.spec),
                source: BatchSource(client, workload, within: duration),
                isByHand: client.isByHand,
                isLooping: !client.isByHand
            )
        }
    }

    deinit {
        space.deallocate()
    }

    // MARK: Turns

    /// Runs until all batches that were due have ended.
    func run(from beginning: MonotonicInstant?) {
        Timer.sharpenForThisThread()
        for client in clients.indices {
            prepare(client)
            // In a closed loop batches follow each other; so many begin.
            guard clients[client].source.isClosedLoop, let due = clients[client].upcoming?.due else { continue }
            for _ in 0..<clients[client].source.loops where !clients[client].isByHand {
                schedule.insert(NextDue(due: due, client: client))
            }
        }
        self.beginning = beginning ?? .now
        control.state.withLock { $0.beginning = self.beginning }
        end = duration.map { self.beginning + $0 }
        while turn() {}
        let ended = MonotonicInstant.now
        for connection in connections.all { close(connection) }
        assistant.finish()
        control.state.withLock { state in
            state.isStopped = true
            state.isOver = true
            state.end = ended
            state.address = addresses.address()
            state.threadTime = Thread.processorTime
        }
    }

    /// - Returns: whether there is more to do.
    private func turn() -> Bool {
        let isAbandoned = takeOrders()
        if isAbandoned {
            abandonAll()
            return false
        }
        let now = MonotonicInstant.now
        let isUpToDate = beginDue(now)
        // What was due before the end is sent, however late it is.
        if let end, now >= end, isUpToDate { stop() }
        giveUpOverdue(now)
        refill()
        if isStopped, batches.dueCount == 0 { return false }
        makeRequests()
        readOn()
        control.timer.set(nextMoment(after: now))
        control.poller.wait(until: unfinished.isEmpty && freed.isEmpty ? nil : now) { event in
            guard let connection = connections[event.token] else { return }
            // Told once, and perhaps together with an answer, after which the connection would be taken for idle.
            if event.isEnded || event.isBroken { connection.isEnded = true }
            advance(connection)
        }
        return true
    }

    /// Begins the batches that are due, up to a turn's share: answers must not wait until a sender that is behind has
    /// caught up.
    /// - Returns: whether these were all.
    private func beginDue(_ now: MonotonicInstant) -> Bool {
        for _ in 0..<Self.begunAtOnce {
            guard !isStopped, let next = schedule.min, beginning + next.due <= min(now, end ?? now) else { return true }
            schedule.removeMin()
            beginBatch(of: next.client, due: beginning + next.due)
        }
        return false
    }

    /// - Returns: whether nothing is to be waited for.
    private func takeOrders() -> Bool {
        let (made, orders, mustStop, isAbandoned) = control.state.withLock { state in
            defer { (state.made, state.orders) = ([], []) }
            return (state.made, state.orders, state.isStopped, state.isAbandoned)
        }
        // What is due until now is still sent.
        if mustStop { end = min(.now, end ?? .now) }
        for (id, request) in made where batches.contains(id) {
            batches[id].request = request
            if batches[id].isDue { dispatch(id) }
        }
        for (client, order) in orders where !isStopped && !mustStop { carryOut(order, client) }
        return isAbandoned
    }

    /// Does what a client that sends by hand is told.
    private func carryOut(_ order: Load.Order, _ client: Int) {
        if order != .batch { clients[client].isLooping = order == .loop }
        if order != .pause, clients[client].recorder.pending == 0 { beginBatch(of: client, due: .now) }
    }

    private func nextMoment(after now: MonotonicInstant) -> MonotonicInstant? {
        var moments: [MonotonicInstant] = []
        if !isStopped {
            if let next = schedule.min { moments.append(beginning + next.due) }
            if let end { moments.append(end) }
        }
        if let oldest = batches.oldest {
            moments.append(batches[oldest].due + options.timeout)
            if options.readTimeout != nil { moments.append(nextProgressCheck) }
        }
        return moments.min()
    }

    private func stop() {
        guard !isStopped else { return }
        isStopped = true
        schedule = []
        for client in clients.indices {
            guard let upcoming = clients[client].upcoming else { continue }
            clients[client].upcoming = nil
            _ = remove(upcoming.id)
        }
        control.state.withLock { $0.isStopped = true }
    }

    // MARK: Batches become due

    /// Chooses a client's next batch, and makes its request or has it made.
    private func prepare(_ client: Int) {
        guard let (due, selection) = clients[client].source.next() else {
            clients[client].upcoming = nil
            return
        }
        let id = batches.add(.init(client: client, selection: selection, recorder: clients[client].recorder))
        clients[client].upcoming = (id, due)
        if !clients[client].isByHand, !clients[client].source.isClosedLoop {
            schedule.insert(NextDue(due: due, client: client))
        }
        if selection.size < Self.largeBatch {
            let (head, codec) = (clients[client].head, clients[client].spec.codec)
            batches[id].request = options.form.request(head, selection, codec, workload)
        } else {
            unmade.append(id)
            makeRequests()
        }
    }

    /// Has the requests of large batches made, as far as there is room for them.
    private func makeRequests() {
        while let id = unmade.first, heldBytes < options.mostHeldBytes {
            unmade.removeFirst()
            guard batches.contains(id) else { continue }
            let (client, selection) = (batches[id].client, batches[id].selection)
            batches[id].heldBytes = selection.requestBytes
            heldBytes += batches[id].heldBytes
            let (form, head, codec) = (options.form, clients[client].head, clients[client].spec.codec)
            assistant.add { [workload, control] in
                // Nobody waits for it any more.
                if control.state.withLock({ $0.isAbandoned }) { return }
                control.deliver(form.request(head, selection, codec, workload), for: id)
            }
        }
    }

    /// Takes a batch out that has ended.
    func remove(_ id: BatchTable.ID) -> BatchTable.Batch {
        let batch = batches.remove(id)
        heldBytes -= batch.heldBytes
        return batch
    }

    private func beginBatch(of client: Int, due: MonotonicInstant) {
        guard let (id, _) = clients[client].upcoming else { return }
        clients[client].upcoming = nil
        batches.becomeDue(id, at: due)
        let counts = due >= beginning + options.warmUp
        if !counts { batches[id].recorder = clients[client].warmUp }
        let selection = batches[id].selection
        batches[id].recorder.begin(uris: selection.size)
        if let content = options.trace { note(selection, of: client, due: due, content) }
        dispatch(id)
        if counts { begun += 1 }
        if begun == options.maxBatches { return stop() }
        prepare(client)
    }

    private func note(
        _ selection: Selection,
        of client: Int,
        due: MonotonicInstant,
        _ content: Load.Options.TraceContent
    ) {
        var entry = Trace.Entry(
            offset: due - beginning,
            caller: clients[client].spec.name,
            batch: .size(selection.size)
        )
        if case .uris(let uris) = selection {
            entry.batch = .uris(uris)
        } else if content == .uris, selection != .none {
            entry.batch = .uris(workload.uris(of: selection))
        }
        control.state.withLock { $0.trace.append(entry) }
    }

    /// Sends a batch that is due, unless it has to wait: for its request, or for others to end.
    private func dispatch(_ id: BatchTable.ID) {
        let client = batches[id].client
        guard batches[id].request != nil else {
            // Its request waits for room.
            if batches[id].heldBytes == 0 { batches[id].recorder.holdBack() }
            return
        }
        let lateness = MonotonicInstant.now - batches[id].due
        batches[id].recorder.pickUp(after: lateness)
        guard lateness < options.timeout else { return giveUp(id, now: .now) }
        guard clients[client].inFlight < options.maxInFlight ?? .max else {
            // Those whose time is over stand in front.
            while let first = clients[client].waiting.first, !batches.contains(first) {
                clients[client].waiting.removeFirst()
            }
            if clients[client].waiting.count < Self.longestQueue {
                batches[id].recorder.holdBack()
                clients[client].waiting.append(id)
            } else {
                giveUp(id, now: .now)
            }
            return
        }
        send(id)
    }

    /// Batches of clients have ended: there is room for those that wait, and closed loops go round. What is sent here and
    /// ends at once has its turn the next time.
    private func refill() {
        let freed = freed
        self.freed = []
        for (client, moment) in freed {
            if clients[client].inFlight < options.maxInFlight ?? .max, let id = takeWaiting(client) {
                send(id)
            } else if clients[client].source.isClosedLoop, clients[client].isLooping, !isStopped,
                end.map({ moment < $0 }) ?? true,
                clients[client].spec.schedule.until.map({ moment < beginning + $0 }) ?? true
            {
                beginBatch(of: client, due: moment)
            }
        }
    }

    private func takeWaiting(_ client: Int) -> BatchTable.ID? {
        while let id = clients[client].waiting.popFirst() {
            if batches.contains(id) { return id }
        }
        return nil
    }
}
