/// Bytes that arrive at one end and are parsed at the other. What was taken is given back: a peer that always keeps
/// part of the next message sent does not make it grow.
struct ByteBuffer: Sendable {
    /// Room kept while there are no bytes; a small message needs no more.
    private static let keptCapacity = 4 << 10

    private var bytes: [UInt8] = []
    /// Where the bytes begin that are not taken.
    private var start = 0
    /// Up to where there is no line end, so that a line that comes byte by byte is not searched again and again.
    private var searched = 0

    var count: Int { bytes.count - start }

    /// Bytes there is room for, those that are here among them.
    var capacity: Int { bytes.capacity }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        // What is moved is less than what is dropped, so each byte is moved once at most, on average.
        if start > 0, start >= count {
            bytes.removeSubrange(..<start)
            searched = max(0, searched - start)
            start = 0
        }
        bytes += more
    }

    /// Takes up to `count` bytes from the front onto the end of `destination`.
    mutating func take(_ count: Int, into destination: inout [UInt8]) -> Int {
        let taken = min(count, self.count)
        destination += bytes[start..<start + taken]
        advance(to: start + taken)
        return taken
    }

    /// Takes a line without its LF, or nil while none is complete. A CR before the LF is left on it, see
    /// ``Swift/ArraySlice/withoutCarriageReturn``.
    mutating func takeLine() -> ArraySlice<UInt8>? {
        guard let end = bytes[max(start, searched)...].firstIndex(of: UInt8(ascii: "\n")) else {
            searched = bytes.count
            return nil
        }
        let line = bytes[start..<end]
        advance(to: end + 1)
        return line
    }

    private mutating func advance(to position: Int) {
        start = position
        searched = position
        guard start == bytes.count else { return }
        bytes.removeAll(keepingCapacity: bytes.capacity <= Self.keptCapacity)
        start = 0
        searched = 0
    }
}

extension ArraySlice<UInt8> {
    /// A line as it is when LF alone may end one (RFC 9112 section 2.2).
    var withoutCarriageReturn: ArraySlice<UInt8> { last == UInt8(ascii: "\r") ? dropLast() : self }
}
