internal import Limits
internal import Memcached
internal import POSIX
internal import Synchronization
internal import Telemetry
internal import Units

/// One thread that keeps any number of lookups in flight: it issues requests without waiting,
/// and collects replies as their sockets become readable. What it does next its ``LaneSchedule`` decides.
///
/// Unchecked: `inbox`, `stopping`, `batches` and `poller` are safe from any thread, `lanes` is set before the thread
/// starts, and all else that changes belongs to the lane's own thread.
final class Lane: @unchecked Sendable, ConnectionUser {
    let index: Int
    let context: LaneContext
    let poller: Poller
    /// All lanes by index, while the thread runs.
    var lanes: [Lane] = []

    private let inbox = LaneInbox()
    private let stopping = Atomic<Bool>(false)
    /// Batches it has a part of.
    let batches = Atomic<Int>(0)

    // Unchecked are those that methods change in place, several times a lookup: only the lane's thread does, and none of
    // them calls back.
    var settings: FanOutSettings
    private var settingsVersion: Int
    private(set) var templates: [HandleTemplate] = []
    @exclusivity(unchecked) var schedule = LaneSchedule()
    /// By their slots in the schedule.
    @exclusivity(unchecked) var slices: [BatchSlice?] = []
    /// The slices of batches that other lanes have a part of.
    private var slicesByBatch: [ObjectIdentifier: BatchSlice] = [:]
    /// Slices whose batch has been issued whole, and whose replies are to be collected.
    var collectable: [BatchSlice] = []
    /// Permits for those that are next, when some were given back; empty between calls.
    @exclusivity(unchecked) var grants: [PermitLedger.Grant] = []
    @exclusivity(unchecked) var deadlines = DeadlineQueue()
    let scratch = RequestScratch()
    let received = ReplyBuffer()
    private static let keptOperations = 256
    @exclusivity(unchecked) private var operations: [Operation] = []
    @exclusivity(unchecked) private var ended: [Operation] = []
    private var generation: UInt32 = 0
    @exclusivity(unchecked) var users = ConnectionUsers()
    /// Connections that memcached is to be asked to close at the end of the turn, and those it has been asked to.
    @exclusivity(unchecked) var surplus: [Connection] = []
    @exclusivity(unchecked) var closing = ClosingConnections()
    /// Draws the addresses that dials rotate over.
    var random = SplitMix64(seed: .random(in: 0...UInt64.max))

    /// - Throws: ``SystemCallError`` when its poller cannot be made.
    init(index: Int, context: LaneContext) throws(SystemCallError) {
        self.index = index
        self.context = context
        poller = try Poller()
        settings = context.settings
        settingsVersion = context.settingsVersion.load(ordering: .acquiring)
        makeTemplates()
    }

    // MARK: From other threads

    func submit(_ slice: BatchSlice) {
        batches.wrappingAdd(1, ordering: .relaxed)
        add { $0.submitted.append(slice) }
    }

    /// Permits that one of the lane's slices waited for.
    func hand(_ permits: Int, to slice: BatchSlice) {
        add { $0.grants.append((slice, permits)) }
    }

    /// A batch has been issued whole or refused by another lane.
    func noteChange(of batch: Batch) {
        add { $0.changed.append(batch) }
    }

    /// The batch of one of the lane's slices has been cancelled.
    func noteCancellation(of slice: BatchSlice) {
        add { $0.cancelled.append(slice) }
    }

    /// The error lines of an operation are out.
    func markLogged(_ token: OperationToken) {
        add { $0.logged.append(token) }
    }

    /// A connection that one of the lane's operations waited for.
    func receive(_ turn: ConnectionTurn) {
        add { $0.turns.append(turn) }
    }

    /// Connections that nobody keeps.
    func close(_ connections: Pool.Surplus) {
        add { $0.surplus.append(connections) }
    }

    func stop() {
        stopping.store(true, ordering: .releasing)
        poller.wake()
    }

    private func add(_ change: (inout LaneInbox.Content) -> Void) {
        if inbox.add(change) { poller.wake() }
    }

    // MARK: The lane's thread

    /// Runs until ``stop()`` was called and all batches are done.
    func run() {
        while true {
            // Before what came until then is taken in, and so is not left there.
            let isStopping = stopping.load(ordering: .acquiring)
            takeIn(inbox.takeAll())
            issueTurn()
            // What is collected may be more to issue: a miss is read from the store.
            collectPostponed()
            // Before the lane waits, as others may wait for what is given back here.
            settleTouched()
            dropEndedOperations()
            askToClose()
            if isStopping, schedule.count == 0 { break }
            let hasMore = schedule.isRunnable || !surplus.isEmpty
            poller.wait(until: hasMore ? .now : nextDeadline) { react(to: $0) }
            expire()
        }
        assert(deadlines.count == 0, "a deadline outlived its operation")
        closeAll()
        // Lanes hold each other.
        lanes = []
    }

