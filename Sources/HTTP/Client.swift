package import HTTPTypes
package import POSIX

/// Why a request got no answer.
package enum ClientError: Error, CustomStringConvertible {
    case system(SystemCallError)
    /// The server closed before the answer was complete.
    case closed
    /// No bytes for as long as the connection's timeout.
    case timedOut
    case malformed(String)

    package var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .closed: "the server closed the connection before its answer was complete"
        case .timedOut: "no answer within the timeout"
        case .malformed(let what): "the answer is not HTTP/1.1: \(what)"
        }
    }

    /// One name to count the failure under.
    package var name: String {
        switch self {
        case .system(let error): error.name
        case .closed: "EOF"
        case .timedOut: "ETIMEDOUT"
        case .malformed: "MALFORMED"
        }
    }
}

/// A blocking, kept-alive connection to an HTTP/1.1 server; one request at a time.
package struct Client: ~Copyable {
    package struct Answer: Sendable {
        package var status: Int
        package var fields: HTTPFields
        package var body: [UInt8]
    }

    private let socket: Socket
    private let host: String
    private var buffer = ByteBuffer()
    /// Whether another request can be sent on it.
    package private(set) var isReusable = true

    /// - Parameters:
    ///   - source: address to connect from; nil leaves it to the kernel.
    ///   - timeout: of the connect, and of every wait for more bytes.
    /// - Throws: ``SystemCallError``
    package init(to address: SocketAddress, from source: IPv4Address? = nil, timeout: Duration) throws(SystemCallError)
    {
        socket = try Socket.connected(to: address, from: source, timeout: timeout)
        host = address.description
    }

    /// Sends a request and waits for its whole answer.
    package mutating func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        fields: HTTPFields = [:],
        body: [UInt8] = []
    ) throws(ClientError) -> Answer {
        isReusable = false
        var head = "\(method.rawValue) \(path) HTTP/1.1\r\nHost: \(host)\r\n"
        for field in fields { head += "\(field.name): \(field.value)\r\n" }
        if !body.isEmpty || method == .post { head += "Content-Length: \(body.count)\r\n" }
        head += "\r\n"
        do {
            try write(Array(head.utf8) + body)
        } catch .system(let error) {
            // A server that refuses a request may close before it has read all of it, and has answered.
            guard let answer = try? readAnswer() else { throw .system(error) }
            isReusable = false
            return answer
        }
        return try readAnswer()
    }

    private func write(_ bytes: [UInt8]) throws(ClientError) {
        var sent = 0
        while sent < bytes.count {
            let result: IOResult
            do throws(SystemCallError) {
                result = try socket.descriptor.write(bytes[sent...])
            } catch {
                throw .system(error)
            }
            // A blocking socket answers EAGAIN when its timeout is over.
            guard case .done(let count) = result else { throw .timedOut }
            sent += count
        }
    }

    /// Reads more into the buffer; false at the end of the connection.
    private mutating func fill() throws(ClientError) -> Bool {
        let result: IOResult
        let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { space.deallocate() }
        do throws(SystemCallError) {
            result = try socket.descriptor.read(into: space)
        } catch {
            throw .system(error)
        }
        switch result {
        case .done(let count): buffer.append(UnsafeRawBufferPointer(rebasing: space[..<count]))
        // A blocking socket answers EAGAIN when its timeout is over.
        case .wouldBlock: throw .timedOut
        }
        return result != .done(0)
    }

    /// Reads a body of known length to where it stays: an answer has 10 MB.
    private mutating func readBody(_ length: Int) throws(ClientError) -> [UInt8] {
        var failure: ClientError?
        let body = [UInt8](unsafeUninitializedCapacity: length) { space, filled in
            let space = UnsafeMutableRawBufferPointer(space)
            filled = buffer.take(into: space)
            while filled < length, failure == nil {
                do throws(SystemCallError) {
                    switch try socket.descriptor.read(into: .init(rebasing: space[filled...])) {
                    case .done(0): failure = .closed
                    case .done(let count): filled += count
                    case .wouldBlock: failure = .timedOut
                    }
                } catch {
                    failure = .system(error)
                }
            }
        }
        if let failure { throw failure }
        return body
    }

    private mutating func line() throws(ClientError) -> String {
        while true {
            if let line = buffer.takeLine() { return String(decoding: line, as: UTF8.self) }
            guard try fill() else { throw .closed }
        }
    }

    private mutating func readAnswer() throws(ClientError) -> Answer {
        let statusLine = try line().split(separator: " ", maxSplits: 2)
        guard statusLine.count >= 2, statusLine[0].hasPrefix("HTTP/1."), let status = Int(statusLine[1]) else {
            throw .malformed("no status line")
        }
        var fields = HTTPFields()
        while true {
            let line = try line()
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: ":"), let name = HTTPField.Name(String(line[..<colon])) else {
                throw .malformed("a header field has no name")
            }
            fields.append(HTTPField(name: name, value: String(line[line.index(after: colon)...]).trimmingBlanks()))
        }
        var body: [UInt8] = []
        if fields[.transferEncoding]?.lowercased() == "chunked" {
            try readChunks(into: &body)
        } else if let length = fields[.contentLength].flatMap({ Int($0) }) {
            body = try readBody(length)
        } else {
            throw .malformed("neither Content-Length nor chunked")
        }
        isReusable = fields[.connection]?.lowercased() != "close"
        return Answer(status: status, fields: fields, body: body)
    }

    private mutating func readChunks(into body: inout [UInt8]) throws(ClientError) {
        var decoder = ChunkedDecoder()
        while true {
            do throws(RequestError) {
                if try decoder.decode(&buffer, into: &body, limit: .max / 2) { return }
            } catch {
                throw .malformed(error.message)
            }
            guard try fill() else { throw .closed }
        }
    }
}
