internal import SwiftProtobuf

/// A value as the cache keeps it: the protobuf of the answer to asking for its URI alone.
package struct CachedValue {
    /// The longest one: memcached keeps no longer value unless told to (`-I`), and a record in the network is shorter.
    package static let maxBytes = 1 << 20

    let record: Bsky_Record
    let meta: Bsky_PostRecordMeta

    /// Nil for what is no such answer.
    init?(decoding value: [UInt8]) {
        guard let answer = try? Bsky_GetPostRecordsResponse(serializedBytes: value), answer.records.count == 1,
            answer.meta.count == 1
        else { return nil }
        record = answer.records[0]
        meta = answer.meta[0]
    }

    // MARK: Without decoding

    /// Whether a value can be answered with, in any codec: one record and one meta, of well-formed fields, with text
    /// that is UTF-8 and times from year 1 to 9999. Fields that nobody knows yet are passed over, as by every reader.
    package static func isReadable(_ value: UnsafeRawBufferPointer) -> Bool {
        guard value.count <= maxBytes else { return false }
        var records = 0
        var metas = 0
        var fields = WireFields(value)
        while fields.next() {
            switch fields.tag {
            case 0x0a:
                records += 1
                guard isReadable(record: fields.bytes) else { return false }
            case 0x12:
                metas += 1
                var flags = WireFields(fields.bytes)
                guard flags.areWellFormed() else { return false }
            default: break
            }
        }
        return !fields.isBroken && records == 1 && metas == 1
    }

    private static func isReadable(record: UnsafeRawBufferPointer) -> Bool {
        var fields = WireFields(record)
        while fields.next() {
            switch fields.tag {
            case 0x12, 0x42, 0x4a: guard isText(fields.bytes) else { return false }
            case 0x22, 0x32, 0x3a: guard isTime(fields.bytes) else { return false }
            default: break
            }
        }
        return !fields.isBroken
    }

    private static func isText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // Nearly all of it is ASCII, and is looked at in eights.
        var seen: UInt64 = 0
        var position = 0
        while position + 8 <= bytes.count {
            seen |= bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            position += 8
        }
        while position < bytes.count {
            seen |= UInt64(bytes[position])
            position += 1
        }
        return seen & 0x8080_8080_8080_8080 == 0 || String(validating: bytes, as: UTF8.self) != nil
    }

    /// A Timestamp that JSON has a form for. protobuf.dev/reference/protobuf/google.protobuf/#timestamp
    private static func isTime(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // Mostly seconds alone, in five bytes, which do not reach beyond the year 3058: they need not be made out.
        if bytes.count == 6, bytes[0] == 0x08, bytes[5] < 0x80,
            bytes.loadUnaligned(fromByteOffset: 1, as: UInt32.self) & 0x8080_8080 == 0x8080_8080
        {
            return true
        }
        var fields = WireFields(bytes)
        while fields.next() {
            switch fields.tag {
            case 0x08:
                let seconds = Int64(bitPattern: fields.varint)
                guard (-62_135_596_800...253_402_300_799).contains(seconds) else { return false }
            case 0x10:
                guard (0...999_999_999).contains(Int32(truncatingIfNeeded: fields.varint)) else { return false }
            default: break
            }
        }
        return !fields.isBroken
    }

    /// The bytes of the one record and its meta.
    static func parts(
        of bytes: UnsafeBufferPointer<UInt8>
    ) -> (record: UnsafeBufferPointer<UInt8>, meta: UnsafeBufferPointer<UInt8>)? {
        var reader = WireReader(bytes)
        guard reader.nextTag() == 0x0a, let record = reader.nextBytes(), reader.nextTag() == 0x12,
            let meta = reader.nextBytes(), reader.isAtEnd
        else { return nil }
        return (record, meta)
    }

    /// Calls `body` with the tag and bytes of each field, until it returns false. The bytes are empty for a flag that is
    /// set, and only for one.
    /// - Returns: whether all fields are well formed and in order, and `body` took each of them.
    @inline(__always)
    static func everyField(
        of bytes: UnsafeBufferPointer<UInt8>,
        _ body: (_ tag: UInt8, _ field: UnsafeBufferPointer<UInt8>) -> Bool
    ) -> Bool {
        var reader = WireReader(bytes)
        var last: UInt8 = 0
        while !reader.isAtEnd {
            guard let tag = reader.nextTag(), tag > last else { return false }
            last = tag
            switch tag & 7 {
            case 0:
                guard reader.nextVarint() == 1, body(tag, .init(start: nil, count: 0)) else { return false }
            case 2:
                guard let field = reader.nextBytes(), !field.isEmpty, body(tag, field) else { return false }
            default: return false
            }
        }
        return true
    }

    /// Whether a text reads the same in JSON: letters, digits, `-`, `_` and `.`.
    static func isPlain(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        // A bit for each of those bytes: 0 to 63, and 64 to 127.
        let low: UInt64 = 0x3ff << 48 | 1 << 45 | 1 << 46
        let high: UInt64 = 0x3ff_ffff << 1 | 1 << 31 | 0x3ff_ffff << 33
        var isPlain: UInt64 = 1
        for byte in text {
            isPlain &= (byte < 64 ? low : byte < 128 ? high : 0) >> UInt64(byte & 63)
        }
        return isPlain == 1
    }

    /// A Timestamp of whole seconds between 1970 and 9999, in seconds since 1970.
    static func seconds(_ timestamp: UnsafeBufferPointer<UInt8>) -> Int64? {
        var reader = WireReader(timestamp)
        guard reader.nextTag() == 0x08, let seconds = reader.nextVarint(), reader.isAtEnd, seconds < 253_402_300_800
        else { return nil }
        return Int64(seconds)
    }
}
