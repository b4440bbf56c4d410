internal import Limits
package import Memcached
package import POSIX
internal import Synchronization
package import Telemetry

/// Looks batches of keys up in memcached: a few lanes, any number of lookups in flight.
package final class FanOutEngine: Sendable {
    private struct Shared {
        /// The limit in force.
        var limiter: Limiter
        var nextLane = 0
    }

    private let context: LaneContext
    private let lanes: [Lane]
    private let shared: Mutex<Shared>
    private let queue = AdmissionQueue()

    /// Starts the lanes' threads.
    /// - Parameters:
    ///   - lanes: threads that issue and collect, 1 or more.
    ///   - store: where misses are answered from; nil leaves them missing.
    ///   - isReadable: whether a value out of memcached is a record; called on lanes, for each.
    ///   - messages: what the log says of lookups and write-backs that failed.
    /// - Throws: ``SystemCallError`` when a thread or its poller cannot be made; none is left then.
    package convenience init(
        servers: ServerList,
        settings: FanOutSettings,
        lanes count: Int,
        store: (any BackingStore)?,
        errorPolicy: ErrorPolicy,
        log: ErrorLog,
        messages: FailureMessages,
        isReadable: @escaping @Sendable (UnsafeRawBufferPointer) -> Bool = { _ in true }
    ) throws(SystemCallError) {
        let context = LaneContext(
            servers: servers,
            settings: settings,
            store: store,
            errorPolicy: errorPolicy,
            log: log,
            messages: messages,
            isReadable: isReadable
        )
        try self.init(context, lanes: count) { lane throws(SystemCallError) in
            try Thread(name: "lane-\(lane.index)") { lane.run() }.detach()
        }
    }

    /// - Parameter start: runs a lane on a thread of its own.
    init(
        _ context: LaneContext,
        lanes count: Int,
        start: (Lane) throws(SystemCallError) -> Void
    ) throws(SystemCallError) {
        self.context = context
        shared = Mutex(Shared(limiter: Limiter(context.settings.limit)))
        var lanes: [Lane] = []
        for index in 0..<count { lanes.append(try Lane(index: index, context: context)) }
        self.lanes = lanes
        for (index, lane) in lanes.enumerated() {
            lane.lanes = lanes
            do throws(SystemCallError) {
                try start(lane)
            } catch {
                lane.lanes = []
                for started in lanes[..<index] { started.stop() }
                throw error
            }
        }
    }

    deinit {
        stop()
    }

    /// Threads that issue and collect.
    package var laneCount: Int { lanes.count }

    /// Where it looks keys up.
    package var servers: ServerList { context.servers }

    package var counters: FanOutCounters { context.counters }

    /// Changes take effect as ``FanOutSettings`` says.
    package var settings: FanOutSettings {
        get { context.settings }
        set {
            let surplus = context.change(to: newValue)
            if !surplus.connections.isEmpty { lanes[0].close(surplus) }
        }
    }

    /// Connections open or being dialled at this moment.
    package var openConnections: Int { context.pool.openCount }

    /// Lookups and write-backs that wait for a connection at this moment.
    package var waitingForConnection: Int { context.pool.waitingCount }

    /// Connections open and idle at this moment.
    package var idleConnections: Int { context.pool.idleCount }

    /// Looks every key up; the outcomes have the order of the keys.
    /// - Parameter account: who asked.
    /// - Throws: ``Overload`` when the limit's queue is full, or no permit came in time.
    package func lookUp(_ keys: KeyList, for account: ClientAccount) async throws(Overload) -> [Outcome] {
        let result = await withCheckedContinuation { continuation in
            lookUp(keys, for: account) { continuation.resume(returning: $0) }
        }
        return try result.get()
    }

    /// As ``lookUp(_:for:)``; `completion` is called on a lane, which waits for it, or at once on a refusal.
    /// - Parameter room: where memory for values is counted. What does not fit ends as ENOBUFS.
    /// - Returns: what cancels it; nil when it is over already.
    @discardableResult
    package func lookUp(
        _ keys: KeyList,
        for account: ClientAccount,
        room: (any MemoryRoom)? = nil,
        completion: @escaping @Sendable (Result<[Outcome], Overload>) -> Void
    ) -> LookupHandle? {
        counters.batches.add()
        guard keys.count > 0 else {
            completion(.success([]))
            return nil
        }
        let settings = settings
        if settings.dedupe, let (keys, indices) = keys.withoutDuplicates() {
            let duplicates = Duplicates(
                of: keys,
                indices: indices,
                servers: context.servers,
                account: account,
                counters: counters,
                room: room
            )
            return start(keys, for: account, settings, room: room) { completion($0.map(duplicates.expand)) }
        }
        return start(keys, for: account, settings, room: room, completion: completion)
    }

    private func start(
        _ keys: KeyList,
        for account: ClientAccount,
        _ settings: FanOutSettings,
        room: (any MemoryRoom)?,
        completion: @escaping @Sendable (Result<[Outcome], Overload>) -> Void
    ) -> LookupHandle? {
        var admission: Admission?
        if case .process(_, let rules) = settings.limit { admission = Admission(queue, rules) }
        let batch = Batch(
            keys,
            account: account,
            servers: context.servers,
            fanout: settings.fanout,
            permits: limiter(for: settings.limit).permits(),
            admission: admission,
            room: room,
            maxSlices: isCrowded(for: keys.count) ? 1 : lanes.count,
            completion: completion
        )
        let first = batch.sliceCount == 1 ? idlestLane : nextLane
        let slices = (0..<batch.sliceCount).map {
            BatchSlice(batch, on: lanes[(first + $0) % lanes.count], firstLane: first)
        }
        if let permits = batch.permits {
            let hasPermits = enter(slices, permits)
            if let admission {
                guard hasPermits ? admission.begin() : admission.wait() else {
                    refuse(slices, permits, admission.rules)
                    return nil
                }
                if !hasPermits { slices[0].refusedAt = .now + admission.rules.wait }
            }
        }
        for slice in slices { slice.lane.submit(slice) }
        return LookupHandle(slices: slices, counters: counters)
    }

    /// Gives each part of a batch a seat.
    /// - Returns: whether any got a permit.
    private func enter(_ slices: [BatchSlice], _ permits: Permits) -> Bool {
        let target = min(slices[0].cap, slices[0].batch.firstTarget)
        var hasPermits = false
        for (slice, seat) in zip(slices, permits.enter(slices, of: slices[0].batch.account.name, target: target)) {
            slice.seat = .init(number: seat.seat, permits: seat.permits, target: target)
            if seat.permits > 0 { hasPermits = true }
        }
        return hasPermits
    }

    /// As many batches as may wait already do.
    private func refuse(_ slices: [BatchSlice], _ permits: Permits, _ rules: QueueRules) {
        // A permit may have been handed to it meanwhile, and is another's then.
        var grants: [PermitLedger.Grant] = []
        for slice in slices { permits.leave(slice.seat!.number, &grants) }
        for grant in grants { grant.tell(on: nil) }
        counters.refusals.add(for: .queueFull)
        slices[0].batch.refuse(
            Overload(.queueFull, "\(rules.capacity) batches wait for the limit already; try again later")
        )
    }

    private var nextLane: Int {
        shared.withLock { shared in
            defer { shared.nextLane = (shared.nextLane + 1) % lanes.count }
            return shared.nextLane
        }
    }

    /// The lane with fewest batches.
    private var idlestLane: Int {
        let start = nextLane
        let order = lanes.indices.map { (start + $0) % lanes.count }
        return order.min { lanes[$0].batches.load(ordering: .relaxed) < lanes[$1].batches.load(ordering: .relaxed) }!
    }

    /// Whether there is so much to do that a small batch is better left to one lane: spread out, it would wake all.
    private func isCrowded(for count: Int) -> Bool {
        count <= 64 && counters.inFlight.value > 256
    }

    /// Ends the lanes' threads once their batches are done.
    package func stop() {
        for lane in lanes { lane.stop() }
    }

    /// The most lookups that may be in flight now: of a batch under `request:N`, of all together under other limits.
    package var currentBound: Int? { limiter(for: settings.limit).bound }

    /// A limit keeps its permits, and what it has learned, for as long as it is in force.
    private func limiter(for policy: LimitPolicy) -> Limiter {
        shared.withLock { shared in
            if shared.limiter.policy != policy { shared.limiter = Limiter(policy) }
            return shared.limiter
        }
    }
}
