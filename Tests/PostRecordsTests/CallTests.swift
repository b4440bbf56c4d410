import HTTP
import HTTPTypes
import Testing

@testable import PostRecords

@Suite("Calls")
struct CallTests {
    private func head(_ fields: [(String, String)]) -> HTTPRequest {
        var head = HTTPRequest(method: .post, scheme: nil, authority: "x", path: Endpoint.path)
        for (name, value) in fields { head.headerFields.append(HTTPField(name: .init(name)!, value: value)) }
        return head
    }

    private func code(_ fields: [(String, String)]) -> String {
        do throws(ConnectError) {
            _ = try CallHead(head(fields))
            return "ok"
        } catch {
            return "\(error.code.rawValue) \(error.status.code)"
        }
    }

    @Test(
        "a content type names protocol and codec",
        arguments: [
            ("application/json", CallForm.connect, Codec.json), ("application/proto", .connect, .proto),
            ("Application/JSON; charset=UTF-8", .connect, .json),
            ("application/json;charset=\"utf-8\"", .connect, .json),
            ("application/grpc", .grpc(contentType: "application/grpc"), .proto),
            ("application/grpc+proto", .grpc(contentType: "application/grpc+proto"), .proto),
            ("application/grpc+json", .grpc(contentType: "application/grpc+json"), .json),
        ]
    )
    func contentTypes(type: String, form: CallForm, codec: Codec) throws {
        let call = try CallHead(head([("Content-Type", type)]))
        #expect(call.form == form)
        #expect(call.codec == codec)
    }

    @Test("the request of Ping is an object or fields, whatever is in them, and nothing else")
    func ping() {
        func code(_ bytes: [UInt8], _ codec: Codec) -> String {
            do throws(ConnectError) {
                try PingRequest.check(bytes, in: codec)
                return "ok"
            } catch {
                return error.code.rawValue
            }
        }
        let (long, deep) = (String(repeating: "9", count: 100_000), String(repeating: "[", count: 100_000))
        for text in ["{}", " {\"a\": [1e999, {\"b\": null}]} ", "{\"a\":\(long)}", "{\"a\":\"\\ud83d\\ude00\"}"] {
            #expect(code(Array(text.utf8), .json) == "ok", "\(text.prefix(40))")
        }
        for text in ["", "[]", "null", "{", "{}}", "{} {}", "{\"a\":\(deep)", "{\"a\":\"\\udc00\"}", "\u{feff}{}"] {
            #expect(code(Array(text.utf8), .json) == "invalid_argument", "\(text.prefix(40))")
        }
        for bytes in [[], [0x08, 1], [0x0a, 1, 7]] as [[UInt8]] { #expect(code(bytes, .proto) == "ok") }
        for bytes in [[0], [0x0a, 9], [0x0b], [0xff]] as [[UInt8]] {
            #expect(code(bytes, .proto) == "invalid_argument")
        }
        #expect(code([UInt8](repeating: 0x0b, count: 100_000), .proto) == "invalid_argument")
    }

    @Test(
        "what is not spoken here is said so",
        arguments: [
            ("", "unimplemented 415"),
            ("Content-Type: text/plain", "unimplemented 415"),
            ("Content-Type: application/json\nContent-Type: application/proto", "unimplemented 415"),
            ("Content-Type: application/json; charset=utf-16", "unimplemented 415"),
            ("Content-Type: application/grpc-web+proto", "unimplemented 415"),
            ("Content-Type: application/json\nContent-Encoding: br", "unimplemented 501"),
            ("Content-Type: application/json\nContent-Encoding: gzip, gzip", "unimplemented 501"),
            ("Content-Type: application/json\nContent-Encoding: GZIP", "ok"),
            ("Content-Type: application/grpc\nContent-Encoding: br", "ok"),
            ("Content-Type: application/grpc\ngrpc-encoding: br", "unimplemented 501"),
            ("Content-Type: application/json\nConnect-Protocol-Version: 1", "ok"),
            ("Content-Type: application/json\nConnect-Protocol-Version: 9", "invalid_argument 400"),
            ("Content-Type: application/grpc\nConnect-Protocol-Version: 9", "ok"),
            ("Content-Type: application/json\nConnect-Timeout-Ms: abc", "invalid_argument 400"),
            ("Content-Type: application/grpc\ngrpc-timeout: 5x", "invalid_argument 400"),
        ]
    )
    func refused(fields: String, expected: String) {
        let pairs = fields.split(separator: "\n").map { line in
            let parts = line.split(separator: ":", maxSplits: 1).map { String($0) }
            return (parts[0], String(parts[1].dropFirst()))
        }
        #expect(code(pairs) == expected)
    }

    @Test(
        "a timeout is read as the protocol writes it",
        arguments: [
            ("Connect-Timeout-Ms", "5", Duration.milliseconds(5)), ("Connect-Timeout-Ms", "0", .zero),
            ("Connect-Timeout-Ms", "9999999999", nil), ("grpc-timeout", "5S", .seconds(5)),
            ("grpc-timeout", "1H", .seconds(3600)), ("grpc-timeout", "2M", .seconds(120)),
            ("grpc-timeout", "3m", .milliseconds(3)), ("grpc-timeout", "4u", .microseconds(4)),
            ("grpc-timeout", "99999999n", .nanoseconds(99_999_999)), ("grpc-timeout", "99999999H", nil),
        ] as [(String, String, Duration?)]
    )
    func timeouts(field: String, text: String, expected: Duration?) throws {
        let type = field == "grpc-timeout" ? "application/grpc" : "application/proto"
        #expect(try CallHead(head([("Content-Type", type), (field, text)])).timeout == expected)
    }

    @Test(
        "a timeout that is no number is refused",
        arguments: [
            ("Connect-Timeout-Ms", ""), ("Connect-Timeout-Ms", "-1"), ("Connect-Timeout-Ms", "+1"),
            ("Connect-Timeout-Ms", "1.5"), ("Connect-Timeout-Ms", "12345678901"), ("Connect-Timeout-Ms", "\u{0665}"),
            ("grpc-timeout", ""), ("grpc-timeout", "5"), ("grpc-timeout", "S"), ("grpc-timeout", "123456789S"),
            ("grpc-timeout", "-5S"), ("grpc-timeout", "5 S"),
        ]
    )
    func wrongTimeouts(field: String, text: String) {
        let type = field == "grpc-timeout" ? "application/grpc" : "application/proto"
        #expect(code([("Content-Type", type), (field, text)]) == "invalid_argument 400")
    }

    @Test("a frame is one message, and says its length")
    func frames() throws {
        let message = Array("hello".utf8)
        let frame: [UInt8] = GRPCFrame.prefix(of: [message], isCompressed: false) + message
        #expect(frame == [0, 0, 0, 0, 5] + message)
        #expect(try GRPCFrame(frame).message == message)
        #expect(try GRPCFrame([1, 0, 0, 0, 0]).isCompressed)
        let wrong: [[UInt8]] = [
            [], [0, 0, 0, 0], [2, 0, 0, 0, 0], [0, 0, 0, 0, 6] + message, [0, 0xff, 0xff, 0xff, 0xff], frame + frame,
            frame + [0],
        ]
        for body in wrong { #expect(throws: ConnectError.self, "\(body)") { try GRPCFrame(body) } }
    }

    @Test(
        "messages are decompressed as they say they are, up to the limit",
        arguments: ["application/proto", "application/grpc+proto"]
    )
    func compressed(type: String) async throws {
        let message = [UInt8](repeating: 7, count: 5000)
        let packed = Array(await Gzip.compress([message]).joined())
        let isGRPC = type.contains("grpc")
        func body(_ bytes: [UInt8], isCompressed: Bool) -> [UInt8] {
            isGRPC ? GRPCFrame.prefix(of: [bytes], isCompressed: isCompressed) + bytes : bytes
        }
        let plain = try CallHead(head([("Content-Type", type)]))
        #expect(try plain.message(in: body(message, isCompressed: false), limit: 5000) == message)
        let gzip = try CallHead(
            head([("Content-Type", type), (isGRPC ? "grpc-encoding" : "Content-Encoding", "gzip")])
        )
        #expect(try gzip.message(in: body(packed, isCompressed: true), limit: 5000) == message)
        let bomb = #expect(throws: ConnectError.self) {
            try gzip.message(in: body(packed, isCompressed: true), limit: 4999)
        }
        #expect(bomb?.code == .resourceExhausted)
        #expect(bomb?.status == .contentTooLarge)
        let broken = #expect(throws: ConnectError.self) {
            try gzip.message(in: body(Array(packed.dropLast()), isCompressed: true), limit: 5000)
        }
        #expect(broken?.code == .invalidArgument)
        if isGRPC {
            #expect(try gzip.message(in: body(message, isCompressed: false), limit: 5000) == message)
            #expect(throws: ConnectError.self) { try plain.message(in: body(packed, isCompressed: true), limit: 5000) }
        } else {
            #expect(try gzip.message(in: [], limit: 5000).isEmpty)
        }
    }

