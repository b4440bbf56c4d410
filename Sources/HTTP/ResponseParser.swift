package import HTTPTypes

/// Turns bytes into answers, as ``RequestParser`` does into requests: a value that holds no socket. Bytes go in with
/// ``append(_:)``, and what they come to is asked for with ``next()`` until it is `.incomplete`.
///
/// What a server sends chooses no size: room is made for what has come, up to bounds.
package struct ResponseParser: Sendable {
    /// What the bytes so far amount to.
    package enum Output: Sendable {
        /// More bytes are needed.
        case incomplete
        /// A whole answer, and whether the connection may carry another request.
        case answer(Client.Answer, keepAlive: Bool)
    }

    /// Why the connection cannot be read further.
    package enum Failure: Error, Equatable {
        /// It is not HTTP/1.1, and why.
        case malformed(String)
        /// Header fields or body are beyond their bound.
        case tooLarge(String)
        /// The connection ended before the answer was complete.
        case closed
    }

    /// Bytes of status lines and header fields together, those of interim answers among them.
    package static let largestHead = 64 << 10

    private enum State {
        case statusLine
        case fields
        case body(BodyFraming, ChunkedDecoder)
    }

    private let largestBody: Int
    private var method: HTTPRequest.Method
    private var buffer = ByteBuffer()
    private var state = State.statusLine
    private var version = HTTPVersion.http11
    private var status = 0
    private var fields = HTTPFields()
    private var headBytes = 0
    private var body: [UInt8] = []

    /// - Parameters:
    ///   - largestBody: bytes.
    ///   - method: of the request that the first answer is to.
    package init(largestBody: Int, answering method: HTTPRequest.Method = .get) {
        self.largestBody = largestBody
        self.method = method
    }

    /// The next answer is to a request of this method.
    package mutating func expect(answerTo method: HTTPRequest.Method) {
        self.method = method
    }

    /// Whether no byte of a further answer has come.
    package var isBetweenAnswers: Bool {
        if case .statusLine = state { return buffer.count == 0 && headBytes == 0 }
        return false
    }

    /// Takes bytes as they came; they are copied.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        // A large body goes where it stays.
        if case .body(.length(let length), _) = state, buffer.count == 0, bytes.count <= length - body.count {
            return body.append(bytes, ofBody: length)
        }
        buffer.append(bytes)
    }

    /// Parses on as far as the bytes go.
    /// - Throws: ``Failure``
    package mutating func next() throws(Failure) -> Output {
        while true {
            switch state {
            case .statusLine:
                guard let line = try headLine() else { return .incomplete }
                try readStatusLine(line)
                state = .fields
            case .fields:
                guard let line = try headLine() else { return .incomplete }
                if line.isEmpty { try finishHead() } else { try readField(line) }
            case .body(let framing, var decoder):
                let isComplete = try readBody(framing, &decoder)
                state = .body(framing, decoder)
                return isComplete ? finished(isKept: isKept(version, fields)) : .incomplete
            }
        }
    }

    /// The connection has ended: a body without a length is complete with it.
    /// - Throws: ``Failure``
    package mutating func finish() throws(Failure) -> Output {
        let output = try next()
        guard case .incomplete = output else { return output }
        guard case .body(.untilClose, _) = state else { throw .closed }
        return finished(isKept: false)
    }

    private mutating func finished(isKept: Bool) -> Output {
        let answer = Client.Answer(status: status, fields: fields, body: body)
        let rest = buffer
        self = ResponseParser(largestBody: largestBody, answering: method)
        buffer = rest
        return .answer(answer, keepAlive: isKept)
    }

    private mutating func headLine() throws(Failure) -> ArraySlice<UInt8>? {
        let line = buffer.takeLine()
        headBytes += line.map { $0.count + 1 } ?? 0
        guard headBytes + (line == nil ? buffer.count : 0) <= Self.largestHead else {
            throw .tooLarge("its header fields are longer than \(Self.largestHead) bytes")
        }
        return line?.withoutCarriageReturn
    }

    /// Reads `HTTP/1.1 200 OK`, whose last word may be missing.
    private mutating func readStatusLine(_ line: ArraySlice<UInt8>) throws(Failure) {
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, let version = HTTPVersion(parts[0]), version != .other, parts[1].count == 3,
            let status = FieldSyntax.length(String(decoding: parts[1], as: UTF8.self)), status >= 100
        else { throw .malformed("it does not begin with a status line") }
        self.version = version
        self.status = status
    }

    private mutating func readField(_ line: ArraySlice<UInt8>) throws(Failure) {
        do throws(SyntaxError) {
            fields.append(try FieldSyntax.field(line, takingControls: true))
        } catch {
            throw .malformed(error.message)
        }
    }

    private mutating func finishHead() throws(Failure) {
        if status == 101 { throw .malformed("it switches to a protocol that was not asked for") }
        if status < 200 {
            // An interim answer is passed over (RFC 9110 section 15.2).
            fields = HTTPFields()
            state = .statusLine
            return
        }
        let framing: BodyFraming
        do throws(SyntaxError) {
            framing = try BodyFraming.ofAnswer(status, to: method, fields)
        } catch {
            throw .malformed(error.message)
        }
        if case .length(let length) = framing, length > largestBody { throw bodyTooLarge }
        state = .body(framing, ChunkedDecoder())
    }

    private mutating func readBody(
        _ framing: BodyFraming,
        _ decoder: inout ChunkedDecoder
    ) throws(Failure) -> Bool {
        switch framing {
        case .none: return true
        case .length(let length):
            _ = buffer.take(length - body.count, into: &body)
            return body.count == length
        case .chunked:
            do throws(ChunkedDecoder.Failure) {
                return try decoder.decode(&buffer, into: &body, limit: largestBody)
            } catch {
                switch error {
                case .malformed(let message): throw .malformed(message)
                case .tooLarge: throw bodyTooLarge
                }
            }
        case .untilClose:
            guard buffer.count <= largestBody - body.count else { throw bodyTooLarge }
            _ = buffer.take(buffer.count, into: &body)
            return false
        }
    }

    private var bodyTooLarge: Failure { .tooLarge("its body is larger than \(largestBody) bytes") }
}
