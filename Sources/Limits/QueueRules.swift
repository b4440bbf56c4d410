/// How batches wait for their first permit under `process:N`.
package struct QueueRules: Sendable, Hashable {
    /// Batches that may wait; further ones are refused.
    package var capacity = 1000
    /// How long one may wait before it is refused.
    package var wait = Duration.seconds(10)

    package init() {}
}
