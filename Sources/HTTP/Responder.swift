package import HTTPTypes

/// What both kinds of responder say to a request before or without reading all of it.
package protocol Refuser: Sendable {
    /// What to say to a request that could not be read or taken.
    /// - Parameter head: of the request, where that much was read.
    func response(to error: RequestError, head: HTTPRequest?) -> Response

    /// What to say to a request at once whose client waits before it sends the body; nil lets it go on.
    func refusal(of head: HTTPRequest) -> Response?
}

extension Refuser {
    package func refusal(of head: HTTPRequest) -> Response? { nil }
}

/// Answers requests on Swift's pool of threads; called from several of them at once. A HEAD comes as GET, and the
/// body of its answer is left out.
package protocol Responder: Refuser {
    /// Its task is cancelled when the client leaves, unless ``ServerBounds/abandoned`` is to finish.
    func respond(to request: Request) async -> Response
}

/// Answers requests one after another on a thread of the server's own: nothing else that is blocked or busy, Swift's
/// pool of threads among it, keeps it from answering.
package protocol ThreadResponder: Refuser {
    /// An answer that takes neither time nor a lock, given where requests are read; nil leaves it to
    /// ``respond(to:)``.
    func immediateResponse(to request: Request) -> Response?

    func respond(to request: Request) -> Response
}
