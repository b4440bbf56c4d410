package import FanOut
internal import SwiftProtobuf

/// Part of a GetPostRecords answer in JSON: what stands between the brackets of its two lists, with the comma before it.
///
/// A value out of the cache is usually rewritten without being decoded, see ``CachedValueJSON``; swift-protobuf
/// does the rest.
package struct AnswerJSON: AnswerPart {
    private var records: [UInt8] = []
    private var meta: [UInt8] = []

    package init(_ outcomes: ArraySlice<Outcome>) {
        records.reserveCapacity(outcomes.count * 800)
        meta.reserveCapacity(outcomes.count * 32)
        for (index, outcome) in zip(outcomes.indices, outcomes) {
            if index > 0 {
                records.append(UInt8(ascii: ","))
                meta.append(UInt8(ascii: ","))
            }
            switch outcome {
            case .hit(let value), .stored(let value):
                if CachedValueJSON.rewrite(value, into: &records, &meta) { continue }
                if appendDecoded(value) { continue }
            case .missing, .unreadable, .failed: break
            }
            records += "{}".utf8
            meta += "{}".utf8
        }
    }

    private mutating func appendDecoded(_ value: [UInt8]) -> Bool {
        guard let decoded = CachedValue(decoding: value),
            let record: [UInt8] = try? decoded.record.jsonUTF8Bytes(),
            let itsMeta: [UInt8] = try? decoded.meta.jsonUTF8Bytes()
        else { return false }
        records += record
        meta += itsMeta
        return true
    }

    /// One JSON document from the parts of an answer.
    package static func body(of parts: [AnswerJSON]) -> [[UInt8]] {
        [Array("{\"records\":[".utf8)] + parts.map(\.records) + [Array("],\"meta\":[".utf8)] + parts.map(\.meta)
            + [Array("]}".utf8)]
    }
}
