package import PostRecords

/// Counts the records of a GetPostRecords answer without building them: an answer has 12 MB, and
/// the machine's cores belong to the measurement.
package struct AnswerScan: Equatable {
    /// Records, and how many of them have no field.
    package private(set) var records = 0
    package private(set) var empty = 0

    /// Nil when the body is not an answer in the codec: no JSON object, or no protobuf of records and metas.
    package init?(_ body: [UInt8], _ codec: Codec) {
        let complete = body.withUnsafeBufferPointer { bytes in
            switch codec {
            case .json: scanJSON(bytes)
            case .proto: scanProto(bytes)
            }
        }
        guard complete else { return nil }
    }

    private mutating func scanProto(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var reader = WireReader(bytes)
        while !reader.isAtEnd {
            guard let tag = reader.nextTag(), let message = reader.nextBytes() else { return false }
            switch tag {
            case 0x0a:
                records += 1
                if message.isEmpty { empty += 1 }
            case 0x12: break
            default: return false
            }
        }
        return true
    }

    private mutating func scanJSON(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var depth = 0
        // Start and end of the last string at depth 1, which names the member that follows it.
        var name = 0..<0
        var inRecords = false
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                let start = index + 1
                index += 1
                while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
                    index += bytes[index] == UInt8(ascii: "\\") ? 2 : 1
                }
                if depth == 1 { name = start..<min(index, bytes.count) }
            case UInt8(ascii: "{"):
                depth += 1
                if inRecords, depth == 3 {
                    records += 1
                    var next = index + 1
                    while next < bytes.count, bytes[next] <= 0x20 { next += 1 }
                    if next < bytes.count, bytes[next] == UInt8(ascii: "}") { empty += 1 }
                }
            case UInt8(ascii: "["):
                depth += 1
                if depth == 2 { inRecords = bytes[name].elementsEqual("records".utf8) }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 2 { inRecords = false }
                depth -= 1
            default: break
            }
            index += 1
        }
        return depth == 0 && bytes.first == UInt8(ascii: "{")
    }
}
