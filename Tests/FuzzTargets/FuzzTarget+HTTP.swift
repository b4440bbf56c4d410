internal import HTTP
internal import HTTPTypes

extension FuzzTarget {
    private static let words = [
        "GET ", "POST ", "HEAD ", "OPTIONS * ", "/bsky.Service/GetPostRecords", "http://a/", " HTTP/1.1\r\n",
        " HTTP/1.0\r\n",
        "\r\n", "\n", "\r", "\r\n\r\n", ":", " ", "\t", ",", ";", "\"", "\u{0}", "\u{212a}", "Host: a\r\n",
        "Content-Length: ", "Transfer-Encoding: chunked\r\n", "Connection: close\r\n", "Connection: keep-alive\r\n",
        "Expect: 100-continue\r\n", "0\r\n\r\n", "5\r\nhello\r\n", "7fffffffffffffff", "ffffffffffffffff", "-1",
        "9223372036854775807", ";a=b", ";a=\"\\\"\"", "Trailer: x\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 103 \r\n",
        "HTTP/1.1 204 No Content\r\n", "HTTP/1.0 200\r\n",
    ]

    /// Bytes of a body: small, so that bounds are met.
    private static let largestBody = 2048

    /// What clients send, and the chunked coding. A request is the same in any pieces.
    static let httpRequests = FuzzTarget(name: "http-requests", words: words) { input in
        try compare(input) { ends in try requests(input, in: ends) }
    }

    /// What servers send: the first byte says whether the request was HEAD.
    static let httpAnswers = FuzzTarget(name: "http-answers", words: words) { input in
        guard let first = input.first else { return }
        let answer = UnsafeRawBufferPointer(rebasing: input.dropFirst())
        try compare(answer) { ends in try answers(answer, to: first & 1 == 0 ? .get : .head, in: ends) }
    }

    /// Reads an input whole, byte by byte, and in pieces.
    private static func compare(
        _ input: UnsafeRawBufferPointer,
        _ read: (_ ends: [Int]) throws -> [String]
    ) throws {
        let whole = try read([input.count])
        for ends in [Array(0...input.count), pieces(of: input.count, chosenBy: input)] {
            let parts = try read(ends)
            if parts != whole {
                throw Violation("\(shown(input)): in pieces it is \(parts), and whole \(whole)")
            }
        }
    }

    private static func requests(_ input: UnsafeRawBufferPointer, in ends: [Int]) throws -> [String] {
        var parser = RequestParser(largestBody: largestBody)
        var seen: [String] = []
        var start = 0
        for end in ends {
            parser.append(UnsafeRawBufferPointer(rebasing: input[start..<end]))
            start = end
            do throws(RequestError) {
                reading: while true {
                    switch try parser.next() {
                    case .incomplete: break reading
                    case .expectsContinue: seen.append("continue")
                    case .request(let request, let keepAlive):
                        seen.append("\(request.head) \(text(request.head.headerFields)) \(request.body) \(keepAlive)")
                    }
                }
            } catch {
                return seen + ["\(error)"]
            }
            if parser.heldBytes > input.count { throw Violation("\(shown(input)): it holds more than it was given") }
        }
        return seen
    }

    private static func answers(
        _ input: UnsafeRawBufferPointer,
        to method: HTTPRequest.Method,
        in ends: [Int]
    ) throws -> [String] {
        var parser = ResponseParser(largestBody: largestBody, answering: method)
        var seen: [String] = []
        func take(_ output: ResponseParser.Output) -> Bool {
            guard case .answer(let answer, let keepAlive) = output else { return false }
            seen.append("\(answer.status) \(text(answer.fields)) \(answer.body) \(keepAlive)")
            return true
        }
        var start = 0
        do throws(ResponseParser.Failure) {
            for end in ends {
                parser.append(UnsafeRawBufferPointer(rebasing: input[start..<end]))
                start = end
                while take(try parser.next()) {}
            }
            _ = take(try parser.finish())
        } catch {
            seen.append("\(error)")
        }
        return seen
    }

    private static func text(_ fields: HTTPFields) -> String {
        fields.map { "\($0.name): \($0.value)" }.joined(separator: "|")
    }
}
