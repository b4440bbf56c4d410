internal import Limits

/// A lane's part of one batch.
final class Share {
    /// What the lane did that others have not been told of. Each word of it takes memory from another core's cache, so
    /// it is said for many lookups at once: see ``Lane/report(_:)``.
    struct Untold {
        /// Lookups issued, less those answered.
        var inFlight = 0
        var hits = 0
        /// Keys settled.
        var finished = 0
    }

    let batch: Batch
    /// Operations of this lane that hold a permit.
    var inFlight = 0
    /// Permits that were given back and are taken again for what is issued next.
    var spare = 0
    /// Operations that are looked at again once the batch is issued whole.
    var postponed: [Operation.Token] = []
    /// Keys whose records are to be read from the store and set back.
    var toStore: [Int] = []
    var untold = Untold()

    /// Whether its limit bounds what is in flight.
    let isLimited: Bool
    /// Whether a permit may stay with the lane while there is work: nobody else is to have it, nor to learn from it.
    let keepsPermits: Bool

    /// Units claimed and not issued yet.
    private var claimed = 0..<0
    /// Units issued of the run that was claimed last.
    private var issued = 0

    init(_ batch: Batch) {
        self.batch = batch
        isLimited = batch.limiter.bound != nil
        keepsPermits = !batch.limiter.isOrdered && !batch.limiter.wantsSamples
    }

    /// The most permits this lane takes, so that one lane does not hold them all.
    var cap: Int {
        batch.limiter.bound.map { ($0 + batch.lanes - 1) / batch.lanes } ?? .max
    }

    /// Whether replies wait: without a limit a batch is issued whole before any of it is
    /// collected, which is what holds all of it in flight at once.
    var defersReplies: Bool { !isLimited && !batch.isIssued }

    var hasWorkToIssue: Bool { !claimed.isEmpty || !toStore.isEmpty || batch.hasUnclaimed }

    /// The next unit to look up, or nil when all are taken.
    func nextUnit() -> Batch.Unit? {
        if claimed.isEmpty {
            guard let run = batch.claim() else { return nil }
            claimed = run
        }
        return batch[unit: claimed.removeFirst()]
    }

    /// The request of a unit is out, or has failed.
    /// - Returns: whether it was the last of the batch.
    func markIssued() -> Bool {
        issued += 1
        guard claimed.isEmpty else { return false }
        defer { issued = 0 }
        return batch.markIssued(issued)
    }

    /// Settles a key.
    func finish(_ key: Int, _ outcome: Outcome) {
        batch.place(outcome, of: key)
        untold.finished += 1
    }
}
