/// How many lookups may be in flight at once, and counted over what. The setting `limit`.
package enum LimitPolicy: Sendable, Hashable {
    /// Every lookup of a batch at once: the incident's bug.
    case none
    /// At most this many for each batch, as `errgroup.SetLimit` does.
    case request(Int)
    /// At most this many in the whole process, batches served in the order they came.
    case process(Int, QueueRules)
    /// At most this many in the whole process, shared out evenly between callers.
    case fair(Int)
    case aimd(AIMD.Parameters)
    case vegas(Vegas.Parameters)
    case gradient2(Gradient2.Parameters)

    /// The number of the policy, or the most an adaptive one may come to; nil for none.
    package var bound: Int? {
        switch self {
        case .none: nil
        case .request(let number), .process(let number, _), .fair(let number): number
        case .aimd(let parameters): parameters.max
        case .vegas(let parameters): parameters.max
        case .gradient2(let parameters): parameters.max
        }
    }

    /// Whether the limit is a number that does not change.
    package var isFixed: Bool {
        switch self {
        case .none, .request, .process, .fair: true
        case .aimd, .vegas, .gradient2: false
        }
    }
}
