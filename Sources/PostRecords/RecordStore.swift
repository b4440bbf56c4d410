internal import FanOut
package import POSIX
internal import Synchronization

/// Stands in for the database behind the cache: every URI has a post, read after a set latency by
/// at most so many reads at once. It computes when a read will be done; no thread waits for it.
package final class RecordStore: BackingStore {
    /// When each of its readers is free again. They serve in turn: while one latency holds for
    /// all reads, the reader that has been busy longest is the first to be free.
    struct Readers {
        private var freeAt: [MonotonicInstant]
        private var next = 0
        var latency: Duration

        init(count: Int, latency: Duration) {
            freeAt = Array(repeating: MonotonicInstant(nanoseconds: 0), count: count)
            self.latency = latency
        }

        /// When a read asked for now is done.
        mutating func schedule(at now: MonotonicInstant) -> MonotonicInstant {
            let done = max(now, freeAt[next]) + latency
            freeAt[next] = done
            next = (next + 1) % freeAt.count
            return done
        }
    }

    private let readers: Mutex<Readers>

    /// - Parameters:
    ///   - latency: of each read, zero or more.
    ///   - concurrency: reads at once, 1 or more; further ones queue.
    package init(latency: Duration, concurrency: Int) {
        readers = Mutex(Readers(count: concurrency, latency: latency))
    }

    /// Changes how long each read takes from now on.
    package func set(latency: Duration) {
        readers.withLock { $0.latency = latency }
    }

    /// When a query that begins now is answered.
    package func schedule(at now: MonotonicInstant) -> MonotonicInstant {
        readers.withLock { $0.schedule(at: now) }
    }

    /// The record of a post, encoded as memcached holds it.
    package func value(for key: String) -> [UInt8] {
        SyntheticPost.cacheValue(for: key)
    }
}
