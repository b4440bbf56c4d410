internal import FanOut
internal import KernelProbe
internal import Telemetry

/// What a server counted since it started, as `/admin/counters` gives it. The names are those of results.
package struct CounterSnapshot: Codable, Sendable, Equatable {
    package struct Lookups: Codable, Sendable, Equatable {
        package var hits = 0
        package var misses = 0
        package var errors: [String: Int] = [:]

        package var failed: Int { errors.values.reduce(0, +) }
        package var total: Int { hits + misses + failed }
    }

    package struct Dials: Codable, Sendable, Equatable {
        package var ok = 0
        package var failed = 0
        /// Failed dials by errno name.
        package var errors: [String: Int] = [:]
    }

    package struct WriteBacks: Codable, Sendable, Equatable {
        package var ok = 0
        package var errors: [String: Int] = [:]
    }

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
        lookups.errors = Self.byName(counters.errors.values.map { ($0.key, $0.value) })
        dials.ok = counters.dials.total
        dials.errors = Self.byName(counters.dialErrors.values.map { ($0.key.failure, $0.value) })
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

    /// The counts of a process that has ended and of the one after it together; levels are the later one's.
    package func adding(_ later: CounterSnapshot) -> CounterSnapshot {
        var sum = later
        sum.lookups.hits += lookups.hits
        sum.lookups.misses += lookups.misses
        sum.lookups.errors.merge(lookups.errors, uniquingKeysWith: +)
        sum.dials.ok += dials.ok
        sum.dials.failed += dials.failed
        sum.dials.errors.merge(dials.errors, uniquingKeysWith: +)
        sum.writeBacks.ok += writeBacks.ok
        sum.writeBacks.errors.merge(writeBacks.errors, uniquingKeysWith: +)
        sum.logLines.written += logLines.written
        sum.logLines.dropped += logLines.dropped
        sum.logLines.suppressed += logLines.suppressed
        sum.batches += batches
        sum.refusals.merge(refusals, uniquingKeysWith: +)
        sum.inFlightPeak = max(inFlightPeak, later.inFlightPeak)
        return sum
    }

    /// What was counted since an earlier snapshot; levels and peaks are this one's.
    package func change(since earlier: CounterSnapshot) -> CounterSnapshot {
        func difference(_ path: KeyPath<CounterSnapshot, [String: Int]>) -> [String: Int] {
            self[keyPath: path].merging(earlier[keyPath: path]) { $0 - $1 }.filter { $0.value != 0 }
        }
        var change = self
        change.lookups.hits -= earlier.lookups.hits
        change.lookups.misses -= earlier.lookups.misses
        change.lookups.errors = difference(\.lookups.errors)
        change.dials.ok -= earlier.dials.ok
        change.dials.failed -= earlier.dials.failed
        change.dials.errors = difference(\.dials.errors)
        change.writeBacks.ok -= earlier.writeBacks.ok
        change.writeBacks.errors = difference(\.writeBacks.errors)
        change.logLines.written -= earlier.logLines.written
        change.logLines.dropped -= earlier.logLines.dropped
        change.logLines.suppressed -= earlier.logLines.suppressed
        change.batches -= earlier.batches
        change.refusals = difference(\.refusals)
        return change
    }

    private static func byName(_ failures: [(FanOutCounters.Failure, Int)]) -> [String: Int] {
        Dictionary(failures.map { ($0.name, $1) }, uniquingKeysWith: +)
    }
}
