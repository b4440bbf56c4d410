internal import POSIX
internal import Synchronization
internal import Units

/// What one caller asked for and got.
package final class ClientAccount: Sendable {
    /// What a caller asked for and got, since the start.
    package struct Totals: Sendable, Equatable {
        package var batches = 0
        package var uris = 0
        package var ok = 0
        /// Failed lookups by the name of their error.
        package var errors: [String: Int] = [:]
        /// Lookups whose value could not be read.
        package var unreadable = 0
        package var sizes = BucketHistogram.batchSizes
        /// In seconds.
        package var latencies = BucketHistogram.latencies

        package var failed: Int { errors.values.reduce(0, +) }

        mutating func add(_ other: Totals) {
            batches += other.batches
            uris += other.uris
            ok += other.ok
            errors.merge(other.errors, uniquingKeysWith: +)
            unreadable += other.unreadable
            sizes.add(other.sizes)
            latencies.add(other.latencies)
        }
    }

    private struct State {
        var totals = Totals()
        var recent: RecentCount
        let began: MonotonicInstant
        /// Who counts for this account since it was given up.
        var mergedInto: ClientAccount?
    }

    package let name: String
    /// Lookups issued and not yet answered.
    package let inFlight = PeakGauge()
    /// URIs of batches that are not answered yet.
    package let outstanding = PeakGauge()
    private let state: Mutex<State>

    package init(_ name: String) {
        self.name = name
        let now = MonotonicInstant.now
        state = Mutex(State(recent: RecentCount(at: now), began: now))
    }

    package var totals: Totals { state.withLock { $0.totals } }

    /// URIs asked for in the last ten seconds, a second; over the time since its first batch where that is less.
    package var urisPerSecond: Double {
        state.withLock { state in
            let now = MonotonicInstant.now
            let age = min(Double(RecentCount.seconds), max(1, (now - state.began).inSeconds))
            return Double(state.recent.total(at: now)) / age
        }
    }

    /// A batch of it has arrived.
    package func begin(uris: Int) {
        let mergedInto = state.withLock { state -> ClientAccount? in
            if let mergedInto = state.mergedInto { return mergedInto }
            state.totals.batches += 1
            state.totals.uris += uris
            state.totals.sizes.record(Double(uris))
            state.recent.add(uris, at: .now)
            return nil
        }
        mergedInto?.begin(uris: uris)
    }

    /// Lookups of it failed.
    package func fail(_ error: String, count: Int) {
        let mergedInto = state.withLock { state -> ClientAccount? in
            if let mergedInto = state.mergedInto { return mergedInto }
            state.totals.errors[error, default: 0] += count
            return nil
        }
        mergedInto?.fail(error, count: count)
    }

    /// Values it asked for are there, and cannot be read.
    package func findUnreadable(count: Int) {
        let mergedInto = state.withLock { state -> ClientAccount? in
            if let mergedInto = state.mergedInto { return mergedInto }
            state.totals.unreadable += count
            return nil
        }
        mergedInto?.findUnreadable(count: count)
    }

    /// A batch of it is answered.
    /// - Parameter ok: lookups that ended as a hit or a miss.
    package func finish(ok: Int, latency: Duration) {
        let mergedInto = state.withLock { state -> ClientAccount? in
            if let mergedInto = state.mergedInto { return mergedInto }
            state.totals.ok += ok
            state.totals.latencies.record(latency.inSeconds)
            return nil
        }
        mergedInto?.finish(ok: ok, latency: latency)
    }

    /// Takes over what an account counted that is given up, and what it would still count.
    func merge(_ other: ClientAccount) {
        let totals = other.state.withLock { state in
            state.mergedInto = self
            return state.totals
        }
        state.withLock { $0.totals.add(totals) }
    }
}
