internal import Memcached
internal import Telemetry

/// A batch that is being looked up.
package struct LookupHandle: Sendable {
    let slices: [BatchSlice]
    let counters: FanOutCounters

    /// Nobody waits for it any more: what is not begun of it ends as cancelled, and what is begun goes on. May be called
    /// from any thread; completes the batch where nothing of it was begun.
    package func cancel() {
        let batch = slices[0].batch
        let keys = batch.cancelUnclaimed()
        if keys > 0 {
            let error = batch.cancellation
            counters.errors.add(keys, for: FanOutCounters.Failure(error))
            batch.account.fail(error.name, count: keys)
            batch.finish(keys)
        }
        // They have permits that are others' now, replies that waited for the batch to be issued whole, or lookups that
        // wait for a connection.
        for slice in slices { slice.lane.noteCancellation(of: slice) }
    }
}
