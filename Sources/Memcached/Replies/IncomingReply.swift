/// A reply that is being received: what decides when it is whole, and the bytes that wait for the rest of it.
package struct IncomingReply {
    private var reader: ReplyReader
    /// Received and not given out; empty until a reply comes in pieces. It grows by what arrives, never by what is
    /// announced, and holds no more than one value, its line, and what one reading brought.
    private var bytes: [UInt8] = []

    package init(to request: ReplyReader.Request) {
        reader = ReplyReader(request)
    }

    /// ``ReplyReader/unanswered``
    package var unanswered: [Int] { reader.unanswered }

    /// ``ReplyReader/isAnswered``
    package var isAnswered: Bool { reader.isAnswered }

    /// Bytes that have come and that nothing was given out for.
    package var waitingBytes: Int { bytes.count }

    /// Memory they take: an array that grows has room for more than there is.
    package var heldBytes: Int { bytes.isEmpty ? 0 : bytes.capacity }

    /// Reads on with bytes that were just received, behind those that wait.
    /// - Parameters:
    ///   - give: is handed the bytes that are whole, with the positions of the keys whose values they hold and whether
    ///     the reply ends with them; returns how many values were taken.
    package mutating func read(
        _ received: UnsafeRawBufferPointer,
        mayFollow: Bool,
        positions: inout [Int],
        key: (Int) -> UnsafeRawBufferPointer,
        give: (_ bytes: UnsafeRawBufferPointer, _ positions: [Int], _ isEnd: Bool) -> Int
    ) -> ReplyReader.Progress {
        positions.removeAll(keepingCapacity: true)
        let step: ReplyReader.Step
        var taken = 0
        if bytes.isEmpty {
            // Whole replies mostly come at once, and are read where they were received.
            step = reader.read(received, mayFollow: mayFollow, given: &positions, key: key)
            if step.count > 0 { taken = give(.init(rebasing: received[..<step.count]), positions, step.isEnd) }
            if step.progress == .partial { bytes = Array(received[step.count...]) }
        } else {
            bytes += received
            (step, taken) = bytes.withUnsafeBytes { bytes in
                let step = reader.read(bytes, mayFollow: mayFollow, given: &positions, key: key)
                guard step.count > 0 else { return (step, 0) }
                return (step, give(.init(rebasing: bytes[..<step.count]), positions, step.isEnd))
            }
            bytes.removeFirst(step.count)
        }
        guard taken == positions.count else {
            reader.takeBack(positions[taken...])
            return .broken(ReplyFault(.unknownReadFailure, "libmemcached could not take a value"))
        }
        return step.progress
    }
}

extension ReplyReader.Step {
    fileprivate var isEnd: Bool { progress == .complete }
}
