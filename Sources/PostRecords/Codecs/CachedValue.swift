internal import SwiftProtobuf

/// A value as the cache keeps it: the protobuf of the answer to asking for its URI alone.
struct CachedValue {
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

    /// Whether a value is one of the service's own making: fields in order, times in whole seconds, plain ASCII
    /// identifiers. Other values may be good too, and are to be decoded.
    static func isOfOwnForm(_ value: [UInt8]) -> Bool {
        value.withUnsafeBufferPointer { bytes in
            guard let parts = parts(of: bytes) else { return false }
            let isRecord = everyField(of: parts.record) { tag, field in
                switch tag {
                case 0x0a: !field.isEmpty
                case 0x12: isPlain(field)
                case 0x22, 0x32, 0x3a: seconds(field) != nil
                case 0x28: field.isEmpty
                default: false
                }
            }
            return isRecord && everyField(of: parts.meta) { tag, field in tag <= 0x38 && field.isEmpty }
        }
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
        text.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }

    /// A Timestamp of whole seconds between 1970 and 9999, in seconds since 1970.
    static func seconds(_ timestamp: UnsafeBufferPointer<UInt8>) -> Int64? {
        var reader = WireReader(timestamp)
        guard reader.nextTag() == 0x08, let seconds = reader.nextVarint(), reader.isAtEnd, seconds < 253_402_300_800
        else { return nil }
        return Int64(seconds)
    }
}
