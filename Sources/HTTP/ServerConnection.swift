internal import POSIX

/// One client's connection: its socket, its state, and what is on its way out. Belongs to its loop's thread.
final class ServerConnection {
    /// Names a connection, and no later one in the same slot.
    struct Token: Hashable, Sendable {
        var slot: UInt32
        var generation: UInt32

        init(slot: Int, generation: UInt32) {
            self.slot = UInt32(slot)
            self.generation = generation
        }

        init(_ rawValue: UInt64) {
            slot = UInt32(truncatingIfNeeded: rawValue)
            generation = UInt32(rawValue >> 32)
        }

        var rawValue: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
    }

    let token: Token
    let socket: Socket
    /// Whether it is one too many, and only told so.
    let isTurnedAway: Bool
    var state: ConnectionState
    var outgoing = Outgoing([])
    /// Whether bytes may be waiting: the poller says so once, and not again until all are read.
    var isReadable = true
    /// Whether the client has ended its side, which the poller says once.
    var hasEnded = false
    /// Tells who answers its request that nobody waits any more.
    var cancel: (@Sendable () -> Void)?
    /// Fetches the pieces of an answer that goes on; cancelled when the client leaves.
    var pump: Task<Void, Never>?
    /// Waits for a piece to be written; whether it was.
    var pieceIsWritten: CheckedContinuation<Bool, Never>?
    /// What of its request and answer is counted as held.
    var heldBytes = 0
    private var knownPeer: SocketAddress?

    init(_ socket: consuming Socket, token: Token, isTurnedAway: Bool, _ state: ConnectionState) {
        self.socket = socket
        self.token = token
        self.isTurnedAway = isTurnedAway
        self.state = state
    }

    /// Where it came from; nil when it is gone.
    var peer: SocketAddress? {
        if knownPeer == nil { knownPeer = try? socket.peerAddress() }
        return knownPeer
    }
}
