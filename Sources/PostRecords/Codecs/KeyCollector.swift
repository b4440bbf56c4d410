internal import FanOut

/// Gathers the keys of a request as they are read from its body.
struct KeyCollector {
    /// URIs of one request.
    private let limit: Int
    private var spans: [KeyList.Span] = []
    /// Keys that do not stand in the body as they are, one behind another.
    private var decoded: [UInt8] = []

    /// - Parameters:
    ///   - body: bytes of the body, where keys lie that are not decoded.
    ///   - limit: of URIs.
    init(body: Int, limit: Int) {
        self.limit = limit
        bodyLength = body
        // A post URI takes 70 bytes, and 2 to 4 around it.
        spans.reserveCapacity(min(limit, body / 72))
    }

    private let bodyLength: Int

    /// Takes a key as it stands in the body.
    /// - Throws: ``ConnectError`` when it is one too many, or cannot be a key.
    mutating func add(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int) throws(ConnectError) {
        try check(bytes)
        spans.append(KeyList.Span(start: start, count: bytes.count))
    }

    /// Takes a key that stands in the body in another form.
    /// - Throws: ``ConnectError``
    mutating func add(decoded bytes: [UInt8]) throws(ConnectError) {
        // Errors of a type do not pass through withUnsafeBufferPointer.
        let result = bytes.withUnsafeBufferPointer { bytes in
            Result { () throws(ConnectError) in try check(bytes) }
        }
        try result.get()
        spans.append(KeyList.Span(start: bodyLength + decoded.count, count: bytes.count))
        decoded += bytes
    }

    private func check(_ bytes: UnsafeBufferPointer<UInt8>) throws(ConnectError) {
        guard spans.count < limit else {
            throw ConnectError(
                .resourceExhausted,
                "there are more than \(limit) URIs in one request; ask for fewer at once"
            )
        }
        if let problem = PostURI.keyProblem(bytes) {
            throw ConnectError(.invalidArgument, "uris[\(spans.count)] cannot be looked up: \(problem)")
        }
    }

    /// The keys, once all are read.
    /// - Throws: ``ConnectError`` when there is none.
    func keys(in body: [UInt8]) throws(ConnectError) -> KeyList {
        guard !spans.isEmpty else {
            throw ConnectError(.invalidArgument, "uris is empty; name at least one post URI")
        }
        return KeyList(decoded.isEmpty ? body : body + decoded, spans: spans)
    }
}
