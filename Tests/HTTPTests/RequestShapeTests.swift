import HTTPTypes
import POSIX
import Testing
import Units

@testable import HTTP

/// A connection without a socket, whose responder says what it was asked for.
private struct Conversation {
    private var state = ConnectionState(ServerBounds(body: 1000), at: .now)
    private(set) var output: [UInt8] = []
    private(set) var isClosed = false

    mutating func hear(_ bytes: ArraySlice<UInt8>) {
        Array(bytes).withUnsafeBytes { state.received($0) }
        while !isClosed {
            switch state.step(at: .now) {
            case .wait: return
            case .sendContinue:
                if state.head?.path == "/no" {
                    state.beginRefusal(at: .now)
                    say(Response(.notFound, contentType: "text/plain", body: []))
                } else {
                    output += "HTTP/1.1 100 Continue\r\n\r\n".utf8
                }
            case .respond(let request):
                let head = request.head
                let text = "\(head.method) \(head.path ?? "")|\(head.authority ?? "")|"
                say(Response(.ok, contentType: "text/plain", body: Array(text.utf8) + request.body))
            case .refuse(let error):
                say(Response(error.status, contentType: "text/plain", body: Array(error.message.utf8)))
            }
        }
    }

    private mutating func say(_ response: Response) {
        guard let (blocks, _) = state.answer(response, at: .now) else { return }
        output += blocks.joined()
        if case .close = state.written(at: .now) { isClosed = true }
    }
}

@Suite("Request shapes")
struct RequestShapeTests {
    /// The statuses and bodies of what a server said.
    private func read(_ output: [UInt8]) throws -> (statuses: [Int], bodies: [String]) {
        var (statuses, bodies): ([Int], [String]) = ([], [])
        var rest = output[...]
        while !rest.isEmpty {
            let end = try #require(rest.indices.first { rest[$0...].starts(with: "\r\n\r\n".utf8) })
            let lines = String(decoding: rest[..<end], as: UTF8.self).split(separator: "\r\n")
            let words = lines[0].split(separator: " ")
            let status = try #require(Int(words[1]))
            statuses.append(status)
            rest = rest[(end + 4)...]
            if status == 100 { continue }
            let lengths = lines.filter { $0.hasPrefix("Content-Length: ") }.compactMap { Int($0.dropFirst(16)) }
            let length = try #require(lengths.first)
            // The answer to a HEAD has a length and no body.
            let isHead = rest.isEmpty || rest.starts(with: "HTTP/1.1 ".utf8)
            let body = isHead ? [] : rest.prefix(length)
            bodies.append(String(decoding: body, as: UTF8.self))
            rest = rest.dropFirst(body.count)
        }
        return (statuses, bodies)
    }

    private func answer(_ bytes: [UInt8], cutAt cuts: [Int]) -> (output: [UInt8], isClosed: Bool) {
        var conversation = Conversation()
        var start = 0
        for end in cuts + [bytes.count] {
            conversation.hear(bytes[start..<end])
            start = end
        }
        return (conversation.output, conversation.isClosed)
    }

    @Test("it is answered as HTTP has it", arguments: RequestShape.all)
    func answers(shape: RequestShape) throws {
        let (output, isClosed) = answer(shape.bytes, cutAt: [])
        let (statuses, bodies) = try read(output)
        #expect(statuses == shape.statuses)
        #expect(isClosed == shape.closes)
        if let expected = shape.bodies { #expect(bodies == expected) }
        // Said to the client as it is done.
        #expect(String(decoding: output, as: UTF8.self).contains("Connection: close\r\n") == isClosed)
    }

    @Test("it is answered the same, to the byte, wherever its bytes are cut", arguments: RequestShape.all)
    func cuts(shape: RequestShape) {
        let whole = answer(shape.bytes, cutAt: [])
        // Long ones are the same over most of their length.
        let isShort = shape.bytes.count < 2000
        let places = isShort ? Array(1..<shape.bytes.count) : Array(1..<100) + [65_000, 65_536, 65_600]
        for cut in places where cut < shape.bytes.count {
            let cutUp = answer(shape.bytes, cutAt: [cut])
            #expect(cutUp == whole, "cut at \(cut)")
            if cutUp != whole { return }
        }
        let pieces = answer(shape.bytes, cutAt: Array(stride(from: 1, to: shape.bytes.count, by: isShort ? 1 : 997)))
        #expect(pieces == whole, "in small pieces")
    }

    @Test("bytes of any kind are answered or refused, and the same in pieces")
    func disturbed() throws {
        var generator = SplitMix64(seed: 4)
        var statuses: [Int: Int] = [:]
        for _ in 0..<4000 {
            var bytes = RequestShape.all[Int(generator.next() % UInt64(RequestShape.all.count))].bytes
            bytes = Array(bytes.prefix(400))
            for _ in 0..<(1 + generator.next() % 3) where !bytes.isEmpty {
                let index = Int(generator.next() % UInt64(bytes.count))
                switch generator.next() % 4 {
                case 0: bytes[index] = UInt8(truncatingIfNeeded: generator.next())
                case 1: bytes.remove(at: index)
                case 2: bytes.insert(bytes[Int(generator.next() % UInt64(bytes.count))], at: index)
                default: bytes.replaceSubrange(index..., with: bytes[..<index])
                }
            }
            let whole = answer(bytes, cutAt: [])
            for status in try read(whole.output).statuses { statuses[status, default: 0] += 1 }
            let cuts = (0..<3).map { _ in Int(generator.next() % UInt64(bytes.count + 1)) }.sorted()
            #expect(answer(bytes, cutAt: cuts) == whole, "\(String(decoding: bytes, as: UTF8.self)) cut at \(cuts)")
        }
        #expect(statuses[200] ?? 0 > 200, "\(statuses)")
        #expect(statuses[400] ?? 0 > 200, "\(statuses)")
    }

    @Test("a client of 1.0 is told that its connection is kept")
    func saysKeepAlive() {
        let (output, _) = answer(Array("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".utf8), cutAt: [])
        #expect(String(decoding: output, as: UTF8.self).contains("\r\nConnection: keep-alive\r\n"))
    }
}
