/// Goes through the fields of a message in protobuf's wire format, to say whether it can be read without building
/// anything. protobuf.dev/programming-guides/encoding
struct WireFields {
    /// Of the field that ``next()`` came to: its number and wire type, as in the format.
    private(set) var tag: UInt64 = 0
    /// Its bytes, if it has a length.
    private(set) var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    /// Its number, if it is a varint.
    private(set) var varint: UInt64 = 0
    /// Whether what follows is no field. Groups, which proto3 does not have, are none.
    private(set) var isBroken = false

    private let message: UnsafeRawBufferPointer
    private var position = 0

    init(_ message: UnsafeRawBufferPointer) {
        self.message = message
    }

    /// Goes to the next field.
    /// - Returns: false at the end, and where there is no field: see ``isBroken``.
    @inline(__always)
    mutating func next() -> Bool {
        guard position < message.count else { return false }
        isBroken = !readField()
        return !isBroken
    }

    /// Goes to the end.
    /// - Returns: whether all that is left are fields.
    mutating func areWellFormed() -> Bool {
        while next() {}
        return !isBroken
    }

    @inline(__always)
    private mutating func readField() -> Bool {
        let start = position
        guard readVarint() else { return false }
        tag = varint
        // Of 32 bits, in no more bytes than those take.
        guard tag >= 8, tag < UInt64(UInt32.max), position - start <= 5 else { return false }
        switch tag & 7 {
        case 0: return readVarint()
        case 1: return skip(8)
        case 2:
            guard readVarint() else { return false }
            return skip(varint)
        case 5: return skip(4)
        default: return false
        }
    }

    @inline(__always)
    private mutating func skip(_ count: UInt64) -> Bool {
        guard count <= UInt64(message.count - position) else { return false }
        bytes = UnsafeRawBufferPointer(start: message.baseAddress.map { $0 + position }, count: Int(count))
        position += Int(count)
        return true
    }

    @inline(__always)
    private mutating func readVarint() -> Bool {
        guard position < message.count else { return false }
        varint = UInt64(message[position])
        position += 1
        // Tags and most lengths have one byte, the length of a record two.
        if varint < 0x80 { return true }
        if position < message.count, message[position] < 0x80 {
            varint = varint & 0x7f | UInt64(message[position]) << 7
            position += 1
            return true
        }
        guard let (value, end) = Self.longVarint(message, position - 1) else { return false }
        varint = value
        position = end
        return true
    }

    /// One of up to ten bytes, and where it ends. It is apart so that all else can stay in registers.
    private static func longVarint(_ message: UnsafeRawBufferPointer, _ start: Int) -> (value: UInt64, end: Int)? {
        var value: UInt64 = 0
        var position = start
        while position < message.count, position < start + 10 {
            let byte = message[position]
            value |= UInt64(byte & 0x7f) << UInt64(7 * (position - start))
            position += 1
            if byte < 0x80 { return (value, position) }
        }
        return nil
    }
}
