package import Memcached

/// What became of one key of a batch.
package enum Outcome: Sendable {
    /// memcached had it.
    case hit([UInt8])
    /// memcached did not have it, or failed under ``ErrorPolicy/store``; the store did.
    case stored([UInt8])
    /// memcached did not have it, and there is no store.
    case missing
    /// memcached had a value that is no record.
    case unreadable
    case failed(MemcachedError)
}

/// What happens to a lookup that failed, which is not a miss.
package enum ErrorPolicy: String, Sendable, CaseIterable {
    /// Its record in the answer stays empty.
    case empty
    /// The store answers, and the record is set back, as for a miss.
    case store
}
