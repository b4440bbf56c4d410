package import Units

/// How many lookups may be in flight at once, and counted over what. The setting `limit`.
package enum LimitPolicy: Sendable, Hashable, CustomStringConvertible {
    /// Every lookup of a batch at once: the incident's bug.
    case none
    /// At most this many for each batch, as `errgroup.SetLimit` does.
    case request(Int)
    /// At most this many in the whole process, batches served in the order they came.
    case process(Int)

    /// - Throws: ``UnitTextError`` listing the accepted forms.
    package init(text: String) throws(UnitTextError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let number = parts.count == 2 ? Int(parts[1]) : nil
        switch (parts[0], number) {
        case ("none", nil) where parts.count == 1: self = .none
        case ("request", let number?) where number > 0: self = .request(number)
        case ("process", let number?) where number > 0: self = .process(number)
        default:
            throw UnitTextError(text: text, expected: "a limit: use none, request:N or process:N with N of 1 or more")
        }
    }

    package var description: String {
        switch self {
        case .none: "none"
        case .request(let number): "request:\(number)"
        case .process(let number): "process:\(number)"
        }
    }

    /// The number of the policy; nil for none.
    package var bound: Int? {
        switch self {
        case .none: nil
        case .request(let number), .process(let number): number
        }
    }
}
