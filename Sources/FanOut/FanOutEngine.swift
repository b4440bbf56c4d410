internal import Dispatch
internal import Limits
package import Memcached
package import POSIX
internal import Synchronization
package import Telemetry
internal import Units

/// Looks batches of keys up in memcached: a few lanes, any number of lookups in flight.
package final class FanOutEngine: Sendable {
    private struct Shared {
        /// The limit in force, with what gives a caller its permits.
        var limit: (policy: LimitPolicy, permits: @Sendable (_ caller: String) -> any Limiter)?
        var nextLane = 0
    }

    private let context: LaneContext
    private let lanes: [Lane]
    private let shared = Mutex(Shared())
    private let queue = AdmissionQueue()

    /// Starts the lanes' threads.
    /// - Parameters:
    ///   - lanes: threads that issue and collect, 1 to 16.
    ///   - store: where misses are answered from; nil leaves them missing.
    ///   - isReadable: whether a value out of memcached is a record; called on lanes, for each.
    /// - Throws: ``SystemCallError`` when a thread or its poller cannot be made.
    package init(
        servers: ServerList,
        settings: FanOutSettings,
        lanes count: Int,
        store: (any BackingStore)?,
        errorPolicy: ErrorPolicy,
        log: ErrorLog,
        isReadable: @escaping @Sendable (UnsafeRawBufferPointer) -> Bool = { _ in true }
    ) throws(SystemCallError) {
        context = LaneContext(
            servers: servers,
            settings: settings,
            store: store,
            errorPolicy: errorPolicy,
            log: log,
            isReadable: isReadable
        )
        var lanes: [Lane] = []
        for index in 0..<count { lanes.append(try Lane(index: index, context: context)) }
        self.lanes = lanes
        for lane in lanes {
            lane.lanes = lanes
            try Thread(name: "lane-\(lane.index)") { lane.run() }.detach()
        }
    }

    package var counters: FanOutCounters { context.counters }

    /// Changes take effect as ``FanOutSettings`` says.
    package var settings: FanOutSettings {
        get { context.settings }
        set { context.settings = newValue }
    }

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

    /// As ``lookUp(_:for:)``; `completion` is called on a lane, which waits for it, or elsewhere on a refusal.
    package func lookUp(
        _ keys: KeyList,
        for account: ClientAccount,
        completion: @escaping @Sendable (Result<[Outcome], Overload>) -> Void
    ) {
        counters.batches.add()
        guard keys.count > 0 else { return completion(.success([])) }
        let settings = settings
        var admission: Admission?
        if case .process(_, let rules) = settings.limit {
            admission = queue.enter(capacity: rules.capacity)
            guard let admission else {
                counters.refusals.add(for: .queueFull)
                return completion(
                    .failure(
                        Overload(.queueFull, "\(rules.capacity) batches wait for the limit already; try again later")
                    )
                )
            }
            DispatchQueue.global().asyncAfter(deadline: .now() + rules.wait.inSeconds) {
                guard admission.refuse() else { return }
                self.counters.refusals.add(for: .queueWait)
                completion(.failure(Overload(.queueWait, "the limit admitted nothing within \(rules.wait.text)")))
            }
        }
        let batch = Batch(
            keys,
            account: account,
            servers: context.servers,
            fanout: settings.fanout,
            limiter: limiter(for: settings.limit, caller: account.name),
            admission: admission,
            maxLanes: isCrowded(for: keys.count) ? 1 : lanes.count,
            completion: { completion(.success($0)) }
        )
        let first = batch.lanes == 1 ? idlestLane : nextLane
        for offset in 0..<batch.lanes { lanes[(first + offset) % lanes.count].submit(batch) }
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
    package var currentBound: Int? {
        switch settings.limit {
        case .none: nil
        case .request(let permits): permits
        case let policy: limiter(for: policy, caller: "").bound
        }
    }

    /// A limit keeps its permits, and what it has learned, for as long as it is in force.
    private func limiter(for policy: LimitPolicy, caller: String) -> any Limiter {
        let permits = shared.withLock { shared in
            if let current = shared.limit, current.policy == policy { return current.permits }
            let permits = policy.permits()
            shared.limit = (policy, permits)
            return permits
        }
        return permits(caller)
    }
}
