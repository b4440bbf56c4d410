package import POSIX

/// Where records come from that memcached does not have.
package protocol BackingStore: Sendable {
    /// Queues a read and tells when it will be answered.
    func schedule(at now: MonotonicInstant) -> MonotonicInstant
    /// The value to answer with and to set back under `key`.
    func value(for key: String) -> [UInt8]
}
