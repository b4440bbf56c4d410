import HTTP
import HTTPTypes
import KernelProbe
import POSIX
import PostRecords
import TestSupport
import Testing
import Units

@testable import LoadGenerator

/// Loads against a server that does what the test says.
@Suite("Load", .timeLimit(.minutes(1)))
struct LoadTests {
    @Test(
        "while a server is silent batches go on being due, and every percentile of all due is the server's own arithmetic",
        .slow,
        arguments: [(timeout: 30_000, maxInFlight: Int?.none), (30_000, 4), (300, nil)]
    )
    func stall(timeout: Int, maxInFlight: Int?) throws {
        // From 300 ms to 1,300 ms it says nothing.
        let begin = MonotonicInstant.now
        let (from, to) = (begin + .milliseconds(300), begin + .milliseconds(1300))
        let server = try ScriptedServer { request in
            let now = MonotonicInstant.now
            if now >= from, now < to { sleepThread(until: to) }
            return .answer(ScriptedServer.records(request.uris))
        }
        let result = try play(["a:uris=1..5,rate=100/s,phase=0s"], for: .seconds(2), to: server) { options in
            options.timeout = .milliseconds(timeout)
            options.maxInFlight = maxInFlight
        }[0]
        #expect(result.due == 200)
        // The schedule's beginning by the server's clock: the batch that came earliest for its number.
        let requests = server.requests
        let all = try #require(result.latencyAllMs)
        guard timeout == 30_000 else {
            // Those that were due in its first 700 ms took longer than anybody waited.
            #expect(result.failed > 30)
            #expect(result.errors == ["ETIMEDOUT": result.failed])
            #expect(all.p90 == nil && all.p99 == nil && all.max == nil)
            #expect(try #require(all.atLeastMs) >= 299)
            return
        }
        #expect(result.answered == 200)
        // In front of the silence 30, then one due every 10 ms that waits for its end: 1,000, 990, ... 10 ms.
        #expect(requests.count == 200)
        #expect(try #require(all.p90) > 600)
        #expect(try #require(all.p99) > 800)
        let arithmetic = server.answered.sorted().enumerated().map { index, answered in
            (answered - requests[0].arrival).inMilliseconds - Double(index) * 10
        }.sorted()
        // Answers go out in the order batches were due, but for those of one moment.
        for (percentile, rank) in [(all.p90, 180), (all.p99, 198)] {
            let expected = arithmetic[rank - 1]
            #expect(abs(try #require(percentile) - expected) < max(0.02 * expected, 100))
        }
        if maxInFlight == 4 {
            #expect(try #require(result.sendLagMs).p90 > 400, "they waited in the generator, and it says so")
            #expect(try #require(result.connections).opened == 4)
        }
    }

    @Test("a server that closes kept-alive connections costs new connections, and no batch", arguments: [false, true])
    func closes(saysSo: Bool) throws {
        let server = try ScriptedServer { request in
            .answerAndClose(
                ScriptedServer.records(
                    request.uris,
                    head: "HTTP/1.1 200 OK\r\n" + (saysSo ? "Connection: Close, foo\r\n" : "")
                )
            )
        }
        let result = try play(["a:uris=2,rate=40/s"], to: server)[0]
        #expect(result.answered == 20)
        #expect(result.errors.isEmpty)
        #expect(try #require(result.connections).opened == 20)
        #expect(server.connections == 20)
    }

    @Test("a connection that ends under a batch's feet is dialled again once, and that is counted; a new one is not")
    func redials() throws {
        let server = try ScriptedServer { request in
            // It reads the second batch of each connection, and hangs up: as if it had closed while the batch was under way.
            request.numberOnConnection == 0 ? .answer(ScriptedServer.records(request.uris)) : .close
        }
        let result = try play(["a:uris=2,closed=1"], to: server) { $0.maxBatches = 10 }[0]
        #expect(result.answered == 10)
        #expect(result.failed == 0)
        #expect(try #require(result.connections).redialled == 9)
        let rude = try ScriptedServer { _ in .close }
        let failed = try play(["a:uris=2,closed=1"], to: rude) { $0.maxBatches = 10 }[0]
        #expect(failed.errors == ["EOF": 10])
        #expect(try #require(failed.connections).redialled == 0)
        #expect(rude.requests.count == 10)
    }

