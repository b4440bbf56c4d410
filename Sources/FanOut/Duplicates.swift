internal import Memcached
internal import Telemetry

/// Answers keys that a batch has several times from the one lookup that was made for them.
struct Duplicates: Sendable {
    /// For each key of the batch as it came, its index among those that are looked up.
    let indices: [Int]
    let account: ClientAccount
    let counters: FanOutCounters

    /// The outcomes in the order of the batch as it came. What a caller's account knows of a lookup that failed, it is
    /// told of each duplicate as well: each is one the caller got no record for.
    func expand(_ outcomes: [Outcome]) -> [Outcome] {
        var isGiven = Array(repeating: false, count: outcomes.count)
        var expanded: [Outcome] = []
        expanded.reserveCapacity(indices.count)
        for index in indices {
            expanded.append(outcomes[index])
            if isGiven[index] {
                switch outcomes[index] {
                case .failed(let error): account.fail(error.name, count: 1)
                case .unreadable: account.findUnreadable(count: 1)
                case .hit, .stored, .missing: break
                }
            }
            isGiven[index] = true
        }
        counters.duplicates.add(indices.count - outcomes.count)
        return expanded
    }
}
