package import LoadGenerator
package import PostRecords
package import Text

/// What happened in one phase.
package struct PhaseResult: Codable, Sendable {
    /// Dials to memcached in the phase.
    package struct Dials: Codable, Sendable {
        package var ok: Int
        package var failed: Int
        /// What the arithmetic says `ok` should be; nil where it cannot be predicted.
        @ExplicitNull package var expected: Int?
        /// How ``expected`` comes about, or why it is nil.
        package var reasoning: String

        package init(
            ok: Int,
            failed: Int,
            expected: Int? = nil,
            reasoning: String
        ) {
            self.ok = ok
            self.failed = failed
            self.expected = expected
            self.reasoning = reasoning
        }
    }

    /// When ports ran out in the phase: predicted, and measured.
    package struct Exhaustion: Codable, Sendable {
        /// Seconds from the beginning of the phase, as a simulation of its batches has it; nil when it has no end of
        /// the ports, or cannot tell.
        package var predicted: Double?
        /// The same as it was seen, twice a second; nil when it did not happen.
        package var measured: Double?

        package init(
            predicted: Double? = nil,
            measured: Double? = nil
        ) {
            self.predicted = predicted
            self.measured = measured
        }
    }

    /// An expectation of the phase, the value measured, and whether it held.
    package struct Observation: Codable, Sendable {
        package var text: String
        package var observed: String
        package var pass: Bool

        package init(
            text: String,
            observed: String,
            pass: Bool
        ) {
            self.text = text
            self.observed = observed
            self.pass = pass
        }
    }

    package var name: String
    package var title: String
    /// Seconds since the first phase began.
    package var start: Double
    /// In seconds.
    package var duration: Double
    package var settings: SettingsDocument
    package var lookups: CounterSnapshot.Lookups
    package var dials: Dials
    /// When the ports of one address ran out; nil where that was neither predicted nor happened.
    package var exhaustion: Exhaustion?
    package var writeBacks: CounterSnapshot.WriteBacks
    package var inFlightPeak: Int
    /// TIME_WAIT sockets towards memcached, from any source address.
    package var timeWaitPeak: Int
    /// Ports the busiest source address held at once.
    package var portsInUsePeak: Int
    /// Ports one source address has.
    package var portsCapacity: Int
    package var clients: [ClientResult]
    /// Of the server; nil when it was never seen.
    @ExplicitNull package var threadsPeak: Int?
    @ExplicitNull package var rssPeakBytes: Int?
    package var logLines: CounterSnapshot.LogLines
    package var restarts: Int
    /// Batches the server did not look up, by the guard that refused them.
    package var refusals: [String: Int]
    package var expectations: [Observation]

    package init(
        name: String,
        title: String,
        start: Double,
        duration: Double,
        settings: SettingsDocument,
        lookups: CounterSnapshot.Lookups,
        dials: Dials,
        exhaustion: Exhaustion? = nil,
        writeBacks: CounterSnapshot.WriteBacks,
        inFlightPeak: Int,
        timeWaitPeak: Int,
        portsInUsePeak: Int,
        portsCapacity: Int,
        clients: [ClientResult],
        threadsPeak: Int?,
        rssPeakBytes: Int?,
        logLines: CounterSnapshot.LogLines,
        restarts: Int,
        refusals: [String: Int],
        expectations: [Observation]
    ) {
        self.name = name
        self.title = title
        self.start = start
        self.duration = duration
        self.settings = settings
        self.lookups = lookups
        self.dials = dials
        self.exhaustion = exhaustion
        self.writeBacks = writeBacks
        self.inFlightPeak = inFlightPeak
        self.timeWaitPeak = timeWaitPeak
        self.portsInUsePeak = portsInUsePeak
        self.portsCapacity = portsCapacity
        self.clients = clients
        self.threadsPeak = threadsPeak
        self.rssPeakBytes = rssPeakBytes
        self.logLines = logLines
        self.restarts = restarts
        self.refusals = refusals
        self.expectations = expectations
    }
}
