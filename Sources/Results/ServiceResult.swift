package import LoadGenerator
package import PostRecords
package import Text

/// What a cell of somebody's own server came to, measured from outside. What only the server knows is not in it.
package struct ServiceResult: Codable, Sendable {
    /// Connects of the service under test.
    package struct Dials: Codable, Sendable {
        /// connect() calls that found a port, of everything in the cell but the load.
        package var ok: Int
        /// Only the programs know.
        @ExplicitNull package var failed: Int?

        package init(ok: Int) {
            self.ok = ok
            failed = nil
        }
    }

    /// Of the load that is measured, in seconds.
    package var duration: Double
    package var clients: [ClientResult]
    /// Only the server knows.
    @ExplicitNull package var lookups: CounterSnapshot.Lookups?
    package var dials: Dials
    /// Ports that the busiest source address held at once, those of the load left out; nil when no sample was had.
    @ExplicitNull package var portsInUsePeak: Int?
    @ExplicitNull package var portsCapacity: Int?
    @ExplicitNull package var timeWaitPeak: Int?
    /// Ports of the busiest source address that stay in TIME_WAIT, a second. Those that connect() took again are counted
    /// anew: it does so over loopback only.
    @ExplicitNull package var timeWaitsPerSecond: Double?
    /// Of the server and all its children together.
    @ExplicitNull package var threadsPeak: Int?
    /// The same; memory that they share counts for each.
    @ExplicitNull package var rssPeakBytes: Int?
    /// Why it is not the load that was asked for; nil when it is.
    @ExplicitNull package var invalidBecause: String?

    package init(
        duration: Double,
        clients: [ClientResult],
        dials: Dials,
        portsInUsePeak: Int? = nil,
        portsCapacity: Int? = nil,
        timeWaitPeak: Int? = nil,
        timeWaitsPerSecond: Double? = nil,
        threadsPeak: Int? = nil,
        rssPeakBytes: Int? = nil,
        invalidBecause: String? = nil
    ) {
        self.duration = duration
        self.clients = clients
        lookups = nil
        self.dials = dials
        self.portsInUsePeak = portsInUsePeak
        self.portsCapacity = portsCapacity
        self.timeWaitPeak = timeWaitPeak
        self.timeWaitsPerSecond = timeWaitsPerSecond
        self.threadsPeak = threadsPeak
        self.rssPeakBytes = rssPeakBytes
        self.invalidBecause = invalidBecause
    }

    /// Whether the ports of one source address do not last: all were taken, or would be before the first come back.
    var exhaustsPorts: Bool? {
        guard let portsCapacity, let portsInUsePeak else { return nil }
        return portsInUsePeak >= portsCapacity || (timeWaitsPerSecond ?? 0) * 60 > Double(portsCapacity)
    }
}
