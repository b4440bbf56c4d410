internal import FanOut
internal import KernelProbe
internal import Telemetry

/// What a server counted since it started, as `/admin/counters` gives it. The names are those of results.
package struct CounterSnapshot: Codable, Sendable, Equatable {
    /// Lookups, by their outcome.
    package struct Lookups: Codable, Sendable, Equatable {
        package var hits = 0
        package var misses = 0
        package var errors: [String: Int] = [:]
        /// Values that memcached had and that are no records.
        package var unreadable = 0
        /// Further attempts of lookups whose dial or connection failed. No outcomes: a lookup has one, its last attempt's.
        package var retries = 0
        /// URIs that were not looked up, as their batch had them before. Together with ``total`` all that was asked for.
        package var duplicates = 0

        package var failed: Int { errors.values.reduce(0, +) }
        package var total: Int { hits + misses + failed + unreadable }
    }

    /// Dials to memcached, by how they ended.
    package struct Dials: Codable, Sendable, Equatable {
        package var ok = 0
        package var failed = 0
        /// Failed dials by errno name.
        package var errors: [String: Int] = [:]
        /// The same by call and errno, as in `bind EADDRINUSE`.
        package var errorsByCall: [String: Int] = [:]
    }

    /// Records written to memcached after a miss, by how that ended.
    package struct WriteBacks: Codable, Sendable, Equatable {
        package var ok = 0
        package var errors: [String: Int] = [:]
    }

    /// Log lines, by what became of them.
    package struct LogLines: Codable, Sendable, Equatable {
        package var written = 0
        package var dropped = 0
        package var suppressed = 0
        /// Lines that a failed lookup waits for at this moment.
        package var waiting = 0
    }

    package var lookups = Lookups()
    package var dials = Dials()
    package var writeBacks = WriteBacks()
    package var logLines = LogLines()
    package var batches = 0
    /// Batches that were not looked up, by reason.
    package var refusals: [String: Int] = [:]
    /// Lookups the limit admits at once at this moment; nil without one.
    package var limit: Int?
    package var inFlight = 0
    /// The most lookups in flight since peaks were last taken.
    package var inFlightPeak = 0
    package var idleConnections = 0
    /// Threads that issue and collect lookups; nil where the server did not say.
    package var lanes: Int?
    package var threads = 0
    package var rssBytes = 0

    package init() {}

    /// - Parameter takePeaks: whether peaks start over.
    init(_ engine: FanOutEngine, log: ErrorLog, takePeaks: Bool) {
        let counters = engine.counters
        lookups.hits = counters.hits.value
        lookups.misses = counters.misses.value
        lookups.unreadable = counters.unreadable.value
        lookups.retries = counters.retries.value
        lookups.duplicates = counters.duplicates.value
        lookups.errors = Self.byName(counters.errors.values.map { ($0.key, $0.value) })
        dials.ok = counters.dials.total
        dials.errors = Self.byName(counters.dialErrors.values.map { ($0.key.failure, $0.value) })
        dials.errorsByCall = Dictionary(
            counters.dialErrors.values.map { ("\($0.key.failure.step) \($0.key.failure.name)", $0.value) },
            uniquingKeysWith: +
        )
        dials.failed = dials.errors.values.reduce(0, +)
        writeBacks.ok = counters.writeBacks.value
        writeBacks.errors = Self.byName(counters.writeBackErrors.values.map { ($0.key, $0.value) })
        logLines.written = log.counts.written.value
        logLines.dropped = log.counts.dropped.value
        logLines.suppressed = log.counts.suppressed.value
        logLines.waiting = log.counts.waiting.value
        batches = counters.batches.value
        refusals = Dictionary(
            counters.refusals.values.map { ($0.key.rawValue, $0.value) },
            uniquingKeysWith: +
        )
        limit = engine.currentBound
        inFlight = counters.inFlight.value
        inFlightPeak = takePeaks ? counters.inFlight.takePeak() : counters.inFlight.peak
        idleConnections = engine.idleConnections
        lanes = engine.laneCount
        let status = try? ProcessStatus.read()
        threads = status?.threads ?? 0
        rssBytes = status?.residentBytes ?? 0
    }

    /// The figures that only grow while a process lives; all others are levels and peaks.
    private static let counts: [any WritableKeyPath<CounterSnapshot, Int> & Sendable] = [
        \.lookups.hits, \.lookups.misses, \.lookups.unreadable, \.lookups.retries, \.lookups.duplicates, \.dials.ok,
        \.dials.failed, \.writeBacks.ok,
        \.logLines.written,
        \.logLines.dropped, \.logLines.suppressed, \.batches,
    ]

    /// The same by name.
    private static let countsByName: [any WritableKeyPath<CounterSnapshot, [String: Int]> & Sendable] = [
        \.lookups.errors, \.dials.errors, \.dials.errorsByCall, \.writeBacks.errors, \.refusals,
    ]

    /// The counts of a process that has ended and of the one after it together; levels are the later one's.
    package func adding(_ later: CounterSnapshot) -> CounterSnapshot {
        var sum = later
        for count in Self.counts { sum[keyPath: count] += self[keyPath: count] }
        for counts in Self.countsByName { sum[keyPath: counts].merge(self[keyPath: counts], uniquingKeysWith: +) }
        sum.inFlightPeak = max(inFlightPeak, later.inFlightPeak)
        return sum
    }

    /// What was counted since an earlier snapshot; levels and peaks are this one's.
    package func change(since earlier: CounterSnapshot) -> CounterSnapshot {
        var change = self
        for count in Self.counts { change[keyPath: count] -= earlier[keyPath: count] }
        for counts in Self.countsByName {
            let negated = earlier[keyPath: counts].mapValues { -$0 }
            change[keyPath: counts] = self[keyPath: counts].merging(negated, uniquingKeysWith: +)
                .filter { $0.value != 0 }
        }
        return change
    }

    private static func byName(_ failures: [(FanOutCounters.Failure, Int)]) -> [String: Int] {
        Dictionary(failures.map { ($0.name, $1) }, uniquingKeysWith: +)
    }
}

extension CounterSnapshot.Lookups {
    /// As written by this version or one before it, which counted values it could not read as hits.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        hits = try fields.decode(Int.self, forKey: .hits)
        misses = try fields.decode(Int.self, forKey: .misses)
        errors = try fields.decode([String: Int].self, forKey: .errors)
        unreadable = try fields.decodeIfPresent(Int.self, forKey: .unreadable) ?? 0
        // Before, no lookup was tried again, and no duplicate left out.
        retries = try fields.decodeIfPresent(Int.self, forKey: .retries) ?? 0
        duplicates = try fields.decodeIfPresent(Int.self, forKey: .duplicates) ?? 0
    }
}

extension CounterSnapshot.Dials {
    /// As written by this version or one before it, which did not tell calls apart.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        ok = try fields.decode(Int.self, forKey: .ok)
        failed = try fields.decode(Int.self, forKey: .failed)
        errors = try fields.decode([String: Int].self, forKey: .errors)
        errorsByCall = try fields.decodeIfPresent([String: Int].self, forKey: .errorsByCall) ?? [:]
    }
}
