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

/// A response with its whole body; the server adds `Content-Length`.
package struct Response: Sendable {
    package var head: HTTPResponse
    package var body: [UInt8]

    package init(_ status: HTTPResponse.Status, contentType: String, body: [UInt8]) {
        head = HTTPResponse(status: status, headerFields: [.contentType: contentType])
        self.body = body
    }
}

/// Answers requests; called from several threads at once.
package protocol Responder: Sendable {
    func respond(to request: Request) async -> Response
    /// What to say to a request that could not be read.
    func response(to error: RequestError) -> Response
}
