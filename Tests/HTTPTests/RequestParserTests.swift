import HTTPTypes
import Testing

@testable import HTTP

@Suite("Request parser")
struct RequestParserTests {
    /// Parses text that arrives in pieces of `step` bytes.
    private func parse(_ text: String, step: Int = .max, largestBody: Int = 1000) throws(RequestError) -> [(
        Request, Bool
    )] {
        var parser = RequestParser(largestBody: largestBody)
        var requests: [(Request, Bool)] = []
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            let end = step == .max ? bytes.count : min(start + step, bytes.count)
            bytes[start..<end].withUnsafeBytes { parser.append($0) }
            start = end
            while case .request(let request, let keepAlive) = try parser.next() {
                requests.append((request, keepAlive))
            }
        }
        return requests
    }

    @Test("a request is the same however its bytes arrive", arguments: [1, 2, 3, 7, .max])
    func pieces(step: Int) throws {
        let text =
            "POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
            + "POST /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n"
            + "GET /e HTTP/1.1\r\n\r\n"
        let requests = try parse(text, step: step)
        #expect(requests.map { $0.0.path } == ["/a", "/d", "/e"])
        #expect(requests.map { String(decoding: $0.0.body, as: UTF8.self) } == ["hello", "abcdefg", ""])
        #expect(requests[0].0.head.headerFields[HTTPField.Name("Host")!] == "x")
    }

    @Test(
        "a connection is kept as version and Connection field say",
        arguments: [
            ("GET / HTTP/1.1\r\n\r\n", true), ("GET / HTTP/1.0\r\n\r\n", false),
            ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false),
            ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true),
        ]
    )
    func keepAlive(text: String, kept: Bool) throws {
        #expect(try parse(text).map(\.1) == [kept])
    }

    @Test(
        "what is no request is refused with its status",
        arguments: [
            ("hello\r\n\r\n", 400), ("GET / HTTP/2\r\n\r\n", 505), ("GET nowhere HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", 400), ("GET / HTTP/1.1\r\nbad name: x\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", 413),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
        ]
    )
    func refused(text: String, status: Int) {
        let error = #expect(throws: RequestError.self) { try parse(text) }
        #expect(error?.status.code == status)
    }

    @Test("header fields without end are refused, not collected")
    func endlessHead() {
        let error = #expect(throws: RequestError.self) {
            try parse("GET / HTTP/1.1\r\n" + String(repeating: "X-A: b\r\n", count: 20_000))
        }
        #expect(error?.status.code == 431)
    }

    @Test("a client that expects 100-continue is told to go on, once")
    func expectContinue() throws {
        var parser = RequestParser(largestBody: 1000)
        Array("POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n".utf8).withUnsafeBytes {
            parser.append($0)
        }
        guard case .expectsContinue = try parser.next() else { return #expect(Bool(false), "no 100") }
        guard case .incomplete = try parser.next() else { return #expect(Bool(false), "a second answer") }
        Array("hi".utf8).withUnsafeBytes { parser.append($0) }
        guard case .request(let request, _) = try parser.next() else { return #expect(Bool(false), "no request") }
        #expect(request.body == Array("hi".utf8))
    }
}
