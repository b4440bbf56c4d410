package import HTTPTypes
package import POSIX

/// A request with its whole body.
package struct Request: Sendable {
    package var head: HTTPRequest
    package var body: [UInt8]
    /// Where it came from.
    package var peer: SocketAddress?
    /// When the last of it came.
    package var arrived = MonotonicInstant.now
    /// Whether it is of HTTP/1.0, which has neither chunks nor trailers.
    package var isHTTP10 = false
    /// Whether it said how long its body is, if only that there is none.
    package var hasLength = true

    /// The path without the query.
    package var path: String {
        let path = head.path ?? "/"
        return String(path.prefix { $0 != "?" })
    }
}

/// A response with its whole body, for which the server adds `Content-Length`, or with pieces that follow.
package struct Response: Sendable {
    package var head: HTTPResponse
    /// In blocks that go out one after another, so that a large body need not be joined.
    package var body: [[UInt8]]
    /// Sent after the body as they come; the connection ends with them. Nil where the body is all.
    package var pieces: AsyncStream<[UInt8]>?
    /// Sent behind the body, which goes out chunked then; nil where there are none.
    package var trailers: HTTPFields?
    /// Whether the connection ends with it: what follows on it cannot be told from a body, or is not wanted.
    package var closes = false

    package init(
        _ status: HTTPResponse.Status,
        contentType: String,
        blocks: [[UInt8]],
        pieces: AsyncStream<[UInt8]>? = nil
    ) {
        head = HTTPResponse(status: status, headerFields: [.contentType: contentType])
        body = blocks
        self.pieces = pieces
    }

    package init(_ status: HTTPResponse.Status, contentType: String, body: [UInt8]) {
        self.init(status, contentType: contentType, blocks: [body])
    }
}
