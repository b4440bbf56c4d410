internal import FanOut
internal import SwiftProtobuf

/// Part of a GetPostRecords answer in JSON: what stands between the brackets of its two lists.
///
/// Parts are written on several cores and joined. A value out of the cache is usually rewritten
/// without being decoded, see ``CachedValueJSON``; swift-protobuf does the rest.
struct AnswerJSON: Sendable {
    private var records: [UInt8] = []
    private var meta: [UInt8] = []

    /// Puts outcomes in their places: a record and its meta for each, `{}` where there is none.
    /// - Parameter unreadable: called with the index of a cached value that is no post record.
    init(_ outcomes: ArraySlice<Outcome>, unreadable: (Int) -> Void) {
        records.reserveCapacity(outcomes.count * 800)
        meta.reserveCapacity(outcomes.count * 32)
        for (index, outcome) in zip(outcomes.indices, outcomes) {
            if index > outcomes.startIndex {
                records.append(UInt8(ascii: ","))
                meta.append(UInt8(ascii: ","))
            }
            switch outcome {
            case .hit(let value), .stored(let value):
                if CachedValueJSON.rewrite(value, into: &records, &meta) { continue }
                if appendDecoded(value) { continue }
                unreadable(index)
            case .missing, .failed: break
            }
            records += "{}".utf8
            meta += "{}".utf8
        }
    }

    /// A cached value is the response to asking for one URI.
    private mutating func appendDecoded(_ value: [UInt8]) -> Bool {
        guard let response = try? Bsky_GetPostRecordsResponse(serializedBytes: value), response.records.count == 1,
            response.meta.count == 1, let record: [UInt8] = try? response.records[0].jsonUTF8Bytes(),
            let itsMeta: [UInt8] = try? response.meta[0].jsonUTF8Bytes()
        else { return false }
        records += record
        meta += itsMeta
        return true
    }

    /// The whole answer out of its parts, in order.
    static func joined(_ parts: [AnswerJSON]) -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(parts.reduce(64) { $0 + $1.records.count + $1.meta.count + 2 })
        func append(_ list: KeyPath<AnswerJSON, [UInt8]>) {
            for (index, part) in parts.enumerated() {
                if index > 0 { body.append(UInt8(ascii: ",")) }
                body += part[keyPath: list]
            }
        }
        body += "{\"records\":[".utf8
        append(\.records)
        body += "],\"meta\":[".utf8
        append(\.meta)
        body += "]}".utf8
        return body
    }
}
