/// Reads protobuf's wire format from its front. Nil means it is malformed or not of a kind that is
/// handled: tags of one byte, varints that fit 63 bits.
package struct WireReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    package init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    package var isAtEnd: Bool { position == bytes.count }

    /// A field's number and wire type where they are one byte; nil at the end, and where they take more.
    package mutating func nextTag() -> UInt8? {
        guard position < bytes.count, bytes[position] < 0x80 else { return nil }
        position += 1
        return bytes[position - 1]
    }

    /// A number of at most 10 bytes; nil where it has no end.
    package mutating func nextVarint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 63 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    /// A length and as many bytes; nil where the message has fewer.
    package mutating func nextBytes() -> UnsafeBufferPointer<UInt8>? {
        guard let length = nextVarint(), length <= UInt64(bytes.count - position) else { return nil }
        defer { position += Int(length) }
        return UnsafeBufferPointer(rebasing: bytes[position..<position + Int(length)])
    }
}
