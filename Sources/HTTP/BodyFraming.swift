internal import HTTPTypes

/// How long a message's body is. RFC 9112 section 6
enum BodyFraming: Equatable {
    case none
    /// Bytes, 1 or more.
    case length(Int)
    case chunked
    /// Until the connection ends; of answers only.
    case untilClose

    /// Of a request.
    /// - Throws: ``RequestError``: what leaves room for two readings is refused, as it is how requests are smuggled.
    static func ofRequest(_ fields: HTTPFields, _ version: HTTPVersion) throws(RequestError) -> BodyFraming {
        let lengths = fields[values: .contentLength]
        let codings = fields.elements(of: .transferEncoding)
        if fields[.transferEncoding] != nil {
            guard version == .http11 else {
                throw RequestError(.badRequest, "Transfer-Encoding is not for HTTP/1.0; send Content-Length")
            }
            guard lengths.isEmpty else {
                throw RequestError(.badRequest, "use either Content-Length or Transfer-Encoding: chunked")
            }
            guard codings.last == "chunked", codings.count(where: { $0 == "chunked" }) == 1 else {
                throw RequestError(.badRequest, "the last transfer coding is not chunked, so the body has no end")
            }
            guard codings.count == 1 else {
                throw RequestError(.notImplemented, "no transfer coding but chunked is implemented")
            }
            return .chunked
        }
        guard let text = lengths.first else { return .none }
        guard lengths.count == 1, let length = FieldSyntax.length(text) else {
            throw RequestError(.badRequest, "Content-Length is not one number of bytes")
        }
        return length == 0 ? .none : .length(length)
    }

    /// Of an answer.
    /// - Parameter method: of the request it answers.
    /// - Throws: ``SyntaxError``
    static func ofAnswer(
        _ status: Int,
        to method: HTTPRequest.Method,
        _ fields: HTTPFields
    ) throws(SyntaxError) -> BodyFraming {
        if method == .head || status == 204 || status == 304 { return .none }
        let codings = fields.elements(of: .transferEncoding)
        if fields[.transferEncoding] != nil {
            // It overrides a Content-Length beside it.
            if codings == ["chunked"] { return .chunked }
            throw SyntaxError("it has a transfer coding other than chunked")
        }
        let lengths = fields[values: .contentLength].flatMap {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        guard let first = lengths.first else { return .untilClose }
        // The same number again and again is what some proxies make of one.
        let numbers = lengths.map { FieldSyntax.length(String($0).trimmingBlanks()) }
        guard let length = numbers[0], numbers.allSatisfy({ $0 == length }) else {
            throw SyntaxError("its Content-Length is '\(first.prefix(40))', which is not a number of bytes")
        }
        return length == 0 ? .none : .length(length)
    }
}

/// Whether a connection is kept after a message. RFC 9112 section 9.3
func isKept(_ version: HTTPVersion, _ fields: HTTPFields) -> Bool {
    let options = fields.elements(of: .connection)
    if options.contains("close") { return false }
    return version == .http11 || options.contains("keep-alive")
}

extension [UInt8] {
    /// Room made for a body before any of it has come.
    static let firstRoom = 16 << 10

    /// Appends part of a body, making room for four times what has come: never for what was only announced.
    /// - Parameter length: of the whole body.
    mutating func append(_ bytes: UnsafeRawBufferPointer, ofBody length: Int) {
        let count = count + bytes.count
        if count > capacity { reserveCapacity(Swift.min(length, Swift.max(Self.firstRoom, count * 4))) }
        self += bytes
    }
}
