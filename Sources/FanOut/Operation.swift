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
        /// The server's accept queue is full; waiting for the connection to be established.
        case dialling(PendingDial)
        /// The request is on its way.
        case awaiting(Connection)
        /// The reply is there, and is collected once the whole batch is issued.
        case answered(Connection)
        /// Failed; waiting for its error lines to be written, as a goroutine does in its write(2).
        case logging(MemcachedError)
        /// Over.
        case ended
    }

    private let slot: Int
    /// Tells this use of the slot from earlier ones, whose events and deadlines may still come.
    private var generation: UInt32 = 0
    /// Nil only once it has ended.
    private(set) var share: Share!
    var work: Work
    var phase = Phase.starting
    /// When its request was sent, or its dial begun.
    var issued = MonotonicInstant(nanoseconds: 0)
    /// When it is given up, if its reply is not whole by then.
    var deadline = MonotonicInstant(nanoseconds: 0)
    /// What has come of its reply, if that came in pieces.
    var partial: PartialReply?
    /// How it went, for a limiter that learns from it.
    var sample: Sample?

    init(slot: Int, _ share: Share, _ work: Work) {
        self.slot = slot
        self.share = share
        self.work = work
    }

    /// What it asks memcached for.
    var request: ReplyReader.Request {
        switch work {
        case .get(let unit): .get(keys: unit.positions.count)
        case .set: .set
        case .read: preconditionFailure("a read asks the store, not memcached")
        }
    }

    /// The position of the first key of a `get` in its batch's order.
    var firstPosition: Int {
        if case .get(let unit) = work { unit.positions.lowerBound } else { 0 }
    }

    /// Positions of the keys of a `get` that no value has come for.
    var unanswered: [Int] {
        guard case .get(let unit) = work else { return [] }
        guard let partial else { return Array(unit.positions) }
        return partial.reply.unanswered.map { unit.positions.lowerBound + $0 }
    }

    /// Names this use of the slot and no other.
    var token: Token { Token(slot: slot, generation: generation) }

    func begin(_ share: Share, _ work: Work) {
        self.share = share
        self.work = work
        phase = .starting
        sample = nil
    }

    /// Lets go of what it held; from here on its token is nobody's.
    func end() {
        generation &+= 1
        share = nil
        partial = nil
        work = .read(key: 0)
        phase = .ended
    }

    /// An operation as a number, for the poller and the deadlines.
    struct Token {
        private static let mark: UInt64 = 1 << 63
        let rawValue: UInt64

        init(slot: Int, generation: UInt32) {
            rawValue = Self.mark | UInt64(slot) << 32 | UInt64(generation)
        }

        /// Nil for a number that is not a token.
        init?(_ rawValue: UInt64) {
            guard rawValue & Self.mark != 0 else { return nil }
            self.rawValue = rawValue
        }

        var slot: Int { Int((rawValue ^ Self.mark) >> 32) }
    }
}

/// A reply that is not whole. In a box, as hardly any operation has one.
final class PartialReply {
    var reply: IncomingReply

    init(_ reply: IncomingReply) {
        self.reply = reply
    }
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
