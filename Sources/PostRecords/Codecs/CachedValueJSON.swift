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
            guard let parts = CachedValue.parts(of: bytes) else { return false }
            return rewriteRecord(parts.record, &records) && rewriteMeta(parts.meta, &meta)
        }
        if !complete {
            records.removeLast(records.count - recordsCount)
            meta.removeLast(meta.count - metaCount)
        }
        return complete
    }

    private static func rewriteRecord(_ bytes: UnsafeBufferPointer<UInt8>, _ json: inout [UInt8]) -> Bool {
        json.append(UInt8(ascii: "{"))
        let start = json.count
        let complete = CachedValue.everyField(of: bytes) { tag, field in
            guard let name = recordField(tag) else { return false }
            if json.count > start { json.append(UInt8(ascii: ",")) }
            append(name, to: &json)
            if field.isEmpty {
                json += "true".utf8
                return true
            }
            json.append(UInt8(ascii: "\""))
            switch tag {
            case 0x0a: appendBase64(field, to: &json)
            case 0x12:
                guard CachedValue.isPlain(field) else { return false }
                json += field
            default:
                guard let seconds = CachedValue.seconds(field) else { return false }
                CivilTime(secondsSince1970: seconds).append(to: &json)
            }
            json.append(UInt8(ascii: "\""))
            return true
        }
        json.append(UInt8(ascii: "}"))
        return complete
    }

    private static func rewriteMeta(_ bytes: UnsafeBufferPointer<UInt8>, _ json: inout [UInt8]) -> Bool {
        json.append(UInt8(ascii: "{"))
        let start = json.count
        let complete = CachedValue.everyField(of: bytes) { tag, _ in
            guard let name = metaField(tag) else { return false }
            if json.count > start { json.append(UInt8(ascii: ",")) }
            append(name, to: &json)
            json += "true".utf8
            return true
        }
        json.append(UInt8(ascii: "}"))
        return complete
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
