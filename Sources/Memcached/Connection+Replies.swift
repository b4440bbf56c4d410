internal import CConnectHook
internal import Glibc

extension Connection {
    /// What one reading of a connection came to.
    package enum Arrival: Equatable {
        /// The reply is not whole, and nothing more has arrived.
        case partial
        /// The reply is not whole, and more may have arrived: others go first.
        case moreToRead
        /// The reply is whole; the connection can be used again.
        case complete
        case broken(ReplyFault)
        /// memcached closed the connection before the reply was whole.
        case closed
        case failed(errno: CInt)
    }

    /// What is received at once before others have their turn.
    private static let maxBytesAtOnce = 2 << 20
    /// Memory for values that is kept for the next ones.
    private static let maxBytesKept = 256 << 10

    /// Receives what has arrived of a reply, and gives out the values that are whole. It never waits: libmemcached is
    /// handed bytes once ``ReplyReader`` has found them to be whole and right, and cannot read on from the socket. recv(2)
    /// - Parameters:
    ///   - key: the key at a position of the request.
    ///   - give: called with the position of a key and its value.
    package func receive(
        _ reply: inout IncomingReply,
        into buffer: ReplyBuffer,
        key: (Int) -> UnsafeRawBufferPointer,
        give: (Int, FetchedValue) -> Void
    ) -> Arrival {
        var left = Self.maxBytesAtOnce
        while left > 0 {
            let count = recv(descriptor, buffer.bytes.baseAddress, buffer.bytes.count, CInt(MSG_DONTWAIT))
            if count == 0 { return .closed }
            guard count > 0 else {
                if errno == EINTR { continue }
                return errno == EAGAIN ? .partial : .failed(errno: errno)
            }
            let progress = reply.read(
                UnsafeRawBufferPointer(rebasing: buffer.bytes[..<count]),
                mayFollow: count == buffer.bytes.count && arrived == .bytes,
                positions: &buffer.positions,
                key: key,
                give: { hand($0, of: $1, isEnd: $2, through: buffer.values, to: give) }
            )
            switch progress {
            case .partial: left -= count
            case .complete: return .complete
            case .broken(let fault): return .broken(fault)
            }
        }
        return .moreToRead
    }

    /// Has libmemcached fetch values out of bytes that hold them whole.
    /// - Returns: how many values it fetched; fewer than there are positions when it could not.
    private func hand(
        _ bytes: UnsafeRawBufferPointer,
        of positions: [Int],
        isEnd: Bool,
        through values: borrowing ValueBuffer,
        to give: (Int, FetchedValue) -> Void
    ) -> Int {
        var policy = dial_policy(refuse: true)
        policy.sealed = 1
        policy.received = bytes.baseAddress
        policy.received_count = bytes.count
        var isLarge = false
        defer { if isLarge { values.reset() } }
        return withInstalled(&policy) {
            for (index, position) in positions.enumerated() {
                guard let value = handle.nextValue(into: values).value else { return index }
                isLarge = isLarge || value.bytes.count > Self.maxBytesKept
                give(position, value)
            }
            // Its end as well, so that the handle is ready for the next request.
            if isEnd { _ = handle.nextValue(into: values) }
            return positions.count
        }
    }
}

/// Where replies are received before libmemcached reads them, and values fetched; one a lane.
package final class ReplyBuffer {
    // The reply to a multiget of 500 posts fits nearly; what does not is copied once more.
    fileprivate let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)
    fileprivate let values = ValueBuffer()
    /// Of the keys whose values are being given out.
    fileprivate var positions: [Int] = []

    package init() {}

    deinit {
        bytes.deallocate()
    }
}
