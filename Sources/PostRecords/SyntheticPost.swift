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
    /// - Parameter bytes: to which its text is made longer, to within a few; nil for as long as it comes.
    package static func cacheValue(for uri: String, bytes: Int? = nil) -> [UInt8] {
        let value = cacheValue(for: uri, padding: 0)
        guard let bytes, bytes > value.count else { return value }
        return cacheValue(for: uri, padding: bytes - value.count)
    }

    private static func cacheValue(for uri: String, padding: Int) -> [UInt8] {
        var response = Bsky_GetPostRecordsResponse()
        let (record, meta) = make(for: uri, padding: padding)
        response.records = [record]
        response.meta = [meta]
        // Cannot fail: no required fields, and all strings are valid UTF-8.
        return (try? response.serializedBytes()) ?? []
    }

    /// - Parameter padding: bytes by which its text is longer.
    static func make(for uri: String, padding: Int = 0) -> (record: Bsky_Record, meta: Bsky_PostRecordMeta) {
        var generator = SplitMix64(seed: fnv1a(uri.utf8))
        // Between April and June 2026, a second apart at the finest.
        let created = 1_775_000_000 + Int64(generator.next() % 7_000_000)
        let isReply = generator.next() % 3 == 0
        let hasMedia = generator.next() % 4 == 0

        var text = ""
        let length = 80 + Int(generator.next() % 220)
        while text.utf8.count < length {
            text += words[Int(generator.next() % UInt64(words.count))] + " "
        }
        text += String(repeating: ".", count: padding)
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

    /// The identifier of the post behind a URI, without making the post: what a record is known by. 59 bytes.
    package static func cid(of uri: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var generator = SplitMix64(seed: fnv1a(uri))
        // The same draws as in ``make(for:)``.
        _ = generator.next()
        let isReply = generator.next() % 3 == 0
        _ = generator.next()
        let length = 80 + Int(generator.next() % 220)
        var written = 0
        while written < length { written += wordLengths[Int(generator.next() % UInt64(wordLengths.count))] + 1 }
        if isReply { for _ in 0..<1 + cidLetters { _ = generator.next() } }
        var cid = cidPrefix
        cid.reserveCapacity(cidPrefix.count + cidLetters)
        for _ in 0..<cidLetters { cid.append(base32[Int(generator.next() >> 59)]) }
        return cid
    }

    private static let wordLengths = words.map(\.utf8.count)

    /// Shaped like the identifier of a post, 59 characters; it is no hash of the content.
    private static func cid(_ generator: inout SplitMix64) -> String {
        var text = cidPrefix
        for _ in 0..<cidLetters { text.append(base32[Int(generator.next() >> 59)]) }
        return String(decoding: text, as: UTF8.self)
    }

    package static let cidPrefix = Array("bafyrei".utf8)
    /// Letters behind the prefix.
    package static let cidLetters = 52
    private static let base32 = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    /// Fowler-Noll-Vo 1a, 64 bits: the same on every machine, unlike `Hasher`.
    private static func fnv1a(_ text: some Sequence<UInt8>) -> UInt64 {
        text.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
