import HTTP
import Telemetry
import TestSupport
import Testing

@testable import PostRecords

@Suite("Span exporter", .timeLimit(.minutes(1)))
struct SpanExporterTests {
    @Test("a span that finds no room is counted, and not made")
    func noRoom() throws {
        let exporter = try SpanExporter.start(to: try Target(text: "http://127.0.0.1:1", defaultPath: "/v1/traces"))
        exporter.close(within: .zero)
        exporter.add(unwanted())
        #expect(exporter.dropped.value == 1)
    }

    private func unwanted() -> Span {
        Issue.record("it was made")
        return Span("unwanted", duration: .zero, failed: false, [])
    }

    private static let good = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    /// What a collector says, whether the span counts as exported, and whether it closes after it.
    private static let answers: [(text: String, isTaken: Bool, closes: Bool)] = [
        (good, true, false), (good + good, true, false), ("HTTP/1.1 102 x\r\n\r\n" + good, true, false),
        ("HTTP/1.1 200 OK\r\n\r\nuntil the end", true, true),
        ("HTTP/1.1 301 x\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", false, false),
        ("HTTP/1.1 307 x\r\nLocation: /v1/traces\r\nContent-Length: 0\r\n\r\n", false, false),
        ("HTTP/1.1 429 x\r\nRetry-After: 99999999999\r\nContent-Length: 0\r\n\r\n", false, false),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", false, false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n", false, false),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", false, false),
        ("HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 20_000), false, false),
        ("HTTP/1.1 101 x\r\n\r\n", false, false), ("HTTP/1.1 99 x\r\n\r\n", false, true), ("hello\r\n", false, true),
        ("\u{0}\u{0}\u{12}\u{4}\n", false, true), ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", false, true),
        ("", false, true),
    ]

    @Test("whatever a collector answers, each span is exported or dropped, and the next good answer counts")
    func answers() throws {
        let server = try ScriptedServer { request in
            // Every other one is good, so that it is seen that the exporter goes on.
            let answer = Self.answers[request.number / 2 % Self.answers.count]
            let text = request.number % 2 == 0 ? answer.text : Self.good
            if request.number % 2 == 1 || !answer.closes { return .answer(Array(text.utf8)) }
            return text.isEmpty ? .close : .answerAndClose(Array(text.utf8))
        }
        defer { server.end() }
        let target = try Target(text: "http://\(server.address)", defaultPath: "/v1/traces")
        let exporter = try SpanExporter.start(to: target, every: .milliseconds(1))
        for (text, isTaken, _) in Self.answers {
            for isGood in [isTaken, true] {
                let (exported, dropped) = (exporter.exported.value, exporter.dropped.value)
                exporter.add(Span("batch", duration: .zero, failed: false, []))
                let isCounted = eventually { exporter.exported.value + exporter.dropped.value > exported + dropped }
                #expect(isCounted)
                #expect(exporter.exported.value == exported + (isGood ? 1 : 0), "\(text.prefix(60).debugDescription)")
            }
        }
        exporter.close(within: .seconds(5))
    }
}
