internal import FanOut
internal import PostRecords
internal import SwiftProtobuf

extension FuzzTarget {
    /// Values out of memcached. One that is readable is one record and one meta, and its JSON means the same.
    static let cachedValues = FuzzTarget(
        name: "cached-values",
        words: [
            "\u{a}\u{0}", "\u{12}\u{0}", "\u{12}\u{1}a", "\u{22}\u{2}\u{8}\u{1}", "\u{28}\u{1}", "\u{10}\u{7f}",
            "J\u{1}a",
        ],
        run: { input in
            guard CachedValue.isReadable(input) else { return }
            let value = Array(input)
            let expected: Bsky_GetPostRecordsResponse
            do {
                expected = try Bsky_GetPostRecordsResponse(serializedBytes: value)
            } catch {
                throw Violation("\(value): it is readable, and swift-protobuf says \(error)")
            }
            guard expected.records.count == 1, expected.meta.count == 1 else {
                throw Violation("\(value): it is readable, and not one record and its meta")
            }
            let json = Array(AnswerJSON.body(of: [AnswerJSON([.hit(value)][...])]).joined())
            do {
                // Written again, both have the order of the fields, and nothing that JSON does not say.
                let written = try Bsky_GetPostRecordsResponse(jsonUTF8Bytes: json)
                guard try written.jsonString() == expected.jsonString() else {
                    throw Violation("\(value): its JSON is \(shown(json))")
                }
            } catch let error as JSONDecodingError {
                throw Violation("\(value): its JSON is \(shown(json)), \(error)")
            }
        }
    )
}
