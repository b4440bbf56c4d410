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
        let isWellFormed = WireCheck.everyField(of: value) { number, field in
            switch (number, field) {
            case (1, .bytes(let record)):
                records += 1
                return isReadable(record: record)
            case (2, .bytes(let meta)):
                metas += 1
                return WireCheck.everyField(of: meta) { _, _ in true }
            default: return true
            }
        }
        return isWellFormed && records == 1 && metas == 1
    }

    private static func isReadable(record: UnsafeRawBufferPointer) -> Bool {
        WireCheck.everyField(of: record) { number, field in
            switch (number, field) {
            case (2, .bytes(let text)), (8, .bytes(let text)), (9, .bytes(let text)): isText(text)
            case (4, .bytes(let time)), (6, .bytes(let time)), (7, .bytes(let time)): isTime(time)
            default: true
            }
        }
    }

    private static func isText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.allSatisfy { $0 < 0x80 } || String(validating: bytes, as: UTF8.self) != nil
    }

    /// A Timestamp that JSON has a form for. protobuf.dev/reference/protobuf/google.protobuf/#timestamp
    private static func isTime(_ bytes: UnsafeRawBufferPointer) -> Bool {
        WireCheck.everyField(of: bytes) { number, field in
            switch (number, field) {
            case (1, .varint(let seconds)): (-62_135_596_800...253_402_300_799).contains(Int64(bitPattern: seconds))
            case (2, .varint(let nanos)): (0...999_999_999).contains(Int32(truncatingIfNeeded: nanos))
            default: true
            }
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
