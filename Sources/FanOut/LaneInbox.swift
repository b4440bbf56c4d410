internal import Memcached
internal import Synchronization

/// What other threads have for a lane.
final class LaneInbox: Sendable {
    struct Content: Sendable {
        var submitted: [BatchSlice] = []
        /// Permits that a slice waited for.
        var grants: [(slice: BatchSlice, permits: Int)] = []
        /// Batches that became something on another lane: issued whole, or refused.
        var changed: [Batch] = []
        /// Slices whose batch has been cancelled.
        var cancelled: [BatchSlice] = []
        /// Operations whose error lines have been written.
        var logged: [OperationToken] = []
        /// Connections that operations waited for.
        var turns: [ConnectionTurn] = []
        /// Connections to close.
        var surplus: [Pool.Surplus] = []

        var isEmpty: Bool {
            submitted.isEmpty && grants.isEmpty && changed.isEmpty && cancelled.isEmpty && logged.isEmpty
                && turns.isEmpty && surplus.isEmpty
        }
    }

    private let content = Mutex(Content())

    /// Adds to what is there.
    /// - Returns: whether nothing was, so that the lane may be asleep and is to be woken.
    func add(_ change: (inout Content) -> Void) -> Bool {
        content.withLock { content in
            let wasEmpty = content.isEmpty
            change(&content)
            return wasEmpty
        }
    }

    func takeAll() -> Content {
        content.withLock { content in
            defer { content = Content() }
            return content
        }
    }
}
