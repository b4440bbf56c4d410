internal import FoundationEssentials
internal import SwiftProtobuf
internal import Text
internal import Units

/// The post behind a URI, made up from the URI alone: the same on every run, in the store, in a
/// preloaded cache and in a test that checks either.
package enum SyntheticPost {
    private static let words = [
        "sky", "post", "thread", "cache", "port", "dial", "river", "night", "coffee", "train", "garden", "signal",
        "morning", "release", "network", "quiet", "weather", "lantern", "orbit", "window", "mirror", "paper",
    ]

    /// What memcached keeps under the URI: the response to asking for this URI alone. Responses
    /// merge by appending, so an answer is its values one after the other.
    package static func cacheValue(for uri: String) -> [UInt8] {
        var response = Bsky_GetPostRecordsResponse()
        let (record, meta) = make(for: uri)
        response.records = [record]
        response.meta = [meta]
        // Cannot fail: no required fields, and all strings are valid UTF-8.
        return (try? response.serializedBytes()) ?? []
    }

    static func make(for uri: String) -> (record: Bsky_Record, meta: Bsky_PostRecordMeta) {
        var generator = SplitMix64(seed: fnv1a(uri))
        // Between April and June 2026, a second apart at the finest.
        let created = 1_775_000_000 + Int64(generator.next() % 7_000_000)
        let isReply = generator.next() % 3 == 0
        let hasMedia = generator.next() % 4 == 0

        var text = ""
        let length = 80 + Int(generator.next() % 220)
        while text.utf8.count < length {
            text += words[Int(generator.next() % UInt64(words.count))] + " "
        }
        var json = #"{"$type":"app.bsky.feed.post","createdAt":""#
        json += CivilTime(secondsSince1970: created).text + #"","langs":["en"],"text":""# + text + #"""#
        if isReply {
            let parent = PostURI.make(seed: generator.next(), number: 0)
            let reference = #"{"cid":"\#(cid(&generator))","uri":"\#(parent)"}"#
            json += #","reply":{"parent":\#(reference),"root":\#(reference)}"#
        }
        json += "}"

        var record = Bsky_Record()
        record.record = .init(json.utf8)
        record.cid = cid(&generator)
        record.createdAt = Google_Protobuf_Timestamp(seconds: created)
        record.indexedAt = Google_Protobuf_Timestamp(seconds: created + 1)
        record.sortedAt = Google_Protobuf_Timestamp(seconds: created)
        var meta = Bsky_PostRecordMeta()
        meta.isReply = isReply
        meta.hasMedia_p = hasMedia
        return (record, meta)
    }

    /// Shaped like the identifier of a post, 59 characters; it is no hash of the content.
    private static func cid(_ generator: inout SplitMix64) -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        var text = Array("bafyrei".utf8)
        for _ in 0..<52 { text.append(alphabet[Int(generator.next() >> 59)]) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Fowler-Noll-Vo 1a, 64 bits: the same on every machine, unlike `Hasher`.
    private static func fnv1a(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
