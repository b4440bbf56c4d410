import HTTPTypes
import POSIX
import TestSupport
import Testing

@testable import HTTP

@Suite("HTTP client", .requiresNamespaces, .timeLimit(.minutes(1)))
struct ClientTests {
    /// A client and the server's side of its connection.
    private func withPair(_ body: (inout Client, borrowing Socket) throws -> Void) throws {
        try inNetworkNamespace {
            let listener = try Socket.listening(on: .ipv4(.loopback, port: 0), backlog: 8)
            var client = try Client(to: try listener.localAddress(), timeout: .milliseconds(200))
            try body(&client, try listener.accept()!)
        }
    }

    @Test(
        "a client says whether an answer stopped coming or was cut off",
        arguments: ["", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"]
    )
    func brokenOff(half: String) throws {
        for ends in [false, true] {
            try withPair { client, server in
                try server.descriptor.writeAll(Array(half.utf8))
                if ends { server.finishSending() }
                let error = #expect(throws: ClientError.self) { try client.send(.get, "/") }
                #expect(error?.name == (ends ? "EOF" : "ETIMEDOUT"))
            }
        }
    }

    @Test("an answer that comes byte by byte ends when its time is over, however short each wait is")
    func dripping() throws {
        try inNetworkNamespace {
            let server = try StandIn { caller in
                while true {
                    try caller.send("H")
                    sleepThread(for: .milliseconds(5))
                }
            }
            var client = try Client(to: server.address, timeout: .seconds(20), longestAnswer: .milliseconds(30))
            let error = #expect(throws: ClientError.self) { try client.send(.get, "/") }
            #expect(error?.name == "ETIMEDOUT")
        }
    }

    @Test(
        "a kept connection is not used again when the server has ended it, or has spoken unasked",
        arguments: ["", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"]
    )
    func endedMeanwhile(unasked: String) throws {
        try withPair { client, server in
            try server.descriptor.writeAll(Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".utf8))
            #expect(try client.send(.get, "/").body == Array("hi".utf8))
            let isReusable = client.isReusable
            #expect(isReusable)
            if unasked.isEmpty { server.finishSending() } else { try server.descriptor.writeAll(Array(unasked.utf8)) }
            let isNoticed = eventually { !client.isReusable }
            #expect(isNoticed)
        }
    }

    @Test("an answer that says close, or ends with its connection, leaves nothing to use again")
    func closes() throws {
        for answer in ["Connection: Close, x\r\nContent-Length: 2\r\n\r\nhi", "\r\nhi"] {
            try withPair { client, server in
                try server.descriptor.writeAll(Array("HTTP/1.1 200 OK\r\n\(answer)".utf8))
                server.finishSending()
                #expect(try client.send(.get, "/").body == Array("hi".utf8))
                let isReusable = client.isReusable
                #expect(!isReusable)
            }
        }
    }
}