    private var nextDeadline: MonotonicInstant? {
        func sooner(_ one: MonotonicInstant?, _ other: MonotonicInstant?) -> MonotonicInstant? {
            guard let one, let other else { return one ?? other }
            return min(one, other)
        }
        return sooner(deadlines.next, sooner(schedule.nextRefusal, closing.next))
    }

    private func takeIn(_ content: LaneInbox.Content) {
        for slice in content.submitted { takeIn(slice) }
        for grant in content.grants { accept(grant.permits, for: grant.slice) }
        for batch in content.changed {
            if let slice = slicesByBatch[ObjectIdentifier(batch)] { lookAgain(at: slice) }
        }
        for slice in content.cancelled {
            cancelWaiting(of: slice)
            lookAgain(at: slice)
        }
        for turn in content.turns { take(turn) }
        for token in content.logged { settle(token) }
        for connection in content.surplus.flatMap(\.connections) { close(connection) }
    }

    /// The batch of a slice has become something elsewhere.
    private func lookAgain(at slice: BatchSlice) {
        guard let slot = slice.slot else { return }
        schedule.touch(slot)
        if !slice.postponed.isEmpty, !slice.defersReplies { collectable.append(slice) }
    }

    private func takeIn(_ slice: BatchSlice) {
        let batch = slice.batch
        let slot = schedule.add(
            work: slice.work,
            permits: slice.seat.map { $0.permits + slice.earlyPermits },
            target: slice.seat?.target ?? 0,
            keepsPermits: batch.permits?.isOfOneBatch ?? false,
            refusedAt: slice.refusedAt
        )
        slice.slot = slot
        while slices.count <= slot { slices.append(nil) }
        slices[slot] = slice
        if batch.sliceCount > 1 { slicesByBatch[ObjectIdentifier(batch)] = slice }
    }

    /// Issues what the limits admit, for as long as a turn lasts.
    private func issueTurn() {
        guard schedule.isRunnable else { return }
        var now = MonotonicInstant.now
        schedule.beginTurn(at: now)
        while let slot = schedule.next(at: now) {
            issue(slot, at: now)
            now = .now
        }
    }

    /// Starts the next operation of a slice.
    private func issue(_ slot: Int, at now: MonotonicInstant) {
        let slice = slices[slot]!
        let isStarted = startNext(of: slice, at: now)
        schedule.started(slot, isStarted, work: slice.work)
    }

    private func startNext(of slice: BatchSlice, at now: MonotonicInstant) -> Bool {
        if let key = slice.toStore.popLast() {
            startRead(of: key, for: slice, at: now)
        } else if let unit = slice.nextUnit() {
            startGet(of: unit, for: slice, at: now)
        } else {
            return false
        }
        return true
    }

    private func react(to event: Poller.Event) {
        let operation =
            if let token = OperationToken(event.token) { operation(token) } else { users.user(event.token) }
        guard let operation else {
            if !closing.isEmpty { closing.look(at: event.token) }
            return
        }
        switch operation.phase {
        case .dialling(let pending): continueDial(operation, pending)
        case .awaiting(let connection):
            if operation.slice.defersReplies {
                postpone(operation, connection)
            } else {
                collect(operation, connection)
                // The connection just put back is the one the next lookup takes.
                if let slot = schedule.nextAfterReply() { issue(slot, at: .now) }
            }
        case .starting, .waiting, .answered, .logging, .ended: break
        }
    }

    /// Leaves a reply where it is until its batch is issued whole.
    func postpone(_ operation: Operation, _ connection: Connection) {
        // A request that is not sent whole has no reply to wait with.
        guard connection.unsent.isEmpty else { return collect(operation, connection) }
        operation.phase = .answered(connection)
        operation.slice.postponed.append(operation.token)
    }

    /// Collects what waited for its batch to be issued whole. Connections that the pool has no room for are closed
    /// when all is collected, so that an answer does not wait for thousands of them to be closed.
    private func collectPostponed() {
        while let slice = collectable.popLast() {
            let tokens = slice.postponed
            slice.postponed = []
            var connections: [Connection] = []
            connections.reserveCapacity(tokens.count)
            for token in tokens {
                guard let operation = operation(token) else { continue }
                switch operation.phase {
                case .awaiting(let connection), .answered(let connection):
                    connections.append(connection)
                    collect(operation, connection)
                case .starting, .waiting, .dialling, .logging, .ended: break
                }
            }
            withExtendedLifetime(connections) {}
        }
    }

