internal import Units

/// Post URIs: `at://did:plc:<24 of a-z2-7>/app.bsky.feed.post/<13-character TID>`, 70 bytes.
package enum PostURI {
    /// The base32 alphabet of DIDs of method plc.
    private static let base32 = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
    /// The sortable base32 alphabet of timestamp identifiers (TIDs).
    private static let sortableBase32 = Array("234567abcdefghijklmnopqrstuvwxyz".utf8)

    /// The URI of one of the numbered posts a seed stands for. Equal arguments give equal URIs.
    package static func make(seed: UInt64, number: Int) -> String {
        var generator = SplitMix64(seed: seed &+ UInt64(truncatingIfNeeded: number) &* 0x9e37_79b9_7f4a_7c15)
        var text = Array("at://did:plc:".utf8)
        for _ in 0..<24 { text.append(base32[Int(generator.next() >> 59)]) }
        text += "/app.bsky.feed.post/".utf8
        // The top bit of a TID is 0, so its first character is one of the first eight of 16 values.
        var tid = generator.next() >> 1
        var tail: [UInt8] = []
        for _ in 0..<13 {
            tail.append(sortableBase32[Int(tid & 31)])
            tid >>= 5
        }
        text += tail.reversed()
        return String(decoding: text, as: UTF8.self)
    }

    /// What keeps a text from being a memcached key, or nil when it is one: 1 to 250 bytes, none of
    /// them a space or control character (protocol.txt).
    package static func keyProblem(_ uri: String) -> String? {
        var uri = uri
        return uri.withUTF8(keyProblem)
    }

    /// As ``keyProblem(_:)`` for the text's UTF-8.
    static func keyProblem(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        if bytes.isEmpty { return "it is empty" }
        if bytes.count > 250 { return "it has \(bytes.count) bytes, and memcached keys at most 250" }
        guard let place = bytes.firstIndex(where: { $0 <= 0x20 || $0 == 0x7f }) else { return nil }
        return "byte \(place) is a space or control character, which memcached keys cannot have"
    }
}
