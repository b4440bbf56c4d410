/// Bytes that arrive at one end and are parsed at the other.
struct ByteBuffer {
    private var bytes: [UInt8] = []
    private var start = 0

    var count: Int { bytes.count - start }

    mutating func append(_ more: UnsafeRawBufferPointer) {
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            start = 0
        }
        bytes += more
    }

    /// Takes up to `count` bytes from the front onto the end of `destination`.
    mutating func take(_ count: Int, into destination: inout [UInt8]) -> Int {
        let taken = min(count, self.count)
        destination += bytes[start..<start + taken]
        start += taken
        return taken
    }

    /// Takes what there is, and room for, into the front of `destination`.
    mutating func take(into destination: UnsafeMutableRawBufferPointer) -> Int {
        let taken = min(destination.count, count)
        bytes[start..<start + taken].withUnsafeBytes { destination.copyMemory(from: $0) }
        start += taken
        return taken
    }

    /// Takes a line without its line end (LF, or CRLF), or nil while none is complete.
    mutating func takeLine() -> ArraySlice<UInt8>? {
        guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        var line = bytes[start..<end]
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        start = end + 1
        return line
    }
}
