internal import HTTPTypes

/// Turns bytes into requests: HTTP/1.1 and 1.0, `Content-Length` and chunked bodies. Holds no socket.
struct RequestParser {
    enum Output {
        /// More bytes are needed.
        case incomplete
        /// The client waits to be told to send the body (RFC 9110 section 10.1.1).
        case expectsContinue
        case request(Request, keepAlive: Bool)
    }

    /// Bytes of request line and header fields together.
    static let largestHead = 64 << 10

    private enum State {
        case requestLine
        case fields
        case body(length: Int)
        case chunked(ChunkedDecoder)
    }

    private let largestBody: Int
    private var buffer = ByteBuffer()
    private var state = State.requestLine
    private var head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: nil)
    private var headBytes = 0
    private var keepAlive = true
    private var body: [UInt8] = []

    init(largestBody: Int) {
        self.largestBody = largestBody
    }

    /// Whether part of a request has been read.
    var isMidRequest: Bool {
        if case .requestLine = state { return buffer.count > 0 }
        return true
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        buffer.append(bytes)
    }

    /// Parses on as far as the bytes go.
    /// - Throws: ``RequestError``, after which the connection cannot be read further.
    mutating func next() throws(RequestError) -> Output {
        while true {
            switch state {
            case .requestLine:
                guard let line = try headLine() else { return .incomplete }
                // An empty line before a request is passed over (RFC 9112 section 2.2).
                if line.isEmpty { continue }
                try parseRequestLine(line)
                state = .fields
            case .fields:
                guard let line = try headLine() else { return .incomplete }
                if !line.isEmpty {
                    try parseField(line)
                    continue
                }
                state = try bodyState()
                if head.headerFields[.expect]?.lowercased() == "100-continue", buffer.count == 0 {
                    return .expectsContinue
                }
            case .body(let length):
                _ = buffer.take(length - body.count, into: &body)
                if body.count < length { return .incomplete }
                return finished()
            case .chunked(var decoder):
                let complete = try decoder.decode(&buffer, into: &body, limit: largestBody)
                state = .chunked(decoder)
                if !complete { return .incomplete }
                return finished()
            }
        }
    }

    private mutating func finished() -> Output {
        defer {
            state = .requestLine
            headBytes = 0
            keepAlive = true
            body = []
        }
        return .request(Request(head: head, body: body, peer: nil), keepAlive: keepAlive)
    }

    private mutating func headLine() throws(RequestError) -> ArraySlice<UInt8>? {
        let line = buffer.takeLine()
        headBytes += line.map { $0.count + 2 } ?? 0
        guard headBytes + (line == nil ? buffer.count : 0) <= Self.largestHead else {
            throw RequestError(
                .requestHeaderFieldsTooLarge,
                "the header fields are longer than \(Self.largestHead) bytes"
            )
        }
        return line
    }

    private mutating func parseRequestLine(_ line: ArraySlice<UInt8>) throws(RequestError) {
        let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 3, let method = HTTPRequest.Method(String(decoding: parts[0], as: UTF8.self)),
            let first = parts[1].first, first == UInt8(ascii: "/") || first == UInt8(ascii: "*")
        else {
            throw RequestError(.badRequest, "this is not an HTTP/1.1 request line")
        }
        switch String(decoding: parts[2], as: UTF8.self) {
        case "HTTP/1.1": keepAlive = true
        case "HTTP/1.0": keepAlive = false
        default: throw RequestError(.httpVersionNotSupported, "only HTTP/1.1 and HTTP/1.0 are spoken here")
        }
        head = HTTPRequest(
            method: method,
            scheme: nil,
            authority: nil,
            path: String(decoding: parts[1], as: UTF8.self)
        )
    }

    private mutating func parseField(_ line: ArraySlice<UInt8>) throws(RequestError) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
            let name = HTTPField.Name(String(decoding: line[..<colon], as: UTF8.self))
        else {
            throw RequestError(.badRequest, "a header field has no valid name")
        }
        let value = String(decoding: line[(colon + 1)...], as: UTF8.self).trimmingBlanks()
        guard HTTPField.isValidValue(value) else {
            throw RequestError(.badRequest, "the value of header field \(name) has control characters")
        }
        // HTTPTypes has it where HTTP/2 and 3 do: as the authority.
        if name.canonicalName == "host" { head.authority = value }
        head.headerFields.append(HTTPField(name: name, value: value))
    }

    private mutating func bodyState() throws(RequestError) -> State {
        let fields = head.headerFields
        let connection = fields[.connection]?.lowercased() ?? ""
        if connection.contains("close") { keepAlive = false }
        if connection.contains("keep-alive") { keepAlive = true }
        let lengths = fields[values: .contentLength]
        if let coding = fields[.transferEncoding] {
            // Two lengths for one body are how requests are smuggled (RFC 9112 section 6.1).
            guard lengths.isEmpty, coding.lowercased() == "chunked" else {
                throw RequestError(.badRequest, "use either Content-Length or Transfer-Encoding: chunked")
            }
            return .chunked(ChunkedDecoder())
        }
        guard let text = lengths.first else { return .body(length: 0) }
        guard lengths.allSatisfy({ $0 == text }), text.allSatisfy({ ("0"..."9").contains($0) }) else {
            throw RequestError(.badRequest, "Content-Length is not a number of bytes")
        }
        guard let length = Int(text), length <= largestBody else { throw .bodyTooLarge(limit: largestBody) }
        body.reserveCapacity(length)
        return .body(length: length)
    }
}

extension String {
    func trimmingBlanks() -> String {
        let blanks: Set<Character> = [" ", "\t"]
        guard let first = firstIndex(where: { !blanks.contains($0) }) else { return "" }
        return String(self[first...lastIndex { !blanks.contains($0) }!])
    }
}
