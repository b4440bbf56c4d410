internal import HTTP

extension FuzzTarget {
    /// What comes compressed: never more than the limit, and the same whatever the limit is. The input is also compressed,
    /// in two parts, and must come back.
    static let gzip = FuzzTarget(
        name: "gzip",
        words: ["\u{1f}", "\u{8}", "\u{0}\u{0}\u{0}\u{0}", "\u{ff}", "\u{3}\u{0}"],
        run: { input in
            let bytes = Array(input)
            let limit = 1 << 16
            if let output = try? Gzip.decompress(bytes, limit: limit) {
                guard output.count <= limit, (try? Gzip.decompress(bytes, limit: output.count)) == output else {
                    throw Violation("\(shown(bytes)): it is not the same under another limit")
                }
                if !output.isEmpty, (try? Gzip.decompress(bytes, limit: output.count - 1)) != nil {
                    throw Violation("\(shown(bytes)): it is larger than its limit")
                }
            }
            let middle = bytes.count / 3
            let parts = [Array(bytes[..<middle]), Array(bytes[middle...])].map { GzipPart([$0][...]) }
            let stream = Array(GzipPart.stream(of: parts).joined())
            guard (try? Gzip.decompress(stream, limit: bytes.count)) == bytes else {
                throw Violation("\(shown(bytes)): it is not what was compressed")
            }
        }
    )
}
