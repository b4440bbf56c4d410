internal import HTTPTypes

/// Turns bytes into requests: HTTP/1.1 and 1.0, `Content-Length` and chunked bodies (RFC 9112). Holds no socket.
package struct RequestParser: Sendable {
    /// What the bytes so far amount to.
    package enum Output {
        /// More bytes are needed.
        case incomplete
        /// The client waits to be told to send the body (RFC 9110 section 10.1.1).
        case expectsContinue
        case request(Request, keepAlive: Bool)
    }

    /// Bytes of request line and header fields together.
    static let largestHead = 64 << 10
    /// Empty lines that are passed over before a request.
    private static let maxEmptyLines = 8

    private enum State {
        case requestLine
        case fields
        case body(length: Int)
        case chunked(ChunkedDecoder)
    }

    private let largestBody: Int
    private var buffer = ByteBuffer()
    private var state = State.requestLine
    private var line: RequestLine?
    private var fields = HTTPFields()
    private var headBytes = 0
    private var emptyLines = 0
    private var keepAlive = true
    private var body: [UInt8] = []
    /// The request whose body is being read.
    private(set) var head: Request?

    /// - Parameter largestBody: bytes.
    package init(largestBody: Int) {
        self.largestBody = largestBody
    }

    /// How far it is within a request.
    enum Progress {
        case none, head, body
    }

    var progress: Progress {
        switch state {
        case .requestLine: buffer.count > 0 ? .head : .none
        case .fields: .head
        case .body, .chunked: .body
        }
    }

    /// Bytes it holds.
    package var heldBytes: Int { buffer.count + body.count }

    /// Gives up what it holds, but for the head: nothing further is parsed.
    mutating func forgetBytes() {
        buffer = ByteBuffer()
        body = []
    }

    /// Takes bytes as they came; they are copied.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        // A large body goes where it stays.
        if case .body(let length) = state, buffer.count == 0, bytes.count <= length - body.count {
            return body.append(bytes, ofBody: length)
        }
        buffer.append(bytes)
    }

    /// Parses on as far as the bytes go.
    /// - Throws: ``RequestError``, after which the connection cannot be read further.
    package mutating func next() throws(RequestError) -> Output {
        while true {
            switch state {
            case .requestLine:
                guard let line = try headLine() else { return .incomplete }
                guard !line.isEmpty else {
                    try passOverEmptyLine()
                    continue
                }
                self.line = try RequestLine(line)
                state = .fields
            case .fields:
                guard let line = try headLine() else { return .incomplete }
                guard line.isEmpty else {
                    do throws(SyntaxError) {
                        fields.append(try FieldSyntax.field(line))
                    } catch {
                        throw RequestError(.badRequest, error.message)
                    }
                    continue
                }
                if try finishHead() { return .expectsContinue }
            case .body(let length):
                _ = buffer.take(length - body.count, into: &body)
                if body.count < length { return .incomplete }
                return finished()
            case .chunked(var decoder):
                let isComplete = try decode(with: &decoder)
                state = .chunked(decoder)
                if !isComplete { return .incomplete }
                return finished()
            }
        }
    }

    private mutating func decode(with decoder: inout ChunkedDecoder) throws(RequestError) -> Bool {
        do throws(ChunkedDecoder.Failure) {
            return try decoder.decode(&buffer, into: &body, limit: largestBody)
        } catch {
            switch error {
            case .malformed(let message): throw RequestError(.badRequest, message)
            case .tooLarge: throw .bodyTooLarge(limit: largestBody)
            }
        }
    }

    private mutating func finished() -> Output {
        var request = head!
        request.body = body
        let keepAlive = keepAlive
        self = RequestParser(largestBody: largestBody, reading: buffer)
        return .request(request, keepAlive: keepAlive)
    }

    private init(largestBody: Int, reading buffer: ByteBuffer) {
        self.largestBody = largestBody
        self.buffer = buffer
    }

    /// An empty line before a request is passed over (RFC 9112 section 2.2).
    private mutating func passOverEmptyLine() throws(RequestError) {
        headBytes = 0
        emptyLines += 1
        guard emptyLines <= Self.maxEmptyLines else {
            throw RequestError(.badRequest, "there are empty lines in place of a request")
        }
    }

    private mutating func headLine() throws(RequestError) -> ArraySlice<UInt8>? {
        let line = buffer.takeLine()
        headBytes += line.map { $0.count + 1 } ?? 0
        guard headBytes + (line == nil ? buffer.count : 0) <= Self.largestHead else {
            if case .requestLine = state {
                throw RequestError(.uriTooLong, "the request line is longer than \(Self.largestHead) bytes")
            }
            throw RequestError(
                .requestHeaderFieldsTooLarge,
                "the header fields are longer than \(Self.largestHead) bytes"
            )
        }
        return line?.withoutCarriageReturn
    }

    /// The header fields are all there.
    /// - Returns: whether the client waits before it sends the body.
    private mutating func finishHead() throws(RequestError) -> Bool {
        let line = line!
        let framing = try BodyFraming.ofRequest(fields, line.version)
        let host = try Self.host(of: fields, line)
        keepAlive = isKept(line.version, fields)
        var request = HTTPRequest(method: line.method, scheme: nil, authority: line.authority ?? host, path: line.path)
        request.headerFields = fields
        head = Request(
            head: request,
            body: [],
            isHTTP10: line.version == .http10,
            hasLength: fields[.contentLength] != nil || framing == .chunked
        )
        switch framing {
        case .length(let length):
            guard length <= largestBody else { throw .bodyTooLarge(limit: largestBody) }
            state = .body(length: length)
        case .chunked: state = .chunked(ChunkedDecoder())
        case .none, .untilClose: state = .body(length: 0)
        }
        return try Self.expectsContinue(fields, line.version) && framing != .none
    }

    /// - Throws: ``RequestError`` unless there is one Host field, and it is one. RFC 9112 section 3.2
    private static func host(of fields: HTTPFields, _ line: RequestLine) throws(RequestError) -> String? {
        let hosts = fields[values: HTTPField.Name("Host")!]
        guard hosts.count == 1 || hosts.isEmpty && line.version == .http10 else {
            throw RequestError(
                .badRequest,
                hosts.isEmpty ? "the Host field is missing" : "there are several Host fields"
            )
        }
        guard hosts.allSatisfy(RequestLine.isAuthority) else {
            throw RequestError(.badRequest, "the Host field is no host with an optional port")
        }
        return hosts.first
    }

    private static func expectsContinue(_ fields: HTTPFields, _ version: HTTPVersion) throws(RequestError) -> Bool {
        // A client of HTTP/1.0 cannot wait for it. RFC 9110 section 10.1.1
        let expectations = version == .http10 ? [] : fields.elements(of: .expect)
        guard expectations.allSatisfy({ $0 == "100-continue" }) else {
            throw RequestError(.expectationFailed, "the only expectation met here is 100-continue")
        }
        return !expectations.isEmpty
    }
}
