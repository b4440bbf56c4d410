internal import Text

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
        value.withUnsafeBufferPointer { bytes in
            guard let parts = CachedValue.parts(of: bytes) else { return false }
            let recordsCount = records.count
            guard
                append(
                    to: &records,
                    atMost: mostBytes(ofRecord: parts.record.count),
                    { rewriteRecord(parts.record, &$0) }
                )
            else { return false }
            guard append(to: &meta, atMost: mostBytesOfMeta, { rewriteMeta(parts.meta, &$0) }) else {
                records.removeLast(records.count - recordsCount)
                return false
            }
            return true
        }
    }

    /// Fields are in order, so each is there once: at most 143 bytes are names, times and punctuation, and of the rest
    /// nothing grows by more than base64 does.
    private static func mostBytes(ofRecord count: Int) -> Int { 160 + (count + 2) / 3 * 4 }
    /// All seven names, set, have 144.
    private static let mostBytesOfMeta = 160

    /// Lets `write` fill room at the end of a text, of which what it did not need, or all of it if it declined, is no
    /// part of the text. The room is not zeroed first.
    @inline(__always)
    private static func append(to json: inout [UInt8], atMost room: Int, _ write: (inout JSONCursor) -> Bool) -> Bool {
        var isWritten = false
        json.append(addingCapacity: room) { end in
            end.withUnsafeMutableBufferPointer { end, count in
                var cursor = JSONCursor(end.baseAddress!)
                isWritten = write(&cursor)
                let written = cursor.next - end.baseAddress!
                precondition(written <= room)
                count = isWritten ? written : 0
            }
        }
        return isWritten
    }

    private static func rewriteRecord(_ bytes: UnsafeBufferPointer<UInt8>, _ json: inout JSONCursor) -> Bool {
        json.put(UInt8(ascii: "{"))
        var isFirst = true
        let complete = CachedValue.everyField(of: bytes) { tag, field in
            guard let name = recordField(tag) else { return false }
            if !isFirst { json.put(UInt8(ascii: ",")) }
            isFirst = false
            json.put(name)
            if field.isEmpty {
                json.put("true")
                return true
            }
            json.put(UInt8(ascii: "\""))
            switch tag {
            case 0x0a: json.putBase64(field)
            case 0x12:
                guard CachedValue.isPlain(field) else { return false }
                json.put(field)
            default:
                guard let seconds = CachedValue.seconds(field) else { return false }
                json.put(CivilTime(secondsSince1970: seconds))
            }
            json.put(UInt8(ascii: "\""))
            return true
        }
        json.put(UInt8(ascii: "}"))
        return complete
    }

    private static func rewriteMeta(_ bytes: UnsafeBufferPointer<UInt8>, _ json: inout JSONCursor) -> Bool {
        json.put(UInt8(ascii: "{"))
        var isFirst = true
        let complete = CachedValue.everyField(of: bytes) { tag, _ in
            guard let name = metaField(tag) else { return false }
            if !isFirst { json.put(UInt8(ascii: ",")) }
            isFirst = false
            json.put(name)
            json.put("true")
            return true
        }
        json.put(UInt8(ascii: "}"))
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
}
