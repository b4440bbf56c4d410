internal import POSIX

/// Blocks of bytes on their way out, and how far they have gone.
struct Outgoing {
    /// Neighbours no larger than this together are joined: a small answer goes out in one piece with its head.
    private static let joinedSize = 64 << 10

    private var blocks: [[UInt8]] = []
    /// The first block that is not out yet, and how much of it is.
    private var current = 0
    private var sent = 0

    init(_ blocks: [[UInt8]]) {
        for block in blocks { append(block) }
    }

    mutating func append(_ block: [UInt8]) {
        if current < blocks.count, let last = blocks.last, last.count + block.count <= Self.joinedSize {
            blocks[blocks.count - 1] += block
        } else {
            blocks.append(block)
        }
    }

    /// Writes what fits. write(2)
    /// - Returns: whether all is out.
    mutating func write(to descriptor: borrowing Descriptor) throws(SystemCallError) -> Bool {
        while current < blocks.count {
            switch try descriptor.write(blocks[current][sent...]) {
            case .done(let count): sent += count
            case .wouldBlock: return false
            }
            if sent == blocks[current].count {
                blocks[current] = []
                current += 1
                sent = 0
            }
        }
        return true
    }
}
