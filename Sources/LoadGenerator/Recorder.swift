internal import Synchronization
internal import Telemetry

/// Collects what became of one client's batches. A batch is recorded where it was due, even if it
/// ends later.
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
    }

    package let name: String
    private let state = Mutex(State())

    package init(name: String) {
        self.name = name
    }

    /// A batch is due.
    func begin(uris: Int) {
        state.withLock { state in
            state.batches += 1
            state.uris += uris
        }
    }

    /// A batch was answered in full.
    func succeed(_ scan: AnswerScan, latency: Duration, service: Duration) {
        state.withLock { state in
            state.ok += 1
            state.found += scan.records - scan.empty
            state.empty += scan.empty
            state.latency.record(latency)
            state.service.record(service)
        }
    }

    /// A batch was not answered as it should be.
    func fail(_ name: String) {
        state.withLock { $0.errors[name, default: 0] += 1 }
    }

    /// Batches due and not yet ended.
    package var pending: Int {
        state.withLock { $0.batches - $0.ok - $0.errors.values.reduce(0, +) }
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
                latencyMs: .init(state.latency),
                serviceMs: .init(state.service)
            )
        }
    }
}