    @Test(
        "whatever a server says has a name, and ends no run",
        .slow,
        arguments: [
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}", "MALFORMED_HTTP"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 4611686018427387904\r\n\r\n{}", "TOO_LARGE"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}", "TOO_LARGE"),
            ("HTTP/1.1 204 No Content\r\n\r\n", "HTTP_204"),
            ("HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n", "HTTP_429"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "MALFORMED_JSON"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"records\":[]}", "WRONG_COUNT"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"re", "EOF"), ("nonsense\r\n\r\n", "MALFORMED_HTTP"),
            ("", "EOF"),
        ]
    )
    func names(answer: String, name: String) throws {
        let server = try ScriptedServer { _ in .answerAndClose(Array(answer.utf8)) }
        let result = try play(["a:uris=2,rate=20/s"], for: .milliseconds(200), to: server)[0]
        #expect(result.errors == [name: 4])
    }

    @Test(
        "answers as servers and proxies write them are answers",
        arguments: [
            "HTTP/1.0 200 OK\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200\r\n",
        ]
    )
    func forms(head: String) throws {
        let server = try ScriptedServer { .answerAndClose(ScriptedServer.records($0.uris, head: head)) }
        #expect(try play(["a:uris=2,rate=20/s"], for: .milliseconds(200), to: server)[0].answered == 4)
        let untilClose = try ScriptedServer { _ in
            .answerAndClose(Array("HTTP/1.1 200 OK\r\n\r\n{\"records\":[{},{}]}".utf8))
        }
        #expect(try play(["a:uris=2,rate=20/s"], for: .milliseconds(200), to: untilClose)[0].answered == 4)
    }

    @Test("a load that is abandoned leaves what is in flight unanswered, with its age")
    func abandoned() throws {
        let server = try ScriptedServer { _ in .hold }
        let result = try play(["a:uris=1,rate=1000/s"], for: .seconds(864_000), to: server) { _ in
        } during: { load in
            let isUnderWay = eventually { server.requests.count >= 20 }
            #expect(isUnderWay)
            load.abandon()
        }[0]
        #expect(result.unanswered >= 20)
        #expect(result.answered == 0)
        #expect(result.latencyMs == nil)
        #expect(try #require(result.latencyAllMs?.atLeastMs) > 0)
    }

    @Test("a batch has its timeout however often a byte comes, and each wait its own where it is asked for")
    func timeouts() throws {
        let server = try ScriptedServer { _ in .hold }
        let result = try play(["a:uris=1,rate=20/s"], for: .milliseconds(200), to: server) {
            $0.timeout = .milliseconds(250)
        }[0]
        #expect(result.errors == ["ETIMEDOUT": 4])
        let silent = try ScriptedServer { _ in .hold }
        let waits = try play(["a:uris=1,rate=20/s"], for: .milliseconds(200), to: silent) {
            $0.readTimeout = .milliseconds(200)
        }[0]
        #expect(waits.errors == ["ETIMEDOUT": 4])
    }

    @Test("a closed loop has as many batches in flight as it was asked for, and never more")
    func closedLoop() throws {
        let server = try ScriptedServer { request in
            sleepThread(for: .milliseconds(2))
            return .answer(ScriptedServer.records(request.uris))
        }
        let result = try play(["a:uris=300,closed=3"], for: .seconds(20), to: server) { $0.maxBatches = 50 }[0]
        #expect(result.answered == 50)
        #expect(result.connections == .init(opened: 3, needed: 3, redialled: 0))
        #expect(server.connections == 3)
    }

    @Test("plain requests go out as they were asked for, and status and size of the answers count")
    func plain() throws {
        let server = try ScriptedServer { request in
            .answer(Array("HTTP/1.1 \(request.number == 0 ? 503 : 201) x\r\nContent-Length: 3\r\n\r\nabc".utf8))
        }
        let result = try play(
            ["web:rate=20/s"],
            for: .milliseconds(200),
            to: server,
            form: .plain(.put, body: Array("some".utf8))
        )[0]
        #expect(result.answered == 3)
        #expect(result.errors == ["HTTP_503": 1])
        #expect(result.statuses == ["201": 3, "503": 1])
        #expect(result.answerBytes == 12)
        let request = try #require(server.requests.first)
        #expect(request.head.hasPrefix("PUT \(Endpoint.path) HTTP/1.1\r\n"))
        #expect(request.body == Array("some".utf8))
    }

    @Test("what is due in the warm-up is sent and not recorded")
    func warmUp() throws {
        let server = try ScriptedServer { .answer(ScriptedServer.records($0.uris)) }
        let result = try play(["a:uris=1,rate=50/s,phase=0s"], for: .milliseconds(400), to: server) {
            $0.warmUp = .milliseconds(190)
        }[0]
        #expect(result.due == 10)
        #expect(server.requests.count == 20)
    }

    @Test("many batches at once need no more than connections: no thread, and no bound of 512")
    func manyAtOnce() throws {
        let hold = MonotonicInstant.now + .milliseconds(400)
        let server = try ScriptedServer { request in
            sleepThread(until: hold)
            return .answer(ScriptedServer.records(request.uris))
        }
        let result = try play(["a:uris=1,burst=700/10s"], for: .milliseconds(100), to: server)[0]
        #expect(result.answered == 700)
        #expect(result.unsent == 0)
        #expect(result.connections == .init(opened: 700, needed: 700, redialled: 0))
    }

    @Test("out of ports it says EADDRNOTAVAIL, and addresses in turn have enough", .requiresNamespaces)
    func ports() throws {
        try inNetworkNamespace(ports: 60) {
            for (port, source) in [(8001, nil), (8002, try SourceAddresses(text: "127.1.0.0/24"))] {
                let hold = MonotonicInstant.now + .milliseconds(500)
                let server = try ScriptedServer(port: UInt16(port)) { request in
                    sleepThread(until: hold)
                    return .answer(ScriptedServer.records(request.uris))
                }
                let result = try play(["a:uris=1,burst=150/10s"], for: .milliseconds(100), to: server) {
                    $0.source = source
                }[0]
                if source == nil {
                    #expect(try #require(result.errors["EADDRNOTAVAIL"]) >= 90)
                } else {
                    #expect(result.answered == 150)
                }
            }
        }
    }

    @Test("in a closed loop what is due in the warm-up is not recorded, what comes after is, and it ends at its time")
    func closedLoopTimes() throws {
        let server = try ScriptedServer { request in
            sleepThread(for: .milliseconds(5))
            return .answer(ScriptedServer.records(request.uris))
        }
        let results = try play(
            ["a:uris=1,closed=1", "b:uris=1,closed=2,until=100ms", "c:uris=1,closed=1,from=50ms,phase=250ms"],
            for: .milliseconds(400),
            to: server
        ) { $0.warmUp = .milliseconds(200) }
        #expect(results[0].answered > 0)
        #expect(results[0].answered < server.requests.count)
        #expect(results[1].due == 0, "it was over before the warm-up was")
        #expect(results[2].due > 0 && results[2].due < results[0].due + results[0].due / 2)
        #expect(server.connections <= 4)
    }

    @Test("a server of IPv6 is loaded like any other", .requiresNamespaces, .requiresIPv6)
    func ipv6() throws {
        try inNetworkNamespace {
            let server = try ScriptedServer(port: 8001, on: .ipv6Loopback) { .answer(ScriptedServer.records($0.uris)) }
            let result = try play(["a:uris=2,rate=40/s"], for: .milliseconds(100), to: server)[0]
            #expect(result.answered == 4)
            #expect(try #require(server.requests.first).head.contains("\r\nHost: [::1]:8001\r\n"))
        }
    }

    @Test(
        "of a name's addresses the one that takes connections gets the load; where none does, every batch says so once",
        .requiresNamespaces,
        .requiresIPv6
    )
    func severalAddresses() throws {
        try inNetworkNamespace {
            let server = try ScriptedServer(port: 8001, on: .ipv6Loopback) { .answer(ScriptedServer.records($0.uris)) }
            let addresses: [SocketAddress] = [.ipv4(.loopback, port: 8001), server.address]
            var target: Target?
            let result = try play(["a:uris=2,closed=2"], to: server, at: addresses) {
                $0.maxBatches = 20
            } during: { load in
                let isOver = eventually { load.isOver }
                #expect(isOver)
                target = load.target
            }[0]
            #expect(result.answered == 20)
            // The first met with the address where nobody is, and perhaps the second before it was known.
            #expect((3...4).contains(try #require(result.connections).opened))
            #expect(target?.address == server.address)
            let nobody = try play(
                ["a:uris=2,closed=2"],
                to: server,
                at: [addresses[0], .ipv6(.ipv6Loopback, port: 8002)]
            ) {
                $0.maxBatches = 20
            }[0]
            #expect(nobody.errors == ["ECONNREFUSED": 20])
            #expect(nobody.connections?.opened == 40)
        }
    }

    @Test(
        "an IPv6 source has ports like an IPv4 one, and a network of them as many times more",
        .requiresNamespaces,
        .requiresIPv6
    )
    func ipv6Ports() throws {
        try inNetworkNamespace(ports: 60) {
            try LocalRoute.add(#require(AddressPrefix(text: "fd00::/126")))
            for (port, source) in [(8001, nil), (8002, try SourceAddresses(text: "fd00::/126"))]
                as [(UInt16, SourceAddresses?)]
            {
                let hold = MonotonicInstant.now + .milliseconds(500)
                let server = try ScriptedServer(port: port, on: .ipv6Loopback) { request in
                    sleepThread(until: hold)
                    return .answer(ScriptedServer.records(request.uris))
                }
                let result = try play(["a:uris=1,burst=150/10s"], for: .milliseconds(100), to: server) {
                    $0.source = source
                }[0]
                if source == nil {
                    #expect(result.errors["EADDRNOTAVAIL"] == 90)
                    #expect(result.answered == 60)
                } else {
                    #expect(result.answered == 150)
                }
            }
        }
    }

    @Test("several hundred clients hold nobody up: each has its figures, and the load ends when it should")
    func manyClients() throws {
        let server = try ScriptedServer { request in
            sleepThread(for: .milliseconds(5))
            return .answer(ScriptedServer.records(request.uris))
        }
        let clients = (0..<300).map { "c\($0):uris=1,rate=2/s" }
        let results = try play(clients, for: .milliseconds(300), to: server)
        #expect(results.allSatisfy { $0.answered == 1 })
    }
}
