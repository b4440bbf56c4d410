internal import HTTPTypes

extension Response {
    /// The status line and header fields as they go over the wire.
    func encodedHead(keepAlive: Bool) -> [UInt8] {
        var text = "HTTP/1.1 \(head.status.code) \(head.status.reasonPhrase)\r\n"
        for field in head.headerFields { text += "\(field.name): \(field.value)\r\n" }
        if pieces == nil { text += "Content-Length: \(body.reduce(0) { $0 + $1.count })\r\n" }
        if !keepAlive { text += "Connection: close\r\n" }
        text += "\r\n"
        return Array(text.utf8)
    }
}
