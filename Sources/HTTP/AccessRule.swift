internal import HTTPTypes
package import POSIX

/// Who may use a listener that shows and steers a process: whoever carries its token, or, without one, who is on this
/// machine and no other site's page.
package struct AccessRule: Sendable {
    /// What a request must carry; nil where loopback is guard enough.
    package let token: AccessToken?

    /// - Returns: nil when an address off loopback has no token: whoever reached it could do anything.
    package init?(for address: SocketAddress, token: AccessToken?) {
        guard address.isLoopback || token != nil else { return nil }
        self.token = token
    }

    /// Why a request is not served: no token, or a browser that somebody else's page sent. Nil when it is.
    package func refusal(of request: Request) -> RequestError? {
        let authority = request.head.authority ?? ""
        if let token {
            guard token.matches(Self.token(in: request)) else {
                return RequestError(
                    .unauthorized,
                    "add ?token=TOKEN to the address, or the header field Authorization: Bearer TOKEN"
                )
            }
        } else {
            // A name that leads to 127.0.0.1 may be any page's of the world: DNS rebinding.
            guard Self.isLoopback(authority) else {
                return RequestError(.forbidden, "ask for it by its address, as in http://127.0.0.1:PORT")
            }
        }
        let origin = request.head.headerFields[.origin]
        guard origin == nil || origin == "http://\(authority)" else {
            return RequestError(.forbidden, "another site's page is not served here")
        }
        return nil
    }

    /// - Parameter authority: `HOST`, `HOST:PORT`, `[ADDRESS]` or `[ADDRESS]:PORT`.
    private static func isLoopback(_ authority: String) -> Bool {
        let bracket = authority.hasPrefix("[") ? authority.firstIndex(of: "]") : nil
        let end = bracket.map { authority.index(after: $0) } ?? authority.firstIndex(of: ":") ?? authority.endIndex
        guard authority[end...].isEmpty || authority[end...].hasPrefix(":") else { return false }
        let host = String(authority[..<end])
        return host.asciiLowercased == "localhost" || IPAddress(text: host)?.isLoopback == true
    }

    private static func token(in request: Request) -> String {
        let authorization = request.head.headerFields[.authorization] ?? ""
        let words = authorization.split(separator: " ", maxSplits: 1)
        if words.count == 2, String(words[0]).asciiLowercased == "bearer" { return String(words[1]).trimmingBlanks() }
        let query = (request.head.path ?? "").split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        let field = query.split(separator: "&").first { $0.hasPrefix("token=") } ?? ""
        return String(field.dropFirst(6))
    }
}

extension Response {
    /// Says how a request that was refused for want of a token may be tried again. RFC 9110 section 15.5.2
    package func challenging() -> Response {
        var response = self
        if head.status == .unauthorized { response.head.headerFields[.wwwAuthenticate] = "Bearer" }
        return response
    }
}
