internal import Glibc
internal import Memcached
internal import Telemetry

/// Answers keys that a batch has several times from the one lookup that was made for them.
struct Duplicates: Sendable {
    /// Those that are looked up.
    private let keys: KeyList
    /// For each key of the batch as it came, its index among ``keys``.
    private let indices: [Int]
    private let servers: ServerList
    private let account: ClientAccount
    private let counters: FanOutCounters
    private let room: (any MemoryRoom)?

    init(
        of keys: KeyList,
        indices: [Int],
        servers: ServerList,
        account: ClientAccount,
        counters: FanOutCounters,
        room: (any MemoryRoom)?
    ) {
        self.keys = keys
        self.indices = indices
        self.servers = servers
        self.account = account
        self.counters = counters
        self.room = room
    }

    /// The outcomes in the order of the batch as it came. What a caller's account knows of a lookup that failed, it is
    /// told of each duplicate as well: each is one the caller got no record for.
    func expand(_ outcomes: [Outcome]) -> [Outcome] {
        var isGiven = Array(repeating: false, count: outcomes.count)
        var expanded: [Outcome] = []
        expanded.reserveCapacity(indices.count)
        for index in indices {
            expanded.append(isGiven[index] ? again(outcomes[index], of: index) : outcomes[index])
            isGiven[index] = true
        }
        counters.duplicates.add(indices.count - outcomes.count)
        return expanded
    }

    /// What an outcome is for a key that is there once more: the same, as long as there is room for it in the answer.
    private func again(_ outcome: Outcome, of index: Int) -> Outcome {
        switch outcome {
        case .hit(let bytes):
            if room.takes(bytes.count, forValueOf: bytes.count) { return outcome }
            let server = servers.addresses[servers.index(of: keys[index])]
            let error = MemcachedError(.receive, errno: ENOBUFS, server: server)
            account.fail(error.name, count: 1)
            return .failed(error)
        case .failed(let error): account.fail(error.name, count: 1)
        case .unreadable: account.findUnreadable(count: 1)
        case .stored, .missing: break
        }
        return outcome
    }
}
