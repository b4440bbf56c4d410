/// Spans as OTLP over HTTP carries them in JSON: ExportTraceServiceRequest.
/// opentelemetry.io/docs/specs/otlp (JSON Protobuf Encoding): ids in hex, 64-bit numbers as text.
struct OTLPDocument: Encodable {
    private struct Resource: Encodable {
        var attributes: [Attribute]
    }

    private struct ResourceSpans: Encodable {
        var resource: Resource
        var scopeSpans: [ScopeSpans]
    }

    private struct ScopeSpans: Encodable {
        var scope: [String: String]
        var spans: [SpanDocument]
    }

    private struct SpanDocument: Encodable {
        var traceId: String
        var spanId: String
        var name: String
        var kind: Int
        var startTimeUnixNano: String
        var endTimeUnixNano: String
        var attributes: [Attribute]
        var status: [String: Int]
    }

    private struct Attribute: Encodable {
        var key: String
        var value: [String: String]
    }

    private var resourceSpans: [ResourceSpans]

    init(_ spans: [Span]) {
        let documents = spans.map { span in
            SpanDocument(
                traceId: span.traceID,
                spanId: span.spanID,
                name: span.name,
                // SPAN_KIND_SERVER
                kind: 2,
                startTimeUnixNano: String(span.start),
                endTimeUnixNano: String(span.end),
                attributes: span.attributes.map { Self.attribute($0.key, $0.value) },
                // STATUS_CODE_ERROR, or unset.
                status: span.failed ? ["code": 2] : [:]
            )
        }
        resourceSpans = [
            ResourceSpans(
                resource: Resource(attributes: [Self.attribute("service.name", .text("spiral-server"))]),
                scopeSpans: [ScopeSpans(scope: ["name": "spiral"], spans: documents)]
            )
        ]
    }

    private static func attribute(_ key: String, _ value: Span.Value) -> Attribute {
        switch value {
        case .text(let text): Attribute(key: key, value: ["stringValue": text])
        case .number(let number): Attribute(key: key, value: ["intValue": String(number)])
        }
    }
}
