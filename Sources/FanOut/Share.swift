internal import Limits

/// A lane's part of one batch.
final class Share {
    let batch: Batch
    /// Operations of this lane that hold a permit.
    var inFlight = 0
    /// Operations that are looked at again once the batch is issued whole.
    var postponed: [Operation.Token] = []
    /// Keys whose records are to be read from the store and set back.
    var toStore: [Int] = []

    /// Whether its limit bounds what is in flight.
    let isLimited: Bool

    init(_ batch: Batch) {
        self.batch = batch
        isLimited = batch.limiter.bound != nil
    }

    /// The most permits this lane takes, so that one lane does not hold them all.
    var cap: Int {
        batch.limiter.bound.map { ($0 + batch.lanes - 1) / batch.lanes } ?? .max
    }

    /// Whether replies wait: without a limit a batch is issued whole before any of it is
    /// collected, which is what holds all of it in flight at once.
    var defersReplies: Bool { !isLimited && !batch.isIssued }

    var hasWorkToIssue: Bool { !toStore.isEmpty || batch.hasUnclaimed }
}
