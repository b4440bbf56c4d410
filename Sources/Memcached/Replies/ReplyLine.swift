internal import Glibc

/// Where a line of memcached's text protocol ends. protocol.txt
enum ReplyLine {
    /// Longer than any line of memcached's: one with a key of 250 bytes has 280, one of a statistic fewer.
    static let maxBytes = 1024

    enum Extent: Equatable {
        /// A whole line of `count` bytes, without its end; the next one begins at `next`.
        case whole(count: Int, next: Int)
        /// All there is may be the beginning of a line.
        case partial
        /// After `count` bytes comes one that no line has, or the line is longer than ``maxBytes``.
        case noLine(count: Int)
    }

    /// The line at the beginning of what has been received. It is the same however the bytes came in pieces: the first
    /// that is out of order decides.
    static func first(of bytes: UnsafeRawBufferPointer) -> Extent {
        for index in 0..<min(bytes.count, maxBytes) {
            switch bytes[index] {
            case UInt8(ascii: "\n"): return .whole(count: index, next: index + 1)
            case UInt8(ascii: "\r"):
                guard index + 1 < bytes.count else { return .partial }
                guard bytes[index + 1] == UInt8(ascii: "\n") else { return .noLine(count: index) }
                return .whole(count: index, next: index + 2)
            case 0..<0x20, 0x7f: return .noLine(count: index)
            default: break
            }
        }
        return bytes.count < maxBytes ? .partial : .noLine(count: maxBytes)
    }
}
