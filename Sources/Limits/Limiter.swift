/// A limit in force. It keeps its permits, and what it has learned, until another takes its place.
package final class Limiter: Sendable {
    package let policy: LimitPolicy
    /// Nil where nothing is limited, or each batch for itself.
    private let shared: Permits?

    package init(_ policy: LimitPolicy) {
        self.policy = policy
        shared =
            switch policy {
            case .none, .request: nil
            case .process(let count, _): Permits(count, order: .arrival)
            case .fair(let count): Permits(count, order: .fairness)
            case .aimd(let parameters): Permits(.aimd(AIMD(parameters)))
            case .vegas(let parameters): Permits(.vegas(Vegas(parameters)))
            case .gradient2(let parameters): Permits(.gradient2(Gradient2(parameters)))
            }
    }

    /// What the lookups of a new batch need a permit of; nil where they need none.
    package func permits() -> Permits? {
        if case .request(let count) = policy { return Permits(count, order: .arrival, isOfOneBatch: true) }
        return shared
    }

    /// The most permits out at once at this moment, of each batch under `request:N`; nil without a limit.
    package var bound: Int? { shared?.bound ?? policy.bound }
}