    private func expire() {
        let now = MonotonicInstant.now
        while let slot = deadlines.takeDue(at: now) {
            let operation = operations[slot]
            switch operation.phase {
            case .starting: startSet(operation, at: now)
            case .waiting(let ticket): giveUpWaiting(operation, ticket)
            case .dialling(let pending): failDial(operation, pending)
            case .awaiting(let connection): giveUp(operation, connection)
            case .answered, .logging, .ended: break
            }
        }
        while let slot = schedule.takeRefusal(at: now) { refuse(slices[slot]!) }
        closing.expire(at: now)
    }

    /// A batch has waited for its first permit for too long.
    private func refuse(_ slice: BatchSlice) {
        let batch = slice.batch
        guard let admission = batch.admission, admission.refuse() else { return }
        context.counters.refusals.add(for: .queueWait)
        schedule.touch(slice.slot!)
        noteOnOtherLanes(slice)
        batch.refuse(Overload(.queueWait, "the limit admitted nothing within \(admission.rules.wait.text)"))
    }

    /// Tells the other lanes that have a part of a batch to look at it.
    func noteOnOtherLanes(_ slice: BatchSlice) {
        guard slice.batch.sliceCount > 1 else { return }
        for lane in slice.otherLanes(of: lanes) { lane.noteChange(of: slice.batch) }
    }

    /// Tells others what was done for the slices that something happened to, and removes those that are over.
    private func settleTouched() {
        while let slot = schedule.takeTouched() {
            let slice = slices[slot]!
            report(slice)
            let settlement = schedule.settle(slot, work: slice.work, cap: slice.cap)
            if settlement.isOver {
                remove(slice, slot)
            } else if let target = settlement.target {
                lower(slice, to: target, settlement.surplus)
            }
        }
    }

    private func remove(_ slice: BatchSlice, _ slot: Int) {
        leave(slice)
        schedule.remove(slot)
        slices[slot] = nil
        slice.slot = nil
        slice.isOver = true
        if slice.batch.sliceCount > 1 { slicesByBatch[ObjectIdentifier(slice.batch)] = nil }
        batches.wrappingSubtract(1, ordering: .relaxed)
    }

    // MARK: Operations

    func begin(_ slice: BatchSlice, _ work: Operation.Work) -> Operation {
        generation &+= 1
        let operation: Operation
        if let last = ended.popLast() {
            operation = last
            operation.begin(generation: generation, slice, work)
        } else {
            operation = Operation(slot: operations.count, generation: generation, slice, work)
            operations.append(operation)
        }
        if let permits = slice.batch.permits, permits.isAdaptive { operation.inFlight = permits.beginExchange() }
        return operation
    }

    /// The operation a token names, unless it has ended.
    func operation(_ token: OperationToken) -> Operation? {
        guard token.slot < operations.count else { return nil }
        let operation = operations[token.slot]
        guard operation.token == token else { return nil }
        if case .ended = operation.phase { return nil }
        return operation
    }

    /// Drops operations that a large batch has needed. They lie between its handles in memory, and hold a page each.
    private func dropEndedOperations() {
        guard schedule.count == 0, operations.count > Self.keptOperations else { return }
        operations = []
        ended = []
    }

    /// Ends an operation and gives its permit back.
    func end(_ operation: Operation) {
        let slice = operation.slice!
        let sample = operation.sample
        release(operation)
        deadlines.remove(operation.slot)
        operation.end()
        ended.append(operation)
        if let permits = slice.batch.permits, permits.isAdaptive { permits.endExchange() }
        returnPermit(of: slice, sample)
    }

    /// Lets go of the connection it used.
    func release(_ operation: Operation) {
        switch operation.phase {
        case .awaiting(let connection), .answered(let connection): users.remove(connection)
        case .starting, .waiting, .dialling, .logging, .ended: break
        }
    }

    /// Operations of a slice that wait for a connection.
    func waiting(of slice: BatchSlice) -> [(operation: Operation, ticket: Int)] {
        operations.compactMap { operation in
            guard operation.slice === slice, case .waiting(let ticket) = operation.phase else { return nil }
            return (operation, ticket)
        }
    }

    /// Notes how an exchange went, where the limit depends on it.
    func note(_ operation: Operation, isDrop: Bool) {
        guard let permits = operation.slice.batch.permits, permits.isAdaptive else { return }
        operation.sample = Sample(roundTrip: .now - operation.issued, isDrop: isDrop, inFlight: operation.inFlight)
    }

    // MARK: Settings

    /// Takes over settings that changed; costs one load when none did.
    func refreshSettings() {
        let version = context.settingsVersion.load(ordering: .acquiring)
        guard version != settingsVersion else { return }
        settingsVersion = version
        let previous = settings
        settings = context.settings
        if settings.lookupTimeout != previous.lookupTimeout { makeTemplates() }
    }

    private func makeTemplates() {
        templates = context.servers.addresses.map {
            HandleTemplate(Handle(server: $0, timeout: settings.lookupTimeout))
        }
    }
}
