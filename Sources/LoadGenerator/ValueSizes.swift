internal import Glibc
package import Units

/// How large the values are that a cache is filled with. A post has 170 bytes and more, which none is cut below.
package enum ValueSizes: Sendable, Equatable {
    /// As the made-up posts come: 170 to 800 bytes.
    case posts
    case constant(Int)
    /// The ETC pool of Facebook's memcached, a generalised Pareto distribution: B. Atikoglu et al., Workload analysis of a
    /// large-scale key-value store, SIGMETRICS 2012.
    case facebookETC
    /// The mean of a cluster of Twitter's (twitter/cache-trace, stat/2020Mar.md).
    case twitter(cluster: Int)

    /// A value that memcached takes by default.
    private static let largest = 1_000_000
    private static let twitterMeans = [1: 267, 18: 37, 29: 799]

    /// - Throws: ``UnitTextError`` with the form.
    package init(text: String) throws(UnitTextError) {
        if text == "posts" {
            self = .posts
        } else if text == "fb-etc" {
            self = .facebookETC
        } else if text.hasPrefix("twitter:"), let cluster = Int(text.dropFirst(8)), Self.twitterMeans[cluster] != nil {
            self = .twitter(cluster: cluster)
        } else if let size = try? ByteCount(text: text), (1...Self.largest).contains(size.bytes) {
            self = .constant(size.bytes)
        } else {
            let clusters = Self.twitterMeans.keys.sorted().map { "twitter:\($0)" }.joined(separator: ", ")
            throw UnitTextError(
                text: text,
                expected: "sizes of values: use posts, fb-etc, \(clusters), or a size as in 2KiB"
            )
        }
    }

    /// Bytes of the value of a post; nil for what it has anyway.
    /// - Parameters:
    ///   - seed: of the load.
    ///   - number: of the post, whose value is always as large.
    func bytes(seed: UInt64, number: Int) -> Int? {
        switch self {
        case .posts: return nil
        case .constant(let bytes): return bytes
        case .twitter(let cluster): return Self.twitterMeans[cluster]
        case .facebookETC:
            var generator = SplitMix64(seed: seed ^ 0x7661_6c75_6573_0000 &+ UInt64(number) &* 0x9e37_79b9_7f4a_7c15)
            let random = Double.random(in: 0..<1, using: &generator)
            // The quantile of GPareto(0, 214.476, 0.348238).
            let (scale, shape) = (214.476, 0.348238)
            return min(Self.largest, Int(scale / shape * (pow(1 - random, -shape) - 1)))
        }
    }
}
