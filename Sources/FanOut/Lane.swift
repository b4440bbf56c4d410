internal import Limits
internal import Memcached
internal import POSIX
internal import Synchronization
internal import Units

/// One thread that keeps any number of lookups in flight: it issues requests without waiting,
/// and collects replies as their sockets become readable.
///
/// Unchecked: `inbox`, `stopping`, `batches` and `poller` are safe from any thread, `lanes` is set before the thread
/// starts and never again, and all else that changes belongs to the lane's own thread.
final class Lane: @unchecked Sendable {
    /// Requests issued for one batch before the lane looks for replies and at other batches.
    private static let quantum = 64
    /// The same for all batches under a limit together.
    private static let limitedQuantum = 16
    /// The same in time, for dials that fail slowly: a bind() that finds no port scans them all.
    private static let quantumTime = Duration.milliseconds(2)

    let index: Int
    let context: LaneContext
    let poller: Poller
    private struct Inbox {
        var batches: [Batch] = []
        /// Tokens of operations whose error lines have been written.
        var logged: [UInt64] = []
    }

    private let inbox = Mutex(Inbox())
    private let stopping = Atomic<Bool>(false)
    /// Batches it has a part of.
    let batches = Atomic<Int>(0)
    /// The lanes by index; set once, before the thread starts.
    var lanes: [Lane] = []

    var settings: FanOutSettings
    private var settingsVersion: Int
    private(set) var templates: [HandleTemplate] = []
    var shares: [Share] = []
    var deadlines = DeadlineQueue()
    let scratch = RequestScratch()
    let received = ReplyBuffer()
    private var operations: [Operation] = []
    private var ended: [Operation] = []
    var users = ConnectionUsers()
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

    func submit(_ batch: Batch) {
        batches.add(1, ordering: .relaxed)
        inbox.withLock { $0.batches.append(batch) }
        poller.wake()
    }

    /// The error lines of an operation are out.
    func markLogged(_ token: Operation.Token) {
        let isFirst = inbox.withLock { inbox in
            inbox.logged.append(token.rawValue)
            return inbox.logged.count == 1
        }
        if isFirst { poller.wake() }
    }

    func stop() {
        stopping.store(true, ordering: .releasing)
        poller.wake()
    }

    // MARK: The lane's thread

    func run() {
        while true {
            let arrived = inbox.withLock { inbox in
                defer { inbox = Inbox() }
                return inbox
            }
            shares += arrived.batches.map { Share($0) }
            for token in arrived.logged { settle(Operation.Token(token)!) }
            if shares.isEmpty, stopping.load(ordering: .acquiring) { return }
            let more = issue(quantum: Self.quantum)
            // What is collected may be more to issue: a miss is read from the store.
            let collected = collectPostponed()
            poller.wait(until: more || collected ? .now : deadlines.next) { react(to: $0) }
            expire()
            for share in shares { report(share) }
            let count = shares.count
            shares.removeAll { share in
                guard share.inFlight == 0, !share.hasWorkToIssue else { return false }
                giveBackSpare(of: share)
                return true
            }
            if shares.count < count {
                batches.subtract(count - shares.count, ordering: .relaxed)
                // One that was refused may have been the one that others gave way to.
                wakeThoseWaiting()
            }
        }
    }

    /// Issues what the limits admit, batches in the order they came.
    /// - Returns: whether work was left only because the quantum was over.
    @discardableResult
    func issue(quantum: Int) -> Bool {
        var more = false
        // Limited batches have one quantum together, the oldest first: what is in flight is to come back, and with it
        // its connections, before more is dialled for others.
        var issuedLimited = 0
        for share in shares {
            guard share.hasWorkToIssue else {
                giveBackSpare(of: share)
                continue
            }
            // One request alone needs no clock.
            let end = quantum > 1 ? MonotonicInstant.now + Self.quantumTime : nil
            let quantum = share.isLimited ? min(quantum, Self.limitedQuantum) : quantum
            var issued = share.isLimited ? issuedLimited : 0
            defer { if share.isLimited { issuedLimited = issued } }
            let cap = share.cap
            while share.hasWorkToIssue, share.inFlight < cap {
                if issued >= quantum || end.map({ $0 < .now }) ?? false {
                    more = true
                    break
                }
                guard acquire(for: share) else {
                    // Another lane may have taken the last of it meanwhile.
                    if !share.hasWorkToIssue { share.batch.limiter.withdraw() }
                    break
                }
                share.inFlight += 1
                guard startNext(of: share) else {
                    returnPermit(of: share, nil)
                    break
                }
                issued += 1
                if !share.hasWorkToIssue { share.batch.limiter.withdraw() }
            }
            reportInFlight(share)
        }
        return more
    }

