internal import Limits
internal import Memcached
internal import POSIX

/// One exchange with memcached, from issue to answer. Its lane uses it again for another when it is over.
final class Operation {
    enum Work {
        /// Look the keys of a unit up.
        case get(Batch.Unit)
        /// Wait for the store to answer for a key; the operation then becomes a `set`.
        case read(key: Int)
        /// Set a key's record back.
        case set(key: Int, value: [UInt8])
    }

    enum Phase {
        /// Not sent yet, or waiting for the store.
        case starting
        /// As many connections are open as may be; waiting for one of them, or for leave to dial.
        case waiting(ticket: Int)
        /// The server's accept queue is full; waiting for the connection to be established.
        case dialling(PendingDial)
        /// The request is on its way.
        case awaiting(Connection)
        /// The reply is there, and is collected once the whole batch is issued.
        case answered(Connection)
        /// Failed; waiting for its error lines to be written, as a goroutine does in its write(2).
        /// Kept elsewhere, as it would make a phase ten words long that is copied for each event.
        indirect case logging(MemcachedError)
        /// Over.
        case ended
    }

    let slot: Int
    /// Tells this use of the slot from every other.
    private var generation: UInt32
    /// Nil only once it has ended.
    private(set) var slice: BatchSlice!
    var work: Work
    var phase = Phase.starting
    /// When its request was sent, or its dial begun.
    var issued = MonotonicInstant(nanoseconds: 0)
    /// When it is given up, if its reply is not whole by then.
    var deadline = MonotonicInstant(nanoseconds: 0)
    /// How often it has been tried again.
    var retries = 0
    /// Positions that are asked for, where a reply broke off and its connection was given up; nil for all of its unit.
    private(set) var rest: [Int]?
    /// What has come of its reply, if that came in pieces.
    var partial: PartialReply?
    /// Under a limit that learns, how many there were when it began.
    var inFlight = 0
    /// How it went, for a limit that learns from it.
    var sample: Sample?

    /// - Parameter generation: as that of no use of the slot before.
    init(slot: Int, generation: UInt32, _ slice: BatchSlice, _ work: Work) {
        self.slot = slot
        self.generation = generation
        self.slice = slice
        self.work = work
    }

    /// What it asks memcached for.
    var request: ReplyReader.Request {
        switch work {
        case .get(let unit): .get(keys: rest?.count ?? unit.positions.count)
        case .set: .set
        case .read: preconditionFailure("a read asks the store, not memcached")
        }
    }

    /// Where the keys of a `get` are in its batch's order, by their index in the request.
    var positions: KeyPositions {
        if let rest { return .listed(rest) }
        if case .get(let unit) = work { return .run(unit.positions) }
        return .run(0..<1)
    }

    /// Positions of the keys of a `get` that no value has come for.
    var unanswered: [Int] {
        guard case .get = work else { return [] }
        let positions = positions
        guard let partial else { return positions.all }
        return partial.reply.unanswered.map { positions[$0] }
    }

    /// It is tried again, for what no value has come for.
    func retry() {
        let unanswered = unanswered
        if case .get(let unit) = work, unanswered.count < unit.positions.count { rest = unanswered }
        retries += 1
        partial = nil
        phase = .starting
    }

    /// Names this use of the slot and no other.
    var token: OperationToken { OperationToken(slot: slot, generation: generation) }

    func begin(generation: UInt32, _ slice: BatchSlice, _ work: Work) {
        self.generation = generation
        self.slice = slice
        self.work = work
        phase = .starting
        sample = nil
        retries = 0
    }

    /// Lets go of what it held; from here on its token is nobody's.
    func end() {
        slice = nil
        partial = nil
        rest = nil
        work = .read(key: 0)
        phase = .ended
    }
}

/// Positions in a batch's order, by their index in a request.
enum KeyPositions {
    case run(Range<Int>)
    case listed([Int])

    var count: Int {
        switch self {
        case .run(let range): range.count
        case .listed(let list): list.count
        }
    }

    subscript(index: Int) -> Int {
        switch self {
        case .run(let range): range.lowerBound + index
        case .listed(let list): list[index]
        }
    }

    var all: [Int] {
        switch self {
        case .run(let range): Array(range)
        case .listed(let list): list
        }
    }
}

/// A reply that is not whole. In a box, as hardly any operation has one.
final class PartialReply {
    let reply: IncomingReply
    private let batch: Batch
    /// Bytes of room that it has taken.
    private let taken: Int
    /// Whether there was room for what has come of it.
    let hasRoom: Bool

    init(_ reply: IncomingReply, of batch: Batch) {
        self.reply = reply
        self.batch = batch
        let bytes = batch.roomTaken(byPart: reply.heldBytes)
        hasRoom = bytes == 0 || batch.room!.take(bytes)
        taken = hasRoom ? bytes : 0
    }

    deinit {
        if taken > 0 { batch.room!.giveBack(taken) }
    }
}