    @Test(
        "an answer is compressed for who asked for it, if it is not small",
        arguments: [
            ("gzip", 5000, true), ("br, GZIP;q=0.5", 5000, true), ("deflate", 5000, false), ("gzip;q=0", 5000, false),
            ("gzip; q=0.000", 5000, false), ("", 5000, false), ("gzip", 500, false), ("xgzip", 5000, false),
        ]
    )
    func answers(accepted: String, size: Int, isCompressed: Bool) async throws {
        let message = [UInt8](repeating: 7, count: size)
        let connect = try CallHead(head([("Content-Type", "application/proto"), ("Accept-Encoding", accepted)]))
        let response = await connect.response([message])
        #expect(response.head.headerFields[.contentEncoding] == (isCompressed ? "gzip" : nil))
        let body = Array(response.body.joined())
        #expect(try isCompressed ? Gzip.decompress(body, limit: size) == message : body == message)

        let grpc = try CallHead(head([("Content-Type", "application/grpc"), ("grpc-accept-encoding", accepted)]))
        let framed = await grpc.response([message])
        let frame = try GRPCFrame(Array(framed.body.joined()))
        #expect(frame.isCompressed == isCompressed)
        #expect(try isCompressed ? Gzip.decompress(frame.message, limit: size) == message : frame.message == message)
        #expect(framed.trailers == [HTTPField.Name("grpc-status")!: "0"])
        #expect(framed.head.headerFields[.contentType] == "application/grpc")
    }

    @Test("an error is JSON under its status, or trailers under 200", arguments: ConnectError.Code.allCases)
    func errors(code: ConnectError.Code) {
        let error = ConnectError(code, "100% é\n")
        #expect(error.response.head.status.code >= 400)
        #expect(error.response.trailers == nil)
        let grpc = error.response(in: .grpc(contentType: "application/grpc+proto"))
        #expect(grpc.head.status == .ok)
        #expect(grpc.body.isEmpty)
        #expect(Int(grpc.trailers?[HTTPField.Name("grpc-status")!] ?? "") ?? 0 > 0)
        #expect(grpc.trailers?[HTTPField.Name("grpc-message")!] == "100%25 %C3%A9%0A")
    }
}
