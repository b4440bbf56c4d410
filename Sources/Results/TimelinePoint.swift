package import LoadGenerator

/// What was seen at one moment of a run.
package struct TimelinePoint: Codable, Sendable {
    /// A caller's figures at this point.
    package struct Client: Codable, Sendable {
        /// Batches answered since the point before.
        package var answered: Int
        /// Milliseconds; nil when none was answered.
        package var p50: Double?
        package var p99: Double?
        // Nil in results of before, as far as they are not nil for another reason.
        /// Batches that failed, or were not sent, since the point before.
        package var failed: Int?
        /// Batches answered with a record for each URI, and those of them within the SLO; that is nil without one.
        package var complete: Int?
        package var inTime: Int?
        /// Milliseconds, of complete batches, and of all that failed or lack a record; nil when there was none.
        package var completeP50: Double?
        package var completeP99: Double?
        package var incompleteP99: Double?

        package init(_ window: Recorder.Window) {
            answered = window.answered
            p50 = window.p50
            p99 = window.p99
            failed = window.failed
            complete = window.complete
            inTime = window.inTime
            completeP50 = window.completeP50
            completeP99 = window.completeP99
            incompleteP99 = window.incompleteP99
        }
    }

    /// Seconds since the first phase began.
    package var at: Double
    package var phase: String
    /// Whether the server's process was there.
    package var isUp: Bool
    /// When the ports were looked at, in the same seconds: earlier than the rest, where a look took long. Nil in results
    /// of before.
    package var portsAt: Double?
    /// Ports held by the source address that holds most.
    package var portsInUse: Int
    /// Those of them that are of open connections, and those in TIME_WAIT; nil in results of before. Ports the address
    /// holds for other destinations are in neither.
    package var portsOpen: Int?
    package var portsTimeWait: Int?
    /// TIME_WAIT sockets of all source addresses.
    package var timeWait: Int
    package var established: Int
    package var sourceAddresses: Int
    package var inFlight: Int
    /// The most since the point before; nil in results of versions that did not tell it, and while the server is down.
    package var inFlightPeak: Int?
    /// Lookups the limit admits at once; nil without one.
    package var limit: Int?
    package var threads: Int
    package var rssBytes: Int
    /// Charged to the server's cgroup, kernel memory included; nil without one.
    package var cgroupBytes: Int?
    /// Since the point before, a second.
    package var dialsPerSecond: Double
    package var lookupsPerSecond: Double
    package var errorsPerSecond: [String: Double]
    package var logLinesPerSecond: Double
    /// Error lines that failed lookups waited for.
    package var logWaiting: Int
    /// Batches due that have not ended, whether sent or not; nil in results of before.
    package var batchesPending: Int?
    package var clients: [String: Client]

    package init(
        at: Double,
        phase: String,
        isUp: Bool,
        portsAt: Double? = nil,
        portsInUse: Int,
        portsOpen: Int? = nil,
        portsTimeWait: Int? = nil,
        timeWait: Int,
        established: Int,
        sourceAddresses: Int,
        inFlight: Int,
        inFlightPeak: Int? = nil,
        limit: Int? = nil,
        threads: Int,
        rssBytes: Int,
        cgroupBytes: Int? = nil,
        dialsPerSecond: Double,
        lookupsPerSecond: Double,
        errorsPerSecond: [String: Double],
        logLinesPerSecond: Double,
        logWaiting: Int,
        batchesPending: Int? = nil,
        clients: [String: Client]
    ) {
        self.at = at
        self.phase = phase
        self.isUp = isUp
        self.portsAt = portsAt
        self.portsInUse = portsInUse
        self.portsOpen = portsOpen
        self.portsTimeWait = portsTimeWait
        self.timeWait = timeWait
        self.established = established
        self.sourceAddresses = sourceAddresses
        self.inFlight = inFlight
        self.inFlightPeak = inFlightPeak
        self.limit = limit
        self.threads = threads
        self.rssBytes = rssBytes
        self.cgroupBytes = cgroupBytes
        self.dialsPerSecond = dialsPerSecond
        self.lookupsPerSecond = lookupsPerSecond
        self.errorsPerSecond = errorsPerSecond
        self.logLinesPerSecond = logLinesPerSecond
        self.logWaiting = logWaiting
        self.batchesPending = batchesPending
        self.clients = clients
    }
}
