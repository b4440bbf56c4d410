package import Units

/// How a batch becomes lookups. The setting `fanout`.
package enum FanoutPolicy: Sendable, Hashable, CustomStringConvertible {
    /// One `get` on one connection for each URI, as the incident's service did.
    case perURI
    /// One `get` for up to this many keys of the same server.
    case multiget(chunk: Int)

    /// Beyond this many keys, a failing multi-key get in libmemcached recurses and takes
    /// 168 MB (measured with 1.1.4).
    package static let largestChunk = 1000

    /// - Throws: ``UnitTextError`` listing the accepted forms.
    package init(text: String) throws(UnitTextError) {
        if text == "per-uri" {
            self = .perURI
        } else if text.hasPrefix("multiget:"), let chunk = Int(text.dropFirst(9)),
            (1...Self.largestChunk).contains(chunk)
        {
            self = .multiget(chunk: chunk)
        } else {
            throw UnitTextError(
                text: text,
                expected: "a fan-out: use per-uri or multiget:CHUNK with CHUNK from 1 to \(Self.largestChunk)"
            )
        }
    }

    package var description: String {
        switch self {
        case .perURI: "per-uri"
        case .multiget(let chunk): "multiget:\(chunk)"
        }
    }
}
