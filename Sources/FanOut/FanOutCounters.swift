package import Memcached
package import Telemetry

/// What the engine counted since it started. Each key of a batch is one lookup and ends as
/// exactly one of hit, miss and error; write-backs and dials are counted for themselves.
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

    package let hits = Counter()
    package let misses = Counter()
    package let errors = CounterFamily<Failure>()
    package let writeBacks = Counter()
    package let writeBackErrors = CounterFamily<Failure>()
    /// Connections established and dials that failed. memcached's total_connections moves with the first.
    package let dials = Counter()
    package let dialErrors = CounterFamily<Failure>()
    /// Lookups issued and not yet answered.
    package let inFlight = PeakGauge()
    package let batches = Counter()
}
