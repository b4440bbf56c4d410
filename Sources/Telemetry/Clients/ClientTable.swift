internal import POSIX
internal import Synchronization

/// The callers, a bounded number of them by name and the rest together as `other`.
///
/// A heavy caller must be seen at once, also when the table is full, and names that callers make up
/// must not become labels without bound: a newcomer takes the place of the caller with the fewest
/// recent URIs if it brings more than that, at most once a second. Counts of a caller that lost its
/// place go to `other`, so that sums over callers only grow.
package final class ClientTable: Sendable {
    /// Callers with a name of their own.
    package static let capacity = 32
    package static let other = "other"

    private struct State {
        var accounts: [String: ClientAccount] = [:]
        var lastReplacement: MonotonicInstant?
    }

    private let state = Mutex(State())
    private let others = ClientAccount(other)

    package init() {}

    /// The account of a caller whose batch arrives now; the batch is counted.
    package func begin(_ name: String, uris: Int) -> ClientAccount {
        let account = state.withLock { (state: inout State) -> ClientAccount in
            place(for: name, uris: uris, in: &state)
        }
        account.begin(uris: uris)
        return account
    }

    /// All accounts, those with the most recent URIs first, `other` last if it has any.
    package var ranking: [ClientAccount] {
        let named = state.withLock { Array($0.accounts.values) }
            .map { (account: $0, rate: $0.urisPerSecond) }
            .sorted { ($0.rate, $1.account.name) > ($1.rate, $0.account.name) }
            .map(\.account)
        return others.totals.batches > 0 ? named + [others] : named
    }

    private func place(for name: String, uris: Int, in state: inout State) -> ClientAccount {
        if let known = state.accounts[name] { return known }
        if name == Self.other { return others }
        if state.accounts.count >= Self.capacity {
            let now = MonotonicInstant.now
            if let last = state.lastReplacement, now - last < .seconds(1) { return others }
            let least = state.accounts.values.min { $0.urisPerSecond < $1.urisPerSecond }!
            guard least.inFlight.value == 0, least.urisPerSecond < Double(uris) else { return others }
            state.lastReplacement = now
            state.accounts[least.name] = nil
            others.merge(least)
        }
        let account = ClientAccount(name)
        state.accounts[name] = account
        return account
    }
}
