package import PostRecords
package import Units

/// The posts a load asks for: a numbered set that a seed stands for. Each batch is a run of
/// neighbours from a random place, so that no URI comes twice in a batch.
package struct Workload: Sendable {
    package let seed: UInt64
    package let uris: [String]

    /// - Parameter count: distinct posts, 1 or more.
    package init(seed: UInt64, count: Int) {
        self.seed = seed
        uris = (0..<count).map { PostURI.make(seed: seed, number: $0) }
    }

    /// The body of a batch.
    /// - Parameter size: at most the number of posts.
    package func body(size: Int, in codec: Codec, using generator: inout SplitMix64) -> [UInt8] {
        let first = Int(generator.next() % UInt64(uris.count))
        let asked = (0..<size).lazy.map { uris[(first + $0) % uris.count] }
        var body: [UInt8] = []
        body.reserveCapacity(size * 74 + 16)
        switch codec {
        case .json:
            body += "{\"uris\":[".utf8
            for (place, uri) in asked.enumerated() {
                // URIs are plain ASCII without quotes: they need no escaping.
                if place > 0 { body.append(UInt8(ascii: ",")) }
                body.append(UInt8(ascii: "\""))
                body += uri.utf8
                body.append(UInt8(ascii: "\""))
            }
            body += "]}".utf8
        case .proto:
            for uri in asked {
                // Field 1, a string; URIs have 70 bytes, so their length is a varint of one.
                body += [0x0a, UInt8(uri.utf8.count)]
                body += uri.utf8
            }
        }
        return body
    }
}
