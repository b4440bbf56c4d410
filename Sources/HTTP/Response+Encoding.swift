internal import HTTPTypes

/// What a response answers, as far as its form depends on it.
struct Exchange: Sendable {
    /// The request is a HEAD: its answer has no body, and says how long it would be.
    var isHead = false
    var isHTTP10 = false
    var keepAlive = false
}

extension Response {
    /// The response as it goes over the wire, in blocks; pieces follow.
    func encoded(for exchange: Exchange) -> [[UInt8]] {
        let length = body.reduce(0) { $0 + $1.count }
        let isChunked = trailers != nil && !exchange.isHTTP10
        var text = "HTTP/1.1 \(head.status.code) \(head.status.reasonPhrase)\r\n"
        for field in head.headerFields { text += "\(field.name): \(field.value)\r\n" }
        if isChunked {
            text += "Transfer-Encoding: chunked\r\n"
        } else if pieces == nil {
            text += "Content-Length: \(length)\r\n"
        }
        if !exchange.keepAlive {
            text += "Connection: close\r\n"
        } else if exchange.isHTTP10 {
            // Its clients take the connection for closed unless told otherwise. RFC 9112 section 9.3
            text += "Connection: keep-alive\r\n"
        }
        text += "\r\n"
        if exchange.isHead { return [Array(text.utf8)] }
        guard isChunked else { return [Array(text.utf8)] + body }
        if length > 0 { text += String(length, radix: 16) + "\r\n" }
        var end = length > 0 ? "\r\n0\r\n" : "0\r\n"
        for field in trailers ?? [:] { end += "\(field.name): \(field.value)\r\n" }
        end += "\r\n"
        return [Array(text.utf8)] + body + [Array(end.utf8)]
    }
}
