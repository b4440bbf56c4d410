internal import Limits
package import Memcached
package import POSIX
internal import Synchronization
package import Telemetry

/// Looks batches of keys up in memcached: a few lanes, any number of lookups in flight.
package final class FanOutEngine: Sendable {
    private struct Shared {
        var processLimiter: (policy: LimitPolicy, limiter: any Limiter)?
        var nextLane = 0
    }

    private let context: LaneContext
    private let lanes: [Lane]
    private let shared = Mutex(Shared())

    /// Starts the lanes' threads.
    /// - Parameters:
    ///   - lanes: threads that issue and collect, 1 to 16.
    ///   - store: where misses are answered from; nil leaves them missing.
    /// - Throws: ``SystemCallError`` when a thread or its poller cannot be made.
    package init(
        servers: ServerList,
        settings: FanOutSettings,
        lanes count: Int,
        store: (any BackingStore)?,
        errorPolicy: ErrorPolicy,
        log: ErrorLog
    ) throws(SystemCallError) {
        context = LaneContext(servers: servers, settings: settings, store: store, errorPolicy: errorPolicy, log: log)
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
    package func lookUp(_ keys: KeyList, for account: ClientAccount) async -> [Outcome] {
        await withCheckedContinuation { continuation in
            lookUp(keys, for: account) { continuation.resume(returning: $0) }
        }
    }

    /// As ``lookUp(_:for:)``; `completion` is called on a lane, which waits for it.
    package func lookUp(
        _ keys: KeyList,
        for account: ClientAccount,
        completion: @escaping @Sendable ([Outcome]) -> Void
    ) {
        counters.batches.add()
        guard keys.count > 0 else { return completion([]) }
        let settings = settings
        let batch = Batch(
            keys,
            account: account,
            servers: context.servers,
            fanout: settings.fanout,
            limiter: limiter(for: settings.limit),
            maxLanes: lanes.count,
            completion: completion
        )
        let first = shared.withLock { shared in
            defer { shared.nextLane = (shared.nextLane + 1) % lanes.count }
            return shared.nextLane
        }
        for offset in 0..<batch.lanes { lanes[(first + offset) % lanes.count].submit(batch) }
    }

    /// Ends the lanes' threads once their batches are done.
    package func stop() {
        for lane in lanes { lane.stop() }
    }

    /// A limit on requests counts for each batch anew; a limit on the process is one for all.
    private func limiter(for policy: LimitPolicy) -> any Limiter {
        switch policy {
        case .none: return Unlimited()
        case .request(let permits): return PermitCount(permits: permits)
        case .process(let permits):
            return shared.withLock { shared in
                if let current = shared.processLimiter, current.policy == policy { return current.limiter }
                let limiter = PermitCount(permits: permits)
                shared.processLimiter = (policy, limiter)
                return limiter
            }
        }
    }
}
