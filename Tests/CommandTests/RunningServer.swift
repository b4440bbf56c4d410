import Glibc
import HTTP
import HTTPTypes
import POSIX
import SwiftProtobuf
import TestSupport
import Testing
import Text

@testable import PostRecords

/// A spiral-server beside a real memcached, in a namespace of their own.
struct RunningServer {
    static let address = SocketAddress.ipv4(.loopback, port: 8080)
    static let adminAddress = SocketAddress.ipv4(.loopback, port: 8081)
    static let path = "/bsky.Service/GetPostRecords"

    let memcached: RealMemcached
    let program: Program

    /// Runs a test with a server, and ends the server as its users do.
    static func during(
        _ arguments: [String],
        descriptorLimit: UInt64? = nil,
        _ body: (RunningServer) throws -> Void
    ) throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let program = try Program(
                "spiral-server",
                ["--log-mode", "off"] + arguments,
                descriptorLimit: descriptorLimit
            )
            let serves = eventually { (try? Client(to: adminAddress, timeout: .seconds(5))) != nil }
            let text = try program.text
            try #require(serves, "\(text)")
            try body(RunningServer(memcached: memcached, program: program))
            program.send(SIGTERM)
            #expect(program.wait() == .status(0))
        }
    }

    func admin(_ path: String) throws -> Client.Answer {
        var client = try Client(to: Self.adminAddress, timeout: .seconds(10))
        return try client.send(.get, path)
    }

    func counters() throws -> CounterSnapshot {
        try JSONText.decode(CounterSnapshot.self, from: try admin("/admin/counters").body)
    }

    /// Whether `/metrics` has a line.
    func hasMetric(_ line: String) throws -> Bool {
        String(decoding: try admin("/metrics").body, as: UTF8.self).contains("\n\(line)\n")
    }

    func ask(_ body: [UInt8], _ fields: HTTPFields = [.contentType: "application/json"]) throws -> Client.Answer {
        var client = try Client(to: Self.address, timeout: .seconds(60))
        return try client.send(.post, Self.path, fields: fields, body: body)
    }

    func proto(_ uris: [String]) throws -> [UInt8] {
        try Bsky_GetPostRecordsRequest.with { $0.uris = uris }.serializedBytes()
    }

    /// A connection over which a batch was asked for that nobody has read the answer of.
    func begin(_ uris: [String]) throws -> Socket {
        let socket = try Socket.connected(to: Self.address, timeout: .seconds(60))
        let body = try proto(uris)
        let head =
            "POST \(Self.path) HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/proto\r\n"
            + "Content-Length: \(body.count)\r\n\r\n"
        try socket.descriptor.writeAll(Array(head.utf8) + body)
        return socket
    }
}
