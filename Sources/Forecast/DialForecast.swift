/// How many dials should succeed in a phase, from what was asked and the rules of pool and ports alone.
package struct DialForecast {
    /// How many batches there were of each size, for each client.
    package var clients: [[Int: Int]]
    package var maxIdle: Int
    /// Lookups of one batch that may be in flight at once; nil without a limit.
    package var limit: Int?
    /// Connections idle when the phase began.
    package var idle: Int
    /// Ports still free for the dialer's one source address; nil when it has many.
    package var freePorts: Int?
    /// Dials that failed.
    package var failed: Int

    package init(clients: [[Int: Int]], maxIdle: Int, limit: Int?, idle: Int, freePorts: Int?, failed: Int) {
        self.clients = clients
        self.maxIdle = maxIdle
        self.limit = limit
        self.idle = idle
        self.freePorts = freePorts
        self.failed = failed
    }

    /// Whether the rules say how many. With a limit they do when as many idle connections are kept as it
    /// admits, and it makes no difference whether batches of several clients meet.
    package var applies: Bool {
        guard let limit else { return true }
        let together = clients.reduce(0) { $0 + min(limit, $1.keys.max() ?? 0) }
        return maxIdle >= limit && (together <= idle || together == min(limit, largest))
    }

    package var expected: Int { min(demand, freePorts ?? .max) }

    package var reasoning: String {
        if let freePorts, freePorts < demand { return "the free ports of one address" }
        return limit == nil
            ? "one a lookup, but \(maxIdle) a batch reused" : "what the limit needs beyond the idle ones"
    }

    private var largest: Int { clients.flatMap(\.keys).max() ?? 0 }

    private var demand: Int {
        let batchSizes = clients.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
        if let limit { return max(0, min(limit, largest) - idle) }
        // A batch is issued whole: it finds the idle connections, and dials the rest. The first one
        // finds those of the phase before.
        let beyondIdle = batchSizes.reduce(0) { $0 + max(0, $1.key - maxIdle) * $1.value }
        let tried = beyondIdle + max(0, min(maxIdle, largest) - idle)
        return freePorts == nil ? max(0, tried - failed) : tried
    }
}
