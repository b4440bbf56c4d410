import HTTPTypes
import POSIX
import Synchronization
import TestSupport
import Testing

@testable import HTTP

/// Echoes bodies; `/size/N` answers N bytes, `/blocks` many blocks, `/slow` waits.
private struct Echo: Responder {
    /// Empty ones, small ones that are joined, and some that the kernel does not take at once.
    static let blocks: [[UInt8]] = {
        let sizes = [0, 1, 12, 70_000, 0, 1, 5_000_000, 65_536, 1, 1, 8_000_000, 3, 0]
        return sizes.enumerated().map { Array(repeating: UInt8($0), count: $1) }
    }()

    func respond(to request: Request) async -> Response {
        if request.path.hasPrefix("/size/"), let size = Int(request.path.dropFirst(6)) {
            return Response(.ok, contentType: "text/plain", body: Array(repeating: 120, count: size))
        }
        if request.path == "/blocks" { return Response(.ok, contentType: "text/plain", blocks: Self.blocks) }
        if request.path == "/pieces" {
            return Response(.ok, contentType: "text/plain", blocks: [[65]], pieces: Self.alphabet())
        }
        if request.path == "/endless" {
            return Response(.ok, contentType: "text/plain", blocks: [], pieces: Self.endless())
        }
        if request.path == "/slow" { try? await Task.sleep(for: .milliseconds(300)) }
        return Response(.ok, contentType: "text/plain", body: request.body)
    }

    /// B to Z, one at a time.
    private static func alphabet() -> AsyncStream<[UInt8]> {
        AsyncStream { continuation in
            for letter in UInt8(66)...90 { continuation.yield([letter]) }
            continuation.finish()
        }
    }

    /// Large pieces for as long as somebody takes them.
    private static func endless() -> AsyncStream<[UInt8]> {
        AsyncStream { [UInt8](repeating: 120, count: 1 << 20) }
    }

    func response(to error: RequestError, head: HTTPRequest?) -> Response {
        Response(error.status, contentType: "text/plain", body: Array(error.message.utf8))
    }
}

@Suite("HTTP server", .requiresNamespaces, .timeLimit(.minutes(1)))
struct ServerTests {
    private func withServer(largestBody: Int = 32 << 20, _ body: (Server) throws -> Void) throws {
        try inNetworkNamespace {
            let server = try Server(
                listeningOn: .ipv4(.loopback, port: 0),
                bounds: ServerBounds(body: largestBody),
                responder: Echo()
            )
            try server.start()
            try body(server)
            _ = server.drain(timeout: .seconds(1))
        }
    }

    private func client(_ server: Server) throws -> Client {
        try Client(to: server.address, timeout: .seconds(10))
    }

    @Test("a connection serves many requests, large and empty")
    func keepAlive() throws {
        try withServer { server in
            var client = try client(server)
            for size in [0, 1, 1000, 3 << 20] {
                let body = [UInt8](repeating: 7, count: size)
                #expect(try client.send(.post, "/", body: body).body == body)
                let reusable = client.isReusable
                #expect(reusable)
            }
            #expect(server.connectionCount == 1)
        }
    }

