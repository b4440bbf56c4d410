import HTTPTypes
import POSIX
import Synchronization
import TestSupport
import Testing

@testable import HTTP

/// Echoes bodies; `/size/N` answers N bytes, `/slow` waits.
private struct Echo: Responder {
    func respond(to request: Request) async -> Response {
        if request.path.hasPrefix("/size/"), let size = Int(request.path.dropFirst(6)) {
            return Response(.ok, contentType: "text/plain", body: Array(repeating: 120, count: size))
        }
        if request.path == "/slow" { try? await Task.sleep(for: .milliseconds(300)) }
        return Response(.ok, contentType: "text/plain", body: request.body)
    }

    func response(to error: RequestError) -> Response {
        Response(error.status, contentType: "text/plain", body: Array(error.message.utf8))
    }
}

@Suite("HTTP server", .requiresNamespaces, .timeLimit(.minutes(1)))
struct ServerTests {
    private func withServer(largestBody: Int = 32 << 20, _ body: (Server) throws -> Void) throws {
        try inNetworkNamespace {
            let server = try Server(
                listeningOn: .ipv4(.loopback, port: 0),
                largestBody: largestBody,
                responder: Echo()
            )
            server.start()
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
            _ = try slow.descriptor.write(Array("GET /size/12000000 HTTP/1.1\r\n\r\n".utf8)[...])
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

    @Test("a client that hangs up in the middle of its answer troubles nobody else")
    func hangUp() throws {
        try withServer { server in
            for _ in 0..<20 {
                let rude = try Socket.connected(to: server.address, timeout: .seconds(10))
                _ = try rude.descriptor.write(Array("GET /size/12000000 HTTP/1.1\r\n\r\n".utf8)[...])
                _ = try rude.descriptor.readSome(upTo: 1000)
            }
            var client = try client(server)
            #expect(try client.send(.post, "/", body: [9]).body == [9])
            let gone = eventually { server.connectionCount == 1 }
            #expect(gone, "\(server.connectionCount) connections are left")
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

    @Test("draining lets a request under way finish and closes idle connections")
    func drain() throws {
        try withServer { server in
            let busy = try Socket.connected(to: server.address, timeout: .seconds(10))
            let idle = try Socket.connected(to: server.address, timeout: .seconds(10))
            _ = try busy.descriptor.write(Array("GET /slow HTTP/1.1\r\n\r\n".utf8)[...])
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
                try Server(listeningOn: server.address, largestBody: 1, responder: Echo())
            }
            #expect(error?.name == "EADDRINUSE")
            #expect(error?.call == "bind")
        }
    }
}
