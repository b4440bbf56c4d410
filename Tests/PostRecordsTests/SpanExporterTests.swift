import HTTP
import Telemetry
import Testing

@testable import PostRecords

@Suite("Span exporter")
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
}
