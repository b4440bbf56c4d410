import Testing

/// Bytes of a client, and what a server is to make of them.
struct RequestShape: CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    /// The statuses of the answers, interim ones among them.
    var statuses: [Int]
    /// Whether the server closes after them.
    var closes: Bool
    /// Bodies of the answers, where they matter: `METHOD path|authority|body`.
    var bodies: [String]?

    init(_ name: String, _ text: String, _ statuses: [Int], closes: Bool = false, _ bodies: [String]? = nil) {
        self.init(name, Array(text.utf8), statuses, closes: closes, bodies)
    }

    init(_ name: String, _ bytes: [UInt8], _ statuses: [Int], closes: Bool = false, _ bodies: [String]? = nil) {
        self.name = name
        self.bytes = bytes
        self.statuses = statuses
        self.closes = closes
        self.bodies = bodies
    }

    var testDescription: String { name }
}

extension RequestShape {
    /// A request refused with a status, whereupon the connection closes.
    private static func refused(_ name: String, _ text: String, _ status: Int) -> Self {
        Self(name, text, [status], closes: true)
    }

    /// A POST with these lines of header fields, and a body.
    private static func post(_ fields: String..., body: String = "") -> String {
        "POST / HTTP/1.1\r\nHost: x\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n" + body
    }

