/// Rewrites a cached value from protobuf to proto3's JSON without building messages in between.
///
/// A large answer has 14 MB of JSON, and swift-protobuf takes 37% of the server's CPU for it, which
/// the lookups then lack. This handles values as the service itself writes them: fields in order,
/// times in whole seconds, plain ASCII identifiers. It declines everything else, and a test holds
/// its output against swift-protobuf's.
/// protobuf.dev/programming-guides/encoding, protobuf.dev/programming-guides/json
enum CachedValueJSON {
    /// Appends the record and the meta of a value.
    /// - Returns: whether the value was one it handles; nothing has been appended otherwise.
    static func rewrite(_ value: [UInt8], into records: inout [UInt8], _ meta: inout [UInt8]) -> Bool {
        let (recordsCount, metaCount) = (records.count, meta.count)
        let complete = value.withUnsafeBufferPointer { bytes in
            var reader = WireReader(bytes)
            guard reader.nextTag() == 0x0a, let record = reader.nextBytes(),
                reader.nextTag() == 0x12, let itsMeta = reader.nextBytes(), reader.isAtEnd
            else { return false }
            return rewriteRecord(record, &records) && rewriteMeta(itsMeta, &meta)
        }
        if !complete {
            records.removeLast(records.count - recordsCount)
            meta.removeLast(meta.count - metaCount)
        }
        return complete
    }

    private static func rewriteRecord(_ bytes: UnsafeBufferPointer<UInt8>, _ json: inout [UInt8]) -> Bool {
        var reader = WireReader(bytes)
        var last: UInt8 = 0
        json.append(UInt8(ascii: "{"))
        while !reader.isAtEnd {
            guard let tag = reader.nextTag(), tag > last, let name = recordField(tag) else { return false }
            if last != 0 { json.append(UInt8(ascii: ",")) }
            last = tag
            append(name, to: &json)
            if tag == 0x28 {
                guard reader.nextVarint() == 1 else { return false }
                json += "true".utf8
                continue
            }
            guard let field = reader.nextBytes(), !field.isEmpty else { return false }
            json.append(UInt8(ascii: "\""))
            switch tag {
            case 0x0a: appendBase64(field, to: &json)
            case 0x12:
                guard field.allSatisfy(isPlain) else { return false }
                json += field
            default:
                guard appendTime(field, to: &json) else { return false }
            }
            json.append(UInt8(ascii: "\""))
        }
        json.append(UInt8(ascii: "}"))
        return true
    }

    private static func rewriteMeta(_ bytes: UnsafeBufferPointer<UInt8>, _ json: inout [UInt8]) -> Bool {
        var reader = WireReader(bytes)
        var last: UInt8 = 0
        json.append(UInt8(ascii: "{"))
        while !reader.isAtEnd {
            guard let tag = reader.nextTag(), tag > last, let name = metaField(tag), reader.nextVarint() == 1 else {
                return false
            }
            if last != 0 { json.append(UInt8(ascii: ",")) }
            last = tag
            append(name, to: &json)
            json += "true".utf8
        }
        json.append(UInt8(ascii: "}"))
        return true
    }

    /// Names by tag, which is field number times eight plus wire type, with quotes and colon.
    private static func recordField(_ tag: UInt8) -> StaticString? {
        switch tag {
        case 0x0a: "\"record\":"
        case 0x12: "\"cid\":"
        case 0x22: "\"indexedAt\":"
        case 0x28: "\"takenDown\":"
        case 0x32: "\"createdAt\":"
        case 0x3a: "\"sortedAt\":"
        default: nil
        }
    }

    private static func metaField(_ tag: UInt8) -> StaticString? {
        switch tag {
        case 0x08: "\"violatesThreadGate\":"
        case 0x10: "\"hasMedia\":"
        case 0x18: "\"isReply\":"
        case 0x20: "\"violatesEmbeddingRules\":"
        case 0x28: "\"hasPostGate\":"
        case 0x30: "\"hasThreadGate\":"
        case 0x38: "\"hasVideo\":"
        default: nil
        }
    }

    private static func append(_ text: StaticString, to json: inout [UInt8]) {
        json += UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    /// A Timestamp of whole seconds between 1970 and 9999.
    private static func appendTime(_ bytes: UnsafeBufferPointer<UInt8>, to json: inout [UInt8]) -> Bool {
        var reader = WireReader(bytes)
        guard reader.nextTag() == 0x08, let seconds = reader.nextVarint(), reader.isAtEnd,
            seconds < 253_402_300_800
        else { return false }
        CivilTime(secondsSince1970: Int64(seconds)).append(to: &json)
        return true
    }

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    /// Two characters for every 12 bits, the first in the byte that lies first in memory.
    private static let pairs = (0..<4096).map { bits in
        UInt16(littleEndian: UInt16(alphabet[bits >> 6]) | UInt16(alphabet[bits & 63]) << 8)
    }

    /// RFC 4648 section 4, with padding.
    private static func appendBase64(_ bytes: UnsafeBufferPointer<UInt8>, to json: inout [UInt8]) {
        let start = json.count
        json += repeatElement(UInt8(ascii: "="), count: (bytes.count + 2) / 3 * 4)
        json.withUnsafeMutableBytes { json in
            pairs.withUnsafeBufferPointer { pairs in
                var (read, write) = (0, start)
                while read + 3 <= bytes.count {
                    let group = Int(bytes[read]) << 16 | Int(bytes[read + 1]) << 8 | Int(bytes[read + 2])
                    json.storeBytes(of: pairs[group >> 12], toByteOffset: write, as: UInt16.self)
                    json.storeBytes(of: pairs[group & 4095], toByteOffset: write + 2, as: UInt16.self)
                    read += 3
                    write += 4
                }
                if read == bytes.count { return }
                let second = read + 1 < bytes.count ? Int(bytes[read + 1]) : 0
                let group = Int(bytes[read]) << 16 | second << 8
                json.storeBytes(of: pairs[group >> 12], toByteOffset: write, as: UInt16.self)
                if read + 1 < bytes.count { json[write + 2] = alphabet[group >> 6 & 63] }
            }
        }
    }
}

/// Reads protobuf's wire format from its front. Nil means it is malformed or not of a kind that is
/// handled: tags of one byte, varints that fit 63 bits.
private struct WireReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { position == bytes.count }

    mutating func nextTag() -> UInt8? {
        guard position < bytes.count, bytes[position] < 0x80 else { return nil }
        position += 1
        return bytes[position - 1]
    }

    mutating func nextVarint() -> UInt64? {
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

    mutating func nextBytes() -> UnsafeBufferPointer<UInt8>? {
        guard let length = nextVarint(), length <= UInt64(bytes.count - position) else { return nil }
        defer { position += Int(length) }
        return UnsafeBufferPointer(rebasing: bytes[position..<position + Int(length)])
    }
}
