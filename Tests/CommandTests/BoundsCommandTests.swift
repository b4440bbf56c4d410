import Glibc
import HTTP
import HTTPTypes
import KernelProbe
import LoadGenerator
import Memcached
import POSIX
import SwiftProtobuf
import Telemetry
import TestSupport
import Testing
import Text

@testable import PostRecords

/// What callers can take of spiral-server at the most.
@Suite("spiral-server's bounds", .slow, .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct BoundsCommandTests {
    @Test("millions of URIs in one body are refused at once, whatever max-batch says", .slow, .measuresMemory)
    func manyURIs() throws {
        try RunningServer.during(["--limit", "request:64"]) { server in
            let before = try ProcessStatus.read(server.program.identifier).residentBytes
            let millions = Array(repeatElement([0x0a, 0x01, 0x61] as [UInt8], count: 5_000_000).joined())
            let refused = try server.ask(millions, [.contentType: "application/proto"])
            #expect(refused.status == 429)
            #expect(String(decoding: refused.body, as: UTF8.self).contains("more than 100000 URIs in one request"))
            let json = Array("{\"uris\":[".utf8) + Array(repeatElement(Array("\"a\",".utf8), count: 3_000_000).joined())
            #expect(try server.ask(json + Array("\"a\"]}".utf8)).status == 429)
            #expect(try server.counters().refusals == ["max-uris": 2])
            // The bodies are here once; what they would have become is not.
            let grown = try ProcessStatus.read(server.program.identifier).residentBytes - before
            #expect(grown < 150 << 20, "\(grown) bytes")
            #expect(try server.ask(JSONText.encode(["uris": postURIs(100)])).status == 200)
        }
    }

    @Test("a crowd of idle connections leaves descriptors for lookups, callers who were here, and the admin listener")
    func idleCrowd() throws {
        try RunningServer.during(["--limit", "request:16", "--store", "off"], descriptorLimit: 400) { server in
            var early = try Client(to: RunningServer.address, timeout: .seconds(20))
            func askEarly() throws -> Int {
                let body = JSONText.encode(["uris": postURIs(200)])
                return try early.send(.post, RunningServer.path, fields: [.contentType: "application/json"], body: body)
                    .status
            }
            #expect(try askEarly() == 200)
            var crowd: [TextlessClient] = []
            for _ in 0..<500 { crowd.append(try TextlessClient(RunningServer.address)) }
            let areTurnedAway = try eventually {
                try server.hasMetric("spiral_http_connections_closed_total{reason=\"turned-away\"} 401")
            }
            #expect(areTurnedAway)
            #expect(try server.admin("/healthz").status == 200)
            #expect(try askEarly() == 200)
            #expect(try server.counters().lookups.errors == [:])
            withExtendedLifetime(crowd) {}
        }
    }

    /// A connection that says nothing.
    private final class TextlessClient {
        private let socket: Socket

        init(_ address: SocketAddress) throws {
            socket = try Socket.connected(to: address, timeout: .seconds(5))
        }
    }

    @Test("what batches hold together is bounded, and room that comes free is taken")
    func heldBytes() throws {
        let arguments = [
            "--max-held-bytes", "10MiB", "--max-held-batches", "2", "--lookup-timeout", "10s", "--store", "off",
            "--limit", "request:64",
        ]
        try RunningServer.during(arguments) { server in
            server.memcached.send(SIGSTOP)
            let held = try server.begin(postURIs(9000))
            let isHeld = eventually { (try? server.counters().inFlight) == 64 }
            #expect(isHeld)
            let refused = try server.ask(JSONText.encode(["uris": postURIs(9000)]))
            #expect(refused.status == 429)
            let text = String(decoding: refused.body, as: UTF8.self)
            #expect(text.contains("\"code\" : \"resource_exhausted\""))
            #expect(text.contains("are held here already; try again later"))
            // A small one has room beside it, a third one has not.
            let small = try server.begin(postURIs(1))
            let areUnderWay = try eventually { try server.hasMetric("spiral_held_batches 2") }
            #expect(areUnderWay)
            #expect(try server.ask(JSONText.encode(["uris": postURIs(1)])).status == 429)
            #expect(try server.counters().refusals == ["held-bytes": 1, "held-batches": 1])
            server.memcached.send(SIGCONT)
            #expect(String(decoding: try held.descriptor.readToEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 200 "))
            #expect(String(decoding: try small.descriptor.readToEnd(), as: UTF8.self).hasPrefix("HTTP/1.1 200 "))
            #expect(try server.ask(JSONText.encode(["uris": postURIs(9000)])).status == 200)
        }
    }

    @Test("memory that a crowd of large batches took goes back to the kernel when they are over", .measuresMemory)
    func memory() throws {
        let arguments = ["--fanout", "multiget:1000", "--limit", "request:64", "--max-idle", "64"]
        try RunningServer.during(arguments + ["--trim-after", "300ms"]) { server in
            let workload = Workload(seed: 4, count: 20_000)
            try Preload.run(workload, into: ServerList([server.memcached.address]))
            let uris = workload.uris
            let before = try ProcessStatus.read(server.program.identifier).residentBytes
            var crowd: [Reader] = []
            for _ in 0..<8 { crowd.append(Reader(try server.begin(uris))) }
            var peak = 0
            let areOver = try eventually(within: .seconds(90)) {
                peak = max(peak, try ProcessStatus.read(server.program.identifier).residentBytes)
                return crowd.allSatisfy(\.isOver)
            }
            #expect(areOver)
            #expect(peak - before > 60 << 20, "the test has not taken much: \(peak) bytes")
            var now = peak
            let isGivenBack = try eventually(within: .seconds(30)) {
                now = try ProcessStatus.read(server.program.identifier).residentBytes
                return now - before < (peak - before) / 3
            }
            #expect(isGivenBack, "\(now) of \(peak) bytes are kept")
        }
    }

    /// Reads a connection to its end on a thread of its own.
    private final class Reader: Sendable {
        private let ended = Counter()

        init(_ socket: consuming Socket) {
            let descriptor = Shared(socket)
            let ended = ended
            do {
                try Thread(name: "reader") {
                    while let some = try? descriptor.socket.descriptor.readSome(upTo: 1 << 20), !some.isEmpty {}
                    ended.add()
                }.detach()
            } catch {
                ended.add()
            }
        }

        var isOver: Bool { ended.value > 0 }
    }

    private final class Shared: Sendable {
        let socket: Socket

        init(_ socket: consuming Socket) {
            self.socket = socket
        }
    }
}
