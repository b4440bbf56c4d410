package import HTTPTypes
package import POSIX

/// A request with its whole body.
package struct Request: Sendable {
    package var head: HTTPRequest
    package var body: [UInt8]
    /// Where it came from.
    package var peer: SocketAddress?

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

/// Answers requests; called from several threads at once.
package protocol Responder: Sendable {
    func respond(to request: Request) async -> Response
    /// What to say to a request that could not be read.
    func response(to error: RequestError) -> Response
}
