package import Memcached
package import Telemetry

/// What the engine counted since it started. Each key of a batch is one lookup and ends as
/// exactly one of hit, miss, unreadable value and error, however often it was tried; write-backs and dials are counted
/// for themselves, each attempt a dial of its own.
package final class FanOutCounters: Sendable {
    /// A failure by the step that failed and the name it goes by.
    package struct Failure: Hashable, Sendable {
        package var step: MemcachedError.Step
        package var name: String

        init(_ error: MemcachedError) {
            step = error.step
            name = error.name
        }
    }

    /// A dial that failed, by the name of its dialer.
    package struct DialFailure: Hashable, Sendable {
        package var dialer: String
        package var failure: Failure

        init(_ dialer: String, _ error: MemcachedError) {
            self.dialer = dialer
            failure = Failure(error)
        }
    }

    package let hits = Counter()
    package let misses = Counter()
    package let unreadable = Counter()
    package let errors = CounterFamily<Failure>()
    /// Further attempts of lookups whose dial or connection failed: each stands for a failure that is not among ``errors``.
    package let retries = Counter()
    /// Keys that were not looked up, as their batch had them before: with the lookups they are all that was asked for.
    package let duplicates = Counter()
    package let writeBacks = Counter()
    package let writeBackErrors = CounterFamily<Failure>()
    /// Connections established, by the name of the dialer, and dials that failed. memcached's total_connections moves with the first.
    package let dials = CounterFamily<String>()
    package let dialErrors = CounterFamily<DialFailure>()
    /// Lookups issued and not yet answered.
    package let inFlight = PeakGauge()
    package let batches = Counter()
    /// Batches that were not looked up.
    package let refusals = CounterFamily<Overload.Reason>()

    /// Lookups that have ended.
    package var lookups: Int { hits.value + misses.value + unreadable.value + errors.total }
}
