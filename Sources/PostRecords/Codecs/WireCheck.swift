/// Walks over a message in protobuf's wire format and says whether it can be read, without building anything.
/// protobuf.dev/programming-guides/encoding
struct WireCheck {
    /// What a field holds.
    enum Field {
        case varint(UInt64)
        case bytes(UnsafeRawBufferPointer)
        /// Of 32 or 64 bits: no message here has one.
        case fixed
    }

    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    /// - Parameter body: takes each field with its number, or returns false to end it all.
    /// - Returns: whether all fields are well formed and were taken. Groups, which proto3 does not have, are not.
    static func everyField(
        of bytes: UnsafeRawBufferPointer,
        _ body: (_ number: UInt64, _ field: Field) -> Bool
    ) -> Bool {
        var check = WireCheck(bytes: bytes)
        while check.position < bytes.count {
            guard let tag = check.varint(), tag >> 3 > 0, tag < UInt64(UInt32.max), let field = check.field(tag & 7),
                body(tag >> 3, field)
            else { return false }
        }
        return true
    }

    private init(bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    private mutating func field(_ type: UInt64) -> Field? {
        switch type {
        case 0: return varint().map { .varint($0) }
        case 1: return skip(8) != nil ? .fixed : nil
        case 2:
            guard let count = varint() else { return nil }
            return skip(count).map { .bytes($0) }
        case 5: return skip(4) != nil ? .fixed : nil
        default: return nil
        }
    }

    private mutating func skip(_ count: UInt64) -> UnsafeRawBufferPointer? {
        guard count <= UInt64(bytes.count - position) else { return nil }
        defer { position += Int(count) }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(count)])
    }

    /// Up to ten bytes; nil beyond, or where they end early.
    private mutating func varint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}
