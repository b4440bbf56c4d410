import Glibc
import HTTP
import HTTPTypes
import LoadGenerator
import Memcached
import POSIX
import Results
import SwiftProtobuf
import TestSupport
import Testbed
import Testing
import Text
import Units

@testable import PostRecords

/// Values that memcached has and that are no records: an outcome of their own, wherever lookups are counted.
@Suite("Unreadable values", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct UnreadableValueTests {
    private static let address = SocketAddress.ipv4(.loopback, port: 8080)
    private static let adminAddress = SocketAddress.ipv4(.loopback, port: 8081)

    @Test(
        "in every log mode they are counted as such, once each, and the sum of outcomes is the number of URIs",
        arguments: ["off", "blocking", "async", "sampled", "metrics"],
        ["per-uri", "multiget:4"]
    )
    func counted(mode: String, fanout: String) throws {
        let lines = try TemporaryFile()
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let uris = postURIs(20)
            let good = SyntheticPost.cacheValue(for: uris[0])
            let bad: [[UInt8]] = [
                [], Array("garbage!!".utf8), good.dropLast(5), good + good, Array(#"{"json":1}"#.utf8),
                good + [0xff, 0xff, 0xff],
            ]
            var connection = try TextConnection(to: memcached.address)
            try connection.set(zip(uris, bad).map { (key: $0, value: $1) })
            try connection.set(uris[6..<15].map { (key: $0, value: SyntheticPost.cacheValue(for: $0)) })
            let server = try Program(
                "spiral-server",
                ["--store", "off", "--log-mode", mode, "--log-sink", "file:\(lines.path)", "--fanout", fanout]
            )
            let serves = eventually { (try? Client(to: Self.adminAddress, timeout: .seconds(5))) != nil }
            let text = try server.text
            try #require(serves, "\(text)")

            for codec in Codec.allCases {
                let response = try ask(uris, codec)
                #expect(
                    response.records.map { $0 == Bsky_Record() }.enumerated().filter(\.element).map(\.offset)
                        == Array(0..<6) + Array(15..<20)
                )
            }

            var admin = AdminClient(Self.adminAddress)
            let lookups = try admin.counters(takePeaks: false).lookups
            #expect([lookups.hits, lookups.misses, lookups.unreadable, lookups.failed] == [18, 10, 12, 0])
            #expect(lookups.total == 40)
            #expect(try memcached.statistic("get_hits") == lookups.hits + lookups.unreadable)
            let metrics = String(decoding: try admin.call(.get, "/metrics"), as: UTF8.self)
            #expect(metrics.contains("spiral_lookups_total{outcome=\"unreadable\",call=\"\",error=\"\"} 12\n"))
            #expect(metrics.contains("spiral_client_lookups_unreadable_total{client=\"reader\"} 12\n"))
            let ranking = try JSONText.decode(ClientRanking.self, from: try admin.call(.get, "/debug/clients"))
            let client = try #require(ranking.clients.first { $0.name == "reader" })
            #expect([client.uris, client.ok, client.unreadable, client.failed] == [40, 28, 12, 0])

            let words = "cached value is not a post record"
            switch mode {
            case "off": #expect(try lines.contents.isEmpty)
            case "metrics":
                let report = String(decoding: try admin.call(.get, "/debug/errors"), as: UTF8.self)
                #expect(report.contains(words) && report.contains("\"reply unreadable\""))
            case "sampled": #expect(try eventually { try lines.contents.contains(words) })
            default:
                let isLogged = try eventually { try lines.contents.split(separator: "\n").count == 12 }
                #expect(isLogged)
                #expect(try lines.contents.split(separator: "\n").allSatisfy { $0.contains(words) })
            }
            server.send(SIGTERM)
            #expect(server.wait() == .status(0))
        }
    }

    private func ask(_ uris: [String], _ codec: Codec) throws -> Bsky_GetPostRecordsResponse {
        var client = try Client(to: Self.address, timeout: .seconds(30))
        var request = Bsky_GetPostRecordsRequest()
        request.uris = uris
        let body: [UInt8] = try codec == .json ? request.jsonUTF8Bytes() : request.serializedBytes()
        let fields: HTTPFields = [.contentType: codec.contentType, CallerName.header: "reader"]
        let answer = try client.send(.post, Endpoint.path, fields: fields, body: body)
        try #require(answer.status == 200)
        return try codec.decode(answer.body)
    }
}
