internal import Synchronization
internal import Telemetry
internal import Units

/// Collects what became of one client's batches.
package final class Recorder: Sendable {
    private struct State {
        var batches = 0
        var uris = 0
        var ok = 0
        var errors: [String: Int] = [:]
        var found = 0
        var empty = 0
        var latency = LatencyHistogram()
        var service = LatencyHistogram()
        /// Batches answered in time, with a post for every URI.
        var inTime = 0
        /// Latencies since the last window was taken.
        var window = LatencyHistogram()
    }

    /// What was answered in a while.
    package struct Window: Sendable {
        package var answered: Int
        /// In milliseconds; nil when nothing was answered.
        package var p50: Double?
        package var p99: Double?
    }

    package let name: String
    /// The time in which a batch should be answered; nil where none is set.
    private let slo: Duration?
    private let overlaps: BatchOverlaps?
    private let state = Mutex(State())

    /// - Parameter overlaps: of the batches of this client and others.
    package init(name: String, slo: Duration? = nil, overlaps: BatchOverlaps? = nil) {
        self.name = name
        self.slo = slo
        self.overlaps = overlaps
    }

    /// A batch is due.
    package func begin(uris: Int) {
        overlaps?.begin(uris: uris)
        state.withLock { state in
            state.batches += 1
            state.uris += uris
        }
    }

    /// A batch was answered in full.
    package func succeed(_ scan: AnswerScan, latency: Duration, service: Duration) {
        overlaps?.end()
        state.withLock { state in
            state.ok += 1
            state.found += scan.records - scan.empty
            state.empty += scan.empty
            state.latency.record(latency)
            state.window.record(latency)
            state.service.record(service)
            if let slo, latency <= slo, scan.empty == 0 { state.inTime += 1 }
        }
    }

    /// A batch was not answered as it should be.
    package func fail(_ name: String) {
        overlaps?.end()
        state.withLock { $0.errors[name, default: 0] += 1 }
    }

    /// Batches due and not yet ended.
    package var pending: Int {
        state.withLock { $0.batches - $0.ok - $0.errors.values.reduce(0, +) }
    }

    /// What was answered since this was last called.
    package func takeWindow() -> Window {
        state.withLock { state in
            let window = state.window
            state.window = LatencyHistogram()
            return Window(
                answered: window.count,
                p50: window.milliseconds(atPercentile: 50),
                p99: window.milliseconds(atPercentile: 99)
            )
        }
    }

    /// What is recorded so far.
    package var result: ClientResult {
        state.withLock { state in
            ClientResult(
                name: name,
                batches: state.batches,
                uris: state.uris,
                ok: state.ok,
                failed: state.errors.values.reduce(0, +),
                errors: state.errors,
                records: .init(found: state.found, empty: state.empty),
                slo: slo.map { .init(ms: $0.inSeconds * 1000, met: state.inTime, of: state.batches) },
                latencyMs: .init(state.latency),
                serviceMs: .init(state.service)
            )
        }
    }
}
