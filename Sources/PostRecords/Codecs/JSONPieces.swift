internal import SwiftProtobuf

/// A GetPostRecords answer in JSON, put together from pieces that were written on several cores.
///
/// The JSON of a large answer takes about as long as all its lookups; written in two pieces on two
/// cores it takes half. What stands between the brackets of the pieces' lists stands, with commas
/// between them, in the lists of the whole.
struct JSONPieces {
    private static let recordsOpening = Array("{\"records\":[".utf8)
    private static let metaOpening = Array("{\"meta\":[".utf8)
    private static let closing = Array("]}".utf8)

    /// What stands between the brackets, in order.
    private var records: [ArraySlice<UInt8>] = []
    private var meta: [ArraySlice<UInt8>] = []

    /// One piece: the JSON of its records and of its meta, each as a message of its own.
    struct Piece: Sendable {
        var records: [UInt8]
        var meta: [UInt8]

        /// - Parameter response: with at least one record.
        init(_ response: consuming Bsky_GetPostRecordsResponse) throws {
            var metaOnly = Bsky_GetPostRecordsResponse()
            metaOnly.meta = response.meta
            response.meta = []
            records = try response.jsonUTF8Bytes()
            meta = try metaOnly.jsonUTF8Bytes()
        }
    }

    mutating func append(_ piece: Piece) {
        records.append(Self.inside(piece.records, Self.recordsOpening))
        meta.append(Self.inside(piece.meta, Self.metaOpening))
    }

    private static func inside(_ json: [UInt8], _ opening: [UInt8]) -> ArraySlice<UInt8> {
        precondition(json.starts(with: opening) && json.suffix(2) == closing[...], "protobuf's JSON has another form")
        return json.dropFirst(opening.count).dropLast(closing.count)
    }

    /// The whole answer.
    func joined() -> [UInt8] {
        let size = (records + meta).reduce(64) { $0 + $1.count + 1 }
        var body: [UInt8] = []
        body.reserveCapacity(size)
        body += Self.recordsOpening
        Self.append(records, to: &body)
        body += "],\"meta\":[".utf8
        Self.append(meta, to: &body)
        body += Self.closing
        return body
    }

    private static func append(_ lists: [ArraySlice<UInt8>], to body: inout [UInt8]) {
        for (index, list) in lists.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            body += list
        }
    }
}
