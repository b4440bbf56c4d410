internal import HTTPTypes

/// The versions that are told apart: a later 1.x is read as 1.1 (RFC 9110 section 2.5).
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

/// A request's first line. RFC 9112 section 3
struct RequestLine {
    var method: HTTPRequest.Method
    /// With the query; `*` where the whole server is meant.
    var path: String
    /// The server that an absolute-form target names, in place of the Host field's.
    var authority: String?
    var version: HTTPVersion

    /// Those of RFC 9110 and 5789. What is not among them is not implemented, for any resource.
    private static let methods: [HTTPRequest.Method] = [
        .get, .head, .post, .put, .delete, .options, .trace, .patch,
    ]

    /// - Throws: ``RequestError``: 400, or 501 for a method and 505 for a version that is not spoken.
    init(_ line: ArraySlice<UInt8>) throws(RequestError) {
        let parts = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 3, FieldSyntax.isToken(parts[0]), let version = HTTPVersion(parts[2]) else {
            throw RequestError(.badRequest, "this is not an HTTP/1.1 request line")
        }
        guard version != .other else {
            throw RequestError(.httpVersionNotSupported, "only HTTP/1.1 and HTTP/1.0 are spoken here")
        }
        let method = String(decoding: parts[0], as: UTF8.self)
        guard let method = Self.methods.first(where: { $0.rawValue == method }) else {
            throw RequestError(.notImplemented, "the method \(method.prefix(20)) is not implemented")
        }
        self.method = method
        self.version = version
        (authority, path) = try Self.target(parts[1], of: method)
    }

    /// Reads origin-form, absolute-form and asterisk-form. RFC 9112 section 3.2
    private static func target(
        _ bytes: ArraySlice<UInt8>,
        of method: HTTPRequest.Method
    ) throws(RequestError) -> (authority: String?, path: String) {
        guard isTarget(bytes) else {
            throw RequestError(.badRequest, "the request target has characters that a URI cannot have")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        if text.hasPrefix("/") || text == "*" && method == .options { return (nil, text) }
        let scheme = "http://"
        guard text.prefix(scheme.count).description.asciiLowercased == scheme else {
            throw RequestError(.badRequest, "the request target is neither a path nor an http:// address")
        }
        let rest = text.dropFirst(scheme.count)
        let authority = String(rest.prefix { $0 != "/" && $0 != "?" })
        guard !authority.isEmpty, isAuthority(authority) else {
            throw RequestError(.badRequest, "the request target names no valid host")
        }
        let path = rest.dropFirst(authority.count)
        return (authority, path.hasPrefix("/") ? String(path) : "/" + path)
    }

    /// The characters of RFC 3986 without the fragment's `#`, each `%` before two hexadecimal digits.
    private static func isTarget(_ bytes: ArraySlice<UInt8>) -> Bool {
        var digitsDue = 0
        for byte in bytes {
            if digitsDue > 0 {
                guard Character(Unicode.Scalar(byte)).isHexDigit, byte < 0x80 else { return false }
                digitsDue -= 1
                continue
            }
            switch byte {
            case UInt8(ascii: "%"): digitsDue = 2
            case UInt8(ascii: "\""), UInt8(ascii: "#"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"),
                UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
                return false
            case 0x21...0x7e: break
            default: return false
            }
        }
        return digitsDue == 0 && !bytes.isEmpty
    }

    /// Whether a text is a host with an optional port, as the Host field has it. RFC 9110 section 7.2
    static func isAuthority(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        if rest.first == UInt8(ascii: "[") {
            guard let end = rest.firstIndex(of: UInt8(ascii: "]")), end > 1,
                rest[1..<end].allSatisfy({ isHostCharacter($0) || $0 == UInt8(ascii: ":") })
            else { return false }
            rest = rest[(end + 1)...]
        } else {
            let end = rest.firstIndex(of: UInt8(ascii: ":")) ?? rest.endIndex
            guard rest[..<end].allSatisfy(isHostCharacter) else { return false }
            rest = rest[end...]
        }
        guard let colon = rest.popFirst() else { return true }
        return colon == UInt8(ascii: ":") && rest.count <= 5
            && rest.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static func isHostCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="): true
        case UInt8(ascii: "#"), UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "|"): false
        default: FieldSyntax.isTokenCharacter(byte)
        }
    }
}
