internal import HTTPTypes

/// How long a message's body is. RFC 9112 section 6
enum BodyFraming: Equatable {
    case none
    /// Bytes, 1 or more.
    case length(Int)
    case chunked
    /// Until the connection ends; of answers only.
    case untilClose

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

/// The version of a message.
enum HTTPVersion: Sendable {
    case http10, http11
    /// Of another major version.
    case other

    /// Reads `HTTP/1.1`; nil for what is no version.
    init?(_ text: ArraySlice<UInt8>) {
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        let text = Array(text)
        guard text.count == 8, text.starts(with: "HTTP/".utf8), digits.contains(text[5]), text[6] == UInt8(ascii: "."),
            digits.contains(text[7])
        else { return nil }
        self = text[5] != UInt8(ascii: "1") ? .other : text[7] == UInt8(ascii: "0") ? .http10 : .http11
    }
}