    private func startNext(of share: Share) -> Bool {
        if let key = share.toStore.popLast() {
            startRead(of: key, for: share)
        } else if let unit = share.nextUnit() {
            startGet(of: unit, for: share)
        } else {
            return false
        }
        return true
    }

    private func react(to event: Poller.Event) {
        let operation =
            if let token = Operation.Token(event.token) { operation(token) } else { users.user(event.token) }
        guard let operation else { return }
        switch operation.phase {
        case .dialling(let pending): continueDial(operation, pending)
        case .awaiting(let connection):
            if operation.share.defersReplies {
                postpone(operation, connection)
            } else {
                collect(operation, connection)
                // The connection just put back is the one the next lookup takes.
                issue(quantum: 1)
            }
        case .starting, .answered, .logging, .ended: break
        }
    }

    /// Leaves a reply where it is until its batch is issued whole.
    func postpone(_ operation: Operation, _ connection: Connection) {
        // A request that is not sent whole has no reply to wait with.
        guard connection.unsent.isEmpty else { return collect(operation, connection) }
        operation.phase = .answered(connection)
        operation.share.postponed.append(operation.token)
    }

    /// Collects what waited for its batch to be issued whole. Connections that the pool has no room for are closed
    /// when all is collected, so that an answer does not wait for thousands of them to be closed.
    /// - Returns: whether there was any.
    private func collectPostponed() -> Bool {
        var collected = false
        for share in shares where !share.postponed.isEmpty && !share.defersReplies {
            collected = true
            let tokens = share.postponed
            share.postponed = []
            var connections: [Connection] = []
            connections.reserveCapacity(tokens.count)
            for token in tokens {
                guard let operation = operation(token) else { continue }
                switch operation.phase {
                case .awaiting(let connection), .answered(let connection):
                    connections.append(connection)
                    collect(operation, connection)
                case .starting, .dialling, .logging, .ended: break
                }
            }
            withExtendedLifetime(connections) {}
        }
        return collected
    }

    private func expire() {
        let now = MonotonicInstant.now
        while let token = deadlines.takeDue(at: now) {
            guard let operation = operation(token) else { continue }
            switch operation.phase {
            case .starting: startSet(operation)
            case .dialling(let pending): failDial(operation, pending)
            case .awaiting(let connection): giveUp(operation, connection)
            case .answered, .logging, .ended: break
            }
        }
    }

    // MARK: Operations

    func begin(_ share: Share, _ work: Operation.Work) -> Operation {
        if let operation = ended.popLast() {
            operation.begin(share, work)
            return operation
        }
        let operation = Operation(slot: operations.count, share, work)
        operations.append(operation)
        return operation
    }

    /// The operation a token names, unless it has ended.
    func operation(_ token: Operation.Token) -> Operation? {
        let operation = operations[token.slot]
        return operation.token.rawValue == token.rawValue ? operation : nil
    }

    /// Ends an operation and gives its permit back.
    func end(_ operation: Operation) {
        let share = operation.share!
        let sample = operation.sample
        release(operation)
        operation.end()
        ended.append(operation)
        returnPermit(of: share, sample)
    }

    /// Lets go of the connection it used.
    func release(_ operation: Operation) {
        switch operation.phase {
        case .awaiting(let connection), .answered(let connection): users.remove(connection)
        case .starting, .dialling, .logging, .ended: break
        }
    }

    /// Notes how an exchange went, where the limit depends on it.
    func note(_ operation: Operation, isDrop: Bool) {
        guard operation.share.batch.limiter.wantsSamples else { return }
        operation.sample = Sample(roundTrip: .now - operation.issued, isDrop: isDrop)
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

/// A handle the lane copies for each dial, boxed so that it can stand in an array.
final class HandleTemplate {
    let handle: Handle

    init(_ handle: consuming Handle) {
        self.handle = handle
    }
}
