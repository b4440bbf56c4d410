internal import PostRecords
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

    /// The body of a batch in Connect's JSON.
    /// - Parameter size: at most the number of posts.
    package func body(size: Int, using generator: inout SplitMix64) -> [UInt8] {
        let first = Int(generator.next() % UInt64(uris.count))
        var body: [UInt8] = []
        body.reserveCapacity(size * 74 + 16)
        body += "{\"uris\":[".utf8
        for offset in 0..<size {
            // URIs are plain ASCII without quotes: they need no escaping.
            if offset > 0 { body.append(UInt8(ascii: ",")) }
            body.append(UInt8(ascii: "\""))
            body += uris[(first + offset) % uris.count].utf8
            body.append(UInt8(ascii: "\""))
        }
        body += "]}".utf8
        return body
    }
}