    private static func get(_ target: String, _ fields: String..., version: String = "HTTP/1.1") -> String {
        "GET \(target) \(version)\r\nHost: x\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    private static func chunks(_ body: String) -> String { post("Transfer-Encoding: chunked", body: body) }

    static let all = targets + versions + hosts + lengths + codings + chunkGrammar + connections + expectations + fields

    private static let targets: [RequestShape] = [
        .init("a path", get("/a?b=c"), [200], ["GET /a?b=c|x|"]),
        .init(
            "an absolute-form target overrides the host",
            get("http://y:8/a?b"),
            [200],
            ["GET /a?b|y:8|"]
        ),
        .init("an absolute-form target without a path", get("HTTP://y"), [200], ["GET /|y|"]),
        .init("an absolute-form target with a query alone", get("http://y?q"), [200], ["GET /?q|y|"]),
        .init("an IPv6 authority", get("http://[::1]:80/"), [200], ["GET /|[::1]:80|"]),
        .init(
            "OPTIONS of the server",
            "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
            [200],
            ["OPTIONS *|x|"]
        ),
        .init("percent encoding", get("/%41%zz".replacing("%zz", with: "%2f")), [200], ["GET /%41%2f|x|"]),
        refused("GET of the server", get("*"), 400),
        refused("a name in place of a path", get("nowhere"), 400),
        refused("another scheme", get("ftp://x/"), 400),
        refused("an absolute form without host", get("http:///a"), 400),
        refused("an absolute form with a user", get("http://me@x/"), 400),
        refused("a fragment", get("/a#b"), 400),
        refused("half a percent encoding", get("/%4"), 400),
        refused("a percent encoding of no digits", get("/%zz"), 400),
        refused("a percent encoding of full-width digits", get("/%\u{ff11}\u{ff11}"), 400),
        refused("CR in a target", get("/a\rb"), 400),
        refused("NUL in a target", get("/a\0b"), 400),
        refused("a tab in a target", get("/a\tb"), 400),
        refused("DEL in a target", get("/a\u{7f}"), 400),
        refused("a quote in a target", get("/\"a\""), 400),
        refused("a letter beyond ASCII in a target", get("/é"), 400),
        .init(
            "bytes that are no UTF-8 in a target",
            Array("GET /".utf8) + [0xff, 0xfe] + Array(" HTTP/1.1\r\nHost: x\r\n\r\n".utf8),
            [400],
            closes: true
        ),
        refused("a target without end", "GET /" + String(repeating: "a", count: 70_000), 414),
        refused("a long target", get("/" + String(repeating: "a", count: 70_000)), 414),
        .init("a target of 20,000", get("/" + String(repeating: "a", count: 20_000)), [200]),
        refused("an empty target", "GET  HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        refused("two blanks before a target", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        refused("a blank after the version", "GET / HTTP/1.1 \r\nHost: x\r\n\r\n", 400),
        refused("tabs for blanks", "GET\t/\tHTTP/1.1\r\nHost: x\r\n\r\n", 400),
    ]

    private static let versions: [RequestShape] = [
        .init("a later 1.x", get("/", version: "HTTP/1.2"), [200]),
        .init("1.0", get("/", version: "HTTP/1.0"), [200], closes: true),
        .init("1.0 without host", "GET / HTTP/1.0\r\n\r\n", [200], closes: true, ["GET /||"]),
        refused("0.9", "GET /\r\n\r\n", 400),
        refused("0.9 in name", get("/", version: "HTTP/0.9"), 505),
        refused("2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        refused("a version of two digits", get("/", version: "HTTP/1.10"), 400),
        refused("a version in small letters", get("/", version: "http/1.1"), 400),
        refused("another protocol", get("/", version: "RTSP/1.0"), 400),
        refused("a greeting", "hello\r\n\r\n", 400),
        .init("TLS", [0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3, 10], [400], closes: true),
        refused("an unknown method", "BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        refused("a method in small letters", "get / HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        refused("CONNECT", "CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n", 501),
        refused("a method that is no token", "G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        .init("HEAD", "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n" + get("/b"), [200, 200], ["", "GET /b|x|"]),
        .init("empty lines before a request", "\r\n\r\n\n" + get("/"), [200]),
        refused("empty lines without end", String(repeating: "\r\n", count: 20), 400),
    ]

    private static let hosts: [RequestShape] = [
        refused("no host", "GET / HTTP/1.1\r\n\r\n", 400),
        refused("two hosts", get("/", "Host: x"), 400),
        refused("two hosts and an absolute form", get("http://y/", "Host: y"), 400),
        refused("two hosts in 1.0", get("/", "Host: x", version: "HTTP/1.0"), 400),
        refused("a host with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        refused("a host with a path", "GET / HTTP/1.1\r\nHost: a/@\r\n\r\n", 400),
        refused("a host with a user", "GET / HTTP/1.1\r\nHost: me@a\r\n\r\n", 400),
        refused("a list of hosts", "GET / HTTP/1.1\r\nHost: a:80:90\r\n\r\n", 400),
        refused("a port of letters", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
        refused("an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
        .init("an IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", [200]),
        .init("an empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", [200], ["GET /||"]),
        .init("a host with an empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", [200]),
    ]

    private static let lengths: [RequestShape] = [
        .init("a body", post("Content-Length: 5", body: "hello"), [200], ["POST /|x|hello"]),
        .init("no length", post(), [200], ["POST /|x|"]),
        .init("a length with zeros before it", post("Content-Length: 0005", body: "hello"), [200], ["POST /|x|hello"]),
        refused("an empty length", post("Content-Length: "), 400),
        refused("a negative length", post("Content-Length: -1"), 400),
        refused("a length with a plus", post("Content-Length: +5", body: "hello"), 400),
        refused("a hexadecimal length", post("Content-Length: 0x5", body: "hello"), 400),
        refused("a length in other digits", post("Content-Length: \u{0665}", body: "hello"), 400),
        refused("a list of lengths", post("Content-Length: 5, 5", body: "hello"), 400),
        refused("a length twice", post("Content-Length: 5", "Content-Length: 5", body: "hello"), 400),
        refused("two lengths", post("Content-Length: 5", "Content-Length: 6", body: "hello!"), 400),
        refused("a length above the bound", post("Content-Length: 1001"), 413),
        refused("a length beyond counting", post("Content-Length: 99999999999999999999999"), 413),
    ]

    private static let codings: [RequestShape] = [
        refused("length and chunks", post("Content-Length: 1", "Transfer-Encoding: chunked", body: "0\r\n\r\n"), 400),
        refused("chunks and length", post("Transfer-Encoding: chunked", "Content-Length: 0", body: "0\r\n\r\n"), 400),
        refused("gzip last", post("Transfer-Encoding: chunked, gzip", body: "0\r\n\r\n"), 400),
        refused("gzip alone", post("Transfer-Encoding: gzip"), 400),
        refused("identity", post("Transfer-Encoding: identity"), 400),
        refused("an empty coding", post("Transfer-Encoding:"), 400),
        refused("chunked twice", post("Transfer-Encoding: chunked, chunked", body: "0\r\n\r\n"), 400),
        refused("chunked in two fields", post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 400),
        refused("chunked, then identity", post("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), 400),
        refused("gzip before chunked", post("Transfer-Encoding: gzip, chunked", body: "0\r\n\r\n"), 501),
        refused("a coding with the Kelvin sign", post("Transfer-Encoding: chun\u{212a}ed", body: "0\r\n\r\n"), 400),
        refused("a coding with a vertical tab", post("Transfer-Encoding: \u{b}chunked", body: "0\r\n\r\n"), 400),
        refused("another word", post("Transfer-Encoding: xchunked", body: "0\r\n\r\n"), 400),
        refused(
            "chunks in 1.0",
            "POST / HTTP/1.0\r\nHost: x\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400
        ),
        .init("chunked in capitals", post("Transfer-Encoding: \tCHUNKED ", body: "1\r\na\r\n0\r\n\r\n"), [200]),
    ]

    private static let chunkGrammar: [RequestShape] = [
        .init("chunks", chunks("3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"), [200], ["POST /|x|abcdefg"]),
        .init("chunks, then a request", chunks("1\r\na\r\n0\r\n\r\n") + get("/b"), [200, 200]),
        .init("no chunk", chunks("0\r\n\r\n"), [200], ["POST /|x|"]),
        .init("sizes in capitals and zeros", chunks("00000000000000A\r\n0123456789\r\n00\r\n\r\n"), [200]),
        .init("extensions", chunks("1;a;b=c;d=\"e\\\" ;\" ; f\r\na\r\n0;x\r\n\r\n"), [200], ["POST /|x|a"]),
        .init("trailers", chunks("1\r\na\r\n0\r\nX: y\r\nContent-Length: 5\r\n\r\n"), [200], ["POST /|x|a"]),
        refused("junk after a size", chunks("1 junk\r\na\r\n0\r\n\r\n"), 400),
        refused("a blank after a size", chunks("1 \r\na\r\n0\r\n\r\n"), 400),
        refused("an extension without a name", chunks("1;\r\na\r\n0\r\n\r\n"), 400),
        refused("an extension without end", chunks("1;a=\"b\r\na\r\n0\r\n\r\n"), 400),
        refused("CR in an extension", chunks("1;a\rb\r\na\r\n0\r\n\r\n"), 400),
        refused("LF alone after a size", chunks("1\na\r\n0\r\n\r\n"), 400),
        refused("LF alone after a chunk", chunks("1\r\na\n0\r\n\r\n"), 400),
        refused("LF alone at the end", chunks("1\r\na\r\n0\r\n\n"), 400),
        refused("CR alone after a chunk", chunks("1\r\na\rx0\r\n\r\n"), 400),
        refused("a chunk longer than its size", chunks("1\r\nab\r\n0\r\n\r\n"), 400),
        refused("a negative size", chunks("-1\r\n\r\n"), 400),
        refused("a size with 0x", chunks("0x1\r\na\r\n0\r\n\r\n"), 400),
        refused("a size in other digits", chunks("\u{ff11}\r\na\r\n0\r\n\r\n"), 400),
        refused("no size", chunks("\r\n"), 400),
        refused("an extension alone", chunks(";a\r\n"), 400),
        refused("a size above the bound", chunks("3e9\r\n"), 413),
        refused("chunks above the bound", chunks("3e8\r\n" + String(repeating: "a", count: 1000) + "\r\n1\r\n"), 413),
        refused("a size beyond counting", chunks("ffffffffffffffff1\r\n"), 413),
        refused("a size line without end", chunks(String(repeating: "0", count: 5000)), 400),
        refused("a trailer without a colon", chunks("0\r\nnothing\r\n\r\n"), 400),
        refused("trailers without end", chunks("0\r\n" + String(repeating: "A: b\r\n", count: 10_000)), 400),
    ]

    private static let connections: [RequestShape] = [
        .init("two requests", get("/a") + get("/b"), [200, 200]),
        .init("close", get("/", "Connection: close") + get("/b"), [200], closes: true),
        .init("close in capitals", get("/", "Connection: Close"), [200], closes: true),
        .init("keep-alive, close", get("/", "Connection: keep-alive, close"), [200], closes: true),
        .init("close in a second field", get("/", "Connection: a", "Connection: b,close"), [200], closes: true),
        .init("a word with close in it", get("/", "Connection: x-closed"), [200]),
        .init("keep-alive in 1.0", get("/", "Connection: Keep-Alive", version: "HTTP/1.0"), [200]),
        .init(
            "keep-alive and close in 1.0",
            get("/", "Connection: keep-alive, close", version: "HTTP/1.0"),
            [200],
            closes: true
        ),
        .init("an upgrade nobody takes", get("/", "Connection: Upgrade", "Upgrade: h2c"), [200]),
    ]

    private static let expectations: [RequestShape] = [
        .init("100-continue", post("Content-Length: 2", "Expect: 100-continue", body: "hi"), [100, 200]),
        .init("100-continue in capitals", post("Content-Length: 2", "Expect: 100-Continue", body: "hi"), [100, 200]),
        .init(
            "100-continue with chunks",
            post("Transfer-Encoding: chunked", "Expect: 100-continue", body: "1\r\na\r\n0\r\n\r\n"),
            [100, 200]
        ),
        .init("100-continue without a body", post("Content-Length: 0", "Expect: 100-continue"), [200]),
        .init("100-continue with GET", get("/", "Expect: 100-continue"), [200]),
        .init(
            "100-continue in 1.0",
            "POST / HTTP/1.0\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
            [200],
            closes: true
        ),
        refused("100-continue with a body above the bound", post("Content-Length: 1001", "Expect: 100-continue"), 413),
        refused("another expectation", post("Content-Length: 2", "Expect: 200-ok", body: "hi"), 417),
        refused("two expectations", post("Content-Length: 2", "Expect: 100-continue, wonder", body: "hi"), 417),
        .init(
            "100-continue that is refused before the body",
            "POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi",
            [404],
            closes: true
        ),
    ]

    private static let fields: [RequestShape] = [
        .init("LF alone in a head", "GET / HTTP/1.1\nHost: x\n\n", [200]),
        .init("an empty value", get("/", "X:"), [200]),
        .init("a value beyond ASCII", get("/", "X: é"), [200]),
        refused("no colon", get("/", "nothing"), 400),
        refused("an empty name", get("/", ": a"), 400),
        refused("a name with a blank", get("/", "a b: c"), 400),
        refused("a blank before the colon", post("Content-Length : 5", body: "hello"), 400),
        refused("a name with NUL", get("/", "X\0: a"), 400),
        refused("a folded value", get("/", "X: a", " b"), 400),
        refused("a fold before any field", "GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400),
        refused("CR in a value", get("/", "X: a\rTransfer-Encoding: chunked"), 400),
        refused("NUL in a value", get("/", "X: a\0b"), 400),
        refused("fields without end", "GET / HTTP/1.1\r\n" + String(repeating: "A: b\r\n", count: 20_000), 431),
        refused("one field without end", "GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 70_000), 431),
        .init("many fields", get("/", String(repeating: "A: b\r\n", count: 5000) + "C: d"), [200]),
    ]
}
