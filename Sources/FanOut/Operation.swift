internal import Limits
internal import Memcached
internal import POSIX

/// One exchange with memcached, from issue to answer, in a slot of its lane.
struct Operation {
    enum Work {
        /// Look the keys of a unit up.
        case get(Batch.Unit)
        /// Wait for the store to answer for a key; the operation then becomes a `set`.
        case read(key: Int)
        /// Set a key's record back.
        case set(key: Int, value: [UInt8])
    }

    enum Phase {
        /// The server's accept queue is full; waiting for the connection to be established.
        case dialling(PendingDial)
        /// The request is on its way.
        case awaiting(Connection)
        /// The reply is there, and is collected once the whole batch is issued.
        case answered(Connection)
        /// Waiting for the store.
        case storing
    }

    var share: Share
    var work: Work
    var phase: Phase
    /// Tells this use of the slot from earlier ones, whose events and deadlines may still come.
    var generation: UInt32
}

/// A dial whose connection is not established yet.
final class PendingDial {
    let dial: Dial
    private var descriptor: Descriptor?
    let rawDescriptor: CInt

    init(_ dial: Dial, _ descriptor: consuming Descriptor) {
        self.dial = dial
        rawDescriptor = descriptor.rawValue
        self.descriptor = consume descriptor
    }

    /// The descriptor, once.
    func take() -> Descriptor {
        descriptor.take()!
    }
}

/// A lane's part of one batch.
final class Share {
    let batch: Batch
    /// Operations of this lane that hold a permit.
    var inFlight = 0
    /// Operations whose replies wait for the batch to be issued whole.
    var answered: [UInt64] = []
    /// Keys whose records are to be read from the store and set back.
    var toStore: [Int] = []

    init(_ batch: Batch) {
        self.batch = batch
    }

    /// The most permits this lane takes, so that one lane does not hold them all.
    var cap: Int {
        batch.limiter.bound.map { ($0 + batch.lanes - 1) / batch.lanes } ?? .max
    }

    /// Whether replies wait: without a limit a batch is issued whole before any of it is
    /// collected, which is what holds all of it in flight at once.
    var defersReplies: Bool { batch.limiter.bound == nil && !batch.isIssued }

    var hasWorkToIssue: Bool { !toStore.isEmpty || batch.hasUnclaimed }
}
