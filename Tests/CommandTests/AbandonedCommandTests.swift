import Glibc
import HTTP
import HTTPTypes
import POSIX
import TestSupport
import Testing

@testable import PostRecords

/// Batches whose caller waits no longer, at a memcached that does not answer.
@Suite("Abandoned batches", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct AbandonedCommandTests {
    private static let arguments = [
        "--limit", "request:8", "--dialer", "kernel", "--lookup-timeout", "20s", "--store", "off",
    ]

    @Test("a batch whose time is over is answered then, and what is not begun of it never is")
    func deadlines() throws {
        try RunningServer.during(Self.arguments) { server in
            server.memcached.send(SIGSTOP)
            let connect = try server.ask(
                try server.proto(postURIs(500)),
                [.contentType: "application/proto", CallTimeout.connectHeader: "100"]
            )
            #expect(connect.status == 504)
            #expect(String(decoding: connect.body, as: UTF8.self).contains("\"code\" : \"deadline_exceeded\""))

            let message = try server.proto(postURIs(500))
            let grpc = try server.ask(
                GRPCFrame.prefix(of: [message], isCompressed: false) + message,
                [.contentType: "application/grpc+proto", CallTimeout.grpcHeader: "100m"]
            )
            #expect(grpc.status == 200)
            #expect(grpc.body.isEmpty)

            server.memcached.send(SIGCONT)
            let areOver = try eventually { try server.counters().inFlight == 0 }
            #expect(areOver)
            let counted = try server.counters()
            let cancelled = try #require(counted.lookups.errors["CANCELLED"])
            #expect(counted.lookups.errors.count == 1)
            #expect(counted.lookups.misses + cancelled == 1000)
            // None where the server was so slow that the time was over before.
            #expect(counted.lookups.misses <= 160, "\(counted.lookups.misses) were begun")
            #expect(try server.memcached.statistic("get_misses") == counted.lookups.misses)
            #expect(try server.hasMetric("spiral_batches_cancelled_total{reason=\"deadline\"} 2"))
            #expect(try server.hasMetric("spiral_held_bytes 0"))
        }
    }

    @Test("a caller that leaves takes with it what is not begun")
    func leaving() throws {
        try RunningServer.during(Self.arguments) { server in
            server.memcached.send(SIGSTOP)
            do {
                let caller = try server.begin(postURIs(500))
                let isBegun = try eventually { try server.counters().inFlight == 8 }
                #expect(isBegun)
                // Later than one would that only ends its side.
                sleepThread(for: .milliseconds(100))
                caller.finishSending()
            }
            let isCancelled = try eventually { try server.counters().lookups.errors["CANCELLED"] ?? 0 > 400 }
            #expect(isCancelled)
            #expect(try server.hasMetric("spiral_batches_cancelled_total{reason=\"abandoned\"} 1"))
            server.memcached.send(SIGCONT)
            let answer = try server.ask(try server.proto(postURIs(5)), [.contentType: "application/proto"])
            #expect(answer.status == 200)
            let isOver = try eventually { try server.hasMetric("spiral_held_batches 0") }
            #expect(isOver)
        }
    }

    @Test("with --abandoned finish a batch is looked up whole, whoever waits for it")
    func finish() throws {
        try RunningServer.during(Self.arguments + ["--abandoned", "finish"]) { server in
            server.memcached.send(SIGSTOP)
            do {
                let caller = try server.begin(postURIs(500))
                let isBegun = try eventually { try server.counters().inFlight == 8 }
                #expect(isBegun)
                sleepThread(for: .milliseconds(100))
                caller.finishSending()
            }
            server.memcached.send(SIGCONT)
            let areLookedUp = try eventually { try server.counters().lookups.misses == 500 }
            #expect(areLookedUp)
            let late = try server.ask(
                try server.proto(postURIs(500)),
                [.contentType: "application/proto", CallTimeout.connectHeader: "0"]
            )
            #expect(late.status == 200)
            #expect(try server.counters().lookups.errors == [:])
        }
    }
}