    @Test("an answer of 12 MB reaches a client that reads slowly, while others are served")
    func backpressure() throws {
        try withServer { server in
            let slow = try Socket.connected(to: server.address, timeout: .seconds(10))
            _ = try slow.descriptor.write(Array("GET /size/12000000 HTTP/1.1\r\nHost: x\r\n\r\n".utf8)[...])
            var quick = try client(server)
            for _ in 0..<20 { #expect(try quick.send(.post, "/", body: [1, 2]).body == [1, 2]) }
            var total = 0
            while total < 12_000_000 {
                let bytes = try slow.descriptor.readSome(upTo: 100_000)
                if bytes.isEmpty { break }
                total += bytes.count
            }
            #expect(total > 12_000_000, "body and head")
        }
    }

    @Test(
        "a body in blocks arrives whole and in order, to a client that reads it slowly and to one that does not",
        .slow
    )
    func blocks() throws {
        try withServer { server in
            let expected = Array(Echo.blocks.joined())
            var client = try client(server)
            for _ in 0..<3 { #expect(try client.send(.get, "/blocks").body == expected) }
            let slow = try Socket.connected(to: server.address, timeout: .seconds(10))
            _ = try slow.descriptor.write(
                Array("GET /blocks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".utf8)[...]
            )
            var received: [UInt8] = []
            while true {
                let bytes = try slow.descriptor.readSome(upTo: 50_000)
                if bytes.isEmpty { break }
                received += bytes
            }
            #expect(received.suffix(expected.count) == expected[...])
        }
    }

    @Test("a client that hangs up in the middle of its answer troubles nobody else")
    func hangUp() throws {
        try withServer { server in
            for _ in 0..<20 {
                let rude = try Socket.connected(to: server.address, timeout: .seconds(10))
                _ = try rude.descriptor.write(Array("GET /size/12000000 HTTP/1.1\r\nHost: x\r\n\r\n".utf8)[...])
                _ = try rude.descriptor.readSome(upTo: 1000)
            }
            var client = try client(server)
            #expect(try client.send(.post, "/", body: [9]).body == [9])
            let gone = eventually { server.connectionCount == 1 }
            #expect(gone, "\(server.connectionCount) connections are left")
        }
    }

    @Test("an answer in pieces arrives whole and in order, and ends with its connection")
    func pieces() throws {
        try withServer { server in
            let reader = try Socket.connected(to: server.address, timeout: .seconds(10))
            _ = try reader.descriptor.write(Array("GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n".utf8)[...])
            let text = String(decoding: try reader.descriptor.readToEnd(), as: UTF8.self)
            #expect(text.hasSuffix("\r\nConnection: close\r\n\r\nABCDEFGHIJKLMNOPQRSTUVWXYZ"))
            #expect(!text.contains("Content-Length"))
            let gone = eventually { server.connectionCount == 0 }
            #expect(gone)
        }
    }

    @Test("who reads pieces and leaves is let go of, and who stays is cut off by a drain")
    func leavingPieces() throws {
        try withServer { server in
            let stays = try Socket.connected(to: server.address, timeout: .seconds(10))
            do {
                let leaves = try Socket.connected(to: server.address, timeout: .seconds(10))
                let request = Array("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
                _ = try stays.descriptor.write(request[...])
                _ = try leaves.descriptor.write(request[...])
                _ = try leaves.descriptor.readSome(upTo: 100)
                #expect(server.connectionCount == 2)
            }
            let gone = eventually { server.connectionCount == 1 }
            #expect(gone)
            #expect(!server.drain(timeout: .milliseconds(50)), "the answer would never end")
            let cut = eventually { server.connectionCount == 0 }
            #expect(cut)
        }
    }

    @Test("a body that is too large is refused, and the refusal arrives although the client is still sending")
    func tooLarge() throws {
        try withServer(largestBody: 1000) { server in
            var client = try client(server)
            let answer = try client.send(.post, "/", body: Array(repeating: 1, count: 20 << 20))
            #expect(answer.status == 413)
            let reusable = client.isReusable
            #expect(!reusable)
        }
    }

    @Test("draining lets a request under way finish and closes idle connections", .slow)
    func drain() throws {
        try withServer { server in
            let busy = try Socket.connected(to: server.address, timeout: .seconds(10))
            let idle = try Socket.connected(to: server.address, timeout: .seconds(10))
            _ = try busy.descriptor.write(Array("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n".utf8)[...])
            let connected = eventually { server.connectionCount == 2 }
            #expect(connected)
            // The request must have been read before the drain begins to count as under way.
            sleepThread(for: .milliseconds(100))
            #expect(server.drain(timeout: .seconds(10)))
            #expect(try idle.descriptor.readSome(upTo: 10).isEmpty)
            let answer = String(decoding: try busy.descriptor.readSome(upTo: 1000), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 200"))
            #expect(answer.contains("Connection: close"))
        }
    }

    @Test("a port that is taken is reported as such")
    func portTaken() throws {
        try withServer { server in
            let error = #expect(throws: SystemCallError.self) {
                try Server(listeningOn: server.address, bounds: ServerBounds(body: 1), responder: Echo())
            }
            #expect(error?.name == "EADDRINUSE")
            #expect(error?.call == "bind")
        }
    }
}
