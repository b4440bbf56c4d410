import HTTPTypes
import Testing
import Units

@testable import HTTP

/// Bytes of a server, and what they are to come to.
private struct AnswerShape: CustomTestStringConvertible {
    /// What they come to: an answer and whether the connection is kept, or the name of an error.
    enum Result: Equatable {
        case answer(Int, String, keepAlive: Bool)
        case failure(String)
    }

    var name: String
    var text: String
    var method = HTTPRequest.Method.get
    var result: Result

    init(_ name: String, _ text: String, to method: HTTPRequest.Method = .get, _ result: Result) {
        (self.name, self.text, self.method, self.result) = (name, text, method, result)
    }

    static func ok(_ name: String, _ text: String, _ body: String, keepAlive: Bool = true) -> Self {
        Self(name, text, .answer(200, body, keepAlive: keepAlive))
    }

    static func failed(_ name: String, _ text: String, _ error: String) -> Self { Self(name, text, .failure(error)) }

    var testDescription: String { name }
}

private let ok = "HTTP/1.1 200 OK\r\n"

private let shapes: [AnswerShape] = [
    .ok("a body", ok + "Content-Length: 2\r\n\r\nhi", "hi"),
    .ok("an empty body", ok + "Content-Length: 0\r\n\r\n", ""),
    .ok("a length twice over", ok + "Content-Length: 2\r\nContent-Length: 2, 2\r\n\r\nhi", "hi"),
    .ok("chunks", ok + "Transfer-Encoding: Chunked\r\n\r\n1;a=b\r\nh\r\n1\r\ni\r\n0\r\nX: y\r\n\r\n", "hi"),
    .ok("chunks over a length", ok + "Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n0\r\n\r\n", "h"),
    .ok("a body until the close", ok + "\r\nhi", "hi", keepAlive: false),
    .ok("a body until the close of 1.0", "HTTP/1.0 200 OK\r\n\r\nhi", "hi", keepAlive: false),
    .ok("a length in 1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", keepAlive: false),
    .ok("1.0 that is kept", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi", "hi"),
    .ok("close among others", ok + "Connection: Close, x\r\nContent-Length: 0\r\n\r\n", "", keepAlive: false),
    .ok(
        "close after keep-alive",
        ok + "Connection: keep-alive, close\r\nContent-Length: 0\r\n\r\n",
        "",
        keepAlive: false
    ),
    .ok("LF alone", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", "hi"),
    .ok("no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", "hi"),
    .ok("NUL in a field", ok + "X: a\0b\r\nContent-Length: 2\r\n\r\nhi", "hi"),
    .ok("100 before it", "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nhi", "hi"),
    .ok(
        "early hints, twice",
        String(repeating: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nContent-Length: 7\r\n\r\n", count: 2) + ok
            + "Content-Length: 2\r\n\r\nhi",
        "hi"
    ),
    .init("204", "HTTP/1.1 204 No Content\r\n\r\n", .answer(204, "", keepAlive: true)),
    .init(
        "304 with a length",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        .answer(304, "", keepAlive: true)
    ),
    .init("an answer to HEAD", ok + "Content-Length: 5\r\n\r\n", to: .head, .answer(200, "", keepAlive: true)),
    .init("503", "HTTP/1.1 503 No\r\nContent-Length: 1\r\n\r\nx", .answer(503, "x", keepAlive: true)),

    .failed("nothing", "", "EOF"),
    .failed("half a status line", "HTTP/1.1 20", "EOF"),
    .failed("a body cut off", ok + "Content-Length: 9\r\n\r\nhalf", "EOF"),
    .failed("chunks cut off", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", "EOF"),
    .failed("chunks cut off at a boundary", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nh\r\n", "EOF"),
    .failed("100 alone", "HTTP/1.1 100 Continue\r\n\r\n", "EOF"),
    .failed("a negative length", ok + "Content-Length: -5\r\n\r\nhello", "MALFORMED"),
    .failed("a length with a plus", ok + "Content-Length: +5\r\n\r\nhello", "MALFORMED"),
    .failed("an empty length", ok + "Content-Length:\r\n\r\nhello", "MALFORMED"),
    .failed("a length in words", ok + "Content-Length: five\r\n\r\nhello", "MALFORMED"),
    .failed("two lengths", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nhello", "MALFORMED"),
    .failed("a list of two lengths", ok + "Content-Length: 1, 2\r\n\r\nhello", "MALFORMED"),
    .failed("a length of 2^63 - 1", ok + "Content-Length: 9223372036854775807\r\n\r\n", "TOO_LARGE"),
    .failed("a length beyond counting", ok + "Content-Length: 99999999999999999999999999\r\n\r\n", "TOO_LARGE"),
    .failed("a length above the bound", ok + "Content-Length: 1001\r\n\r\n", "TOO_LARGE"),
    .failed("a chunk above the bound", ok + "Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n", "TOO_LARGE"),
    .failed("a chunk beyond counting", ok + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", "TOO_LARGE"),
    .failed("a body until the close above the bound", ok + "\r\n" + String(repeating: "x", count: 1001), "TOO_LARGE"),
    .failed("a negative chunk", ok + "Transfer-Encoding: chunked\r\n\r\n-5\r\n", "MALFORMED"),
    .failed("a chunk too long", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", "MALFORMED"),
    .failed("another coding", ok + "Transfer-Encoding: gzip\r\n\r\nhello", "MALFORMED"),
    .failed("header fields without end", ok + String(repeating: "A: b\r\n", count: 20_000), "TOO_LARGE"),
    .failed("a line without end", "HTTP/1.1 200 " + String(repeating: "O", count: 70_000), "TOO_LARGE"),
    .failed(
        "interim answers without end",
        String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 5000),
        "TOO_LARGE"
    ),
    .failed("another protocol", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "MALFORMED"),
    .failed("HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", "MALFORMED"),
    .failed("garbage", "hello\r\n\r\n", "MALFORMED"),
    .failed("a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "MALFORMED"),
    .failed("a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "MALFORMED"),
    .failed("a negative status", "HTTP/1.1 -20 OK\r\n\r\n", "MALFORMED"),
    .failed("a status below 100", "HTTP/1.1 099 OK\r\n\r\n", "MALFORMED"),
    .failed("a folded field", ok + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n", "MALFORMED"),
    .failed("a field without colon", ok + "nothing\r\n\r\n", "MALFORMED"),
]

@Suite("Response parser")
struct ResponseParserTests {
    /// What bytes come to that arrive in pieces, before the connection ends.
    private func read(_ bytes: [UInt8], to method: HTTPRequest.Method = .get, cutAt cuts: [Int]) -> AnswerShape.Result {
        var parser = ResponseParser(largestBody: 1000, answering: method)
        var start = 0
        do throws(ResponseParser.Failure) {
            for end in cuts + [bytes.count] {
                bytes[start..<end].withUnsafeBytes { parser.append($0) }
                start = end
                if case .answer(let answer, let keepAlive) = try parser.next() {
                    return .answer(answer.status, String(decoding: answer.body, as: UTF8.self), keepAlive: keepAlive)
                }
            }
            guard case .answer(let answer, let keepAlive) = try parser.finish() else { return .failure("no answer") }
            return .answer(answer.status, String(decoding: answer.body, as: UTF8.self), keepAlive: keepAlive)
        } catch {
            return .failure(ClientError(error).name)
        }
    }

    @Test("it is read as HTTP has it, wherever its bytes are cut", arguments: shapes)
    private func shape(shape: AnswerShape) {
        let bytes = Array(shape.text.utf8)
        #expect(read(bytes, to: shape.method, cutAt: []) == shape.result)
        let isShort = bytes.count < 2000
        for cut in isShort ? Array(0..<bytes.count) : [1, 30, 65_000, 65_536, 65_600] {
            #expect(read(bytes, to: shape.method, cutAt: [min(cut, bytes.count)]) == shape.result, "cut at \(cut)")
        }
        let pieces = Array(stride(from: 0, to: bytes.count, by: isShort ? 1 : 997))
        #expect(read(bytes, to: shape.method, cutAt: pieces) == shape.result, "in small pieces")
    }

    @Test("answers follow each other on one connection, and what is not asked for shows")
    func several() throws {
        var parser = ResponseParser(largestBody: 1000, answering: .head)
        Array((ok + "Content-Length: 5\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nhiHTTP").utf8).withUnsafeBytes {
            parser.append($0)
        }
        guard case .answer(let first, true) = try parser.next() else { return #expect(Bool(false), "no answer") }
        #expect(first.body.isEmpty)
        parser.expect(answerTo: .get)
        #expect(!parser.isBetweenAnswers)
        guard case .answer(let second, true) = try parser.next() else { return #expect(Bool(false), "no answer") }
        #expect(second.body == Array("hi".utf8))
        #expect(!parser.isBetweenAnswers)
    }

    @Test("bytes of any kind come to an answer or an error by name, and are read the same in pieces")
    func disturbed() {
        var generator = SplitMix64(seed: 3)
        var results = (answers: 0, failures: 0)
        for _ in 0..<5000 {
            var bytes = Array(shapes[Int(generator.next() % UInt64(shapes.count))].text.utf8.prefix(300))
            for _ in 0..<(1 + generator.next() % 3) where !bytes.isEmpty {
                let place = Int(generator.next() % UInt64(bytes.count))
                switch generator.next() % 4 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(bytes[Int(generator.next() % UInt64(bytes.count))], at: place)
                default: bytes.replaceSubrange(place..., with: bytes[..<place])
                }
            }
            let whole = read(bytes, cutAt: [])
            if case .answer = whole { results.answers += 1 } else { results.failures += 1 }
            let cut = bytes.isEmpty ? 0 : Int(generator.next() % UInt64(bytes.count))
            #expect(read(bytes, cutAt: [cut]) == whole, "\(String(decoding: bytes, as: UTF8.self)) cut at \(cut)")
        }
        #expect(results.answers > 200)
        #expect(results.failures > 200)
    }
}
