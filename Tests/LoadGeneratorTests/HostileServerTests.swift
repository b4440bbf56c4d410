import HTTP
import HTTPTypes
import POSIX
import PostRecords
import TestSupport
import Testing
import Units

@testable import LoadGenerator

private let ok = "HTTP/1.1 200 OK\r\n"

/// Servers that do what servers should not: each batch ends, under a name that says how, and all are counted.
@Suite("Hostile servers", .timeLimit(.minutes(1)))
struct HostileServerTests {
    @Test(
        "what is no answer has a name of its own",
        arguments: [
            // Chunks.
            (ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", "MALFORMED_HTTP"),
            (ok + "Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n", "MALFORMED_HTTP"),
            (ok + "Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nx", "TOO_LARGE"),
            (ok + "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\nx", "TOO_LARGE"),
            (ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhelloX\r\n0\r\n\r\n", "MALFORMED_HTTP"),
            (ok + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", "EOF"),
            (ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "MALFORMED_HTTP"),
            // Lengths.
            (ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "MALFORMED_HTTP"),
            (ok + "Content-Length: 1e3\r\n\r\nhello", "MALFORMED_HTTP"),
            (ok + "Content-Length: 99999999999999999999999\r\n\r\nhello", "TOO_LARGE"),
            (ok + "Content-Length: 0\r\n\r\n", "MALFORMED_JSON"),
            // Answers that are none.
            ("HTTP/1.1 100 Continue\r\n\r\n", "EOF"),
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "MALFORMED_HTTP"),
            ("HTTP/2 200\r\n\r\n", "MALFORMED_HTTP"), ("HTTP/1.1 2000 OK\r\n\r\n", "MALFORMED_HTTP"),
            ("HTTP/1.1 099 x\r\n\r\n", "MALFORMED_HTTP"), ("\u{16}\u{3}\u{1}\u{2}\r\n\r\n", "MALFORMED_HTTP"),
            // Others' answers.
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n", "HTTP_304"),
            ("HTTP/1.1 301 Moved\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "HTTP_301"),
            (ok + "Content-Encoding: gzip\r\nContent-Length: 14\r\n\r\n{\"records\":[]}", "CONTENT_ENCODING"),
        ]
    )
    func names(answer: String, name: String) throws {
        let server = try ScriptedServer { _ in .answerAndClose(Array(answer.utf8)) }
        let results = try play(["a:uris=2,rate=40/s", "b:uris=2,closed=2"], for: .milliseconds(60), to: server) {
            $0.maxBatches = 8
        }
        for result in results { #expect(result.errors == [name: result.due]) }
    }

    @Test("a head without end is not read on and on: of fields, of interim answers, and of one long line")
    func endlessHeads() throws {
        for piece in ["X-Field: \(String(repeating: "x", count: 1000))\r\n", "x", "HTTP/1.1 100 Continue\r\n\r\n"] {
            let isInterim = piece.hasPrefix("HTTP")
            let head = isInterim ? "" : ok + (piece == "x" ? "X: " : "")
            let answer = Array((head + String(repeating: piece, count: (200 << 10) / piece.utf8.count)).utf8)
            let server = try ScriptedServer { _ in .answer(answer) }
            let result = try play(["a:uris=2,closed=1"], to: server) { $0.maxBatches = 3 }[0]
            #expect(result.errors == ["TOO_LARGE": 3], "\(piece.prefix(20))")
        }
    }

    @Test("a server that answers byte by byte holds no batch longer than its timeout, and does not hold up others")
    func drip() throws {
        let answer = ScriptedServer.records(1)
        let server = try ScriptedServer { request in
            request.number % 2 == 0 ? .drip(answer, every: .milliseconds(50)) : .answer(ScriptedServer.records(1))
        }
        let result = try play(["a:uris=1,rate=40/s"], for: .milliseconds(200), to: server) {
            $0.timeout = .milliseconds(400)
            // Of each wait: bytes do come.
            $0.readTimeout = .milliseconds(300)
        }[0]
        #expect(result.errors == ["ETIMEDOUT": 4])
        #expect(result.answered == 4)
    }

    @Test("a connection that is reset in the middle of an answer is named so, and is no answer")
    func resets() throws {
        let half = Array(ScriptedServer.records(2).dropLast(4))
        let server = try ScriptedServer { request in
            .answerAndReset(request.numberOnConnection == 0 ? half : [])
        }
        let result = try play(["a:uris=2,closed=2"], to: server) { $0.maxBatches = 10 }[0]
        #expect(result.failed == 10)
        #expect(Set(result.errors.keys).isSubset(of: ["ECONNRESET", "EOF"]))
        #expect(result.connections?.redialled == 0, "none was kept")
    }

    @Test("what a server says on an idle connection is no answer to the next batch")
    func unasked() throws {
        let timeout = Array("HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n".utf8)
        let server = try ScriptedServer {
            .answerThen(ScriptedServer.records($0.uris), after: .milliseconds(1), timeout)
        }
        let result = try play(["a:uris=2,rate=5/s,phase=0s"], for: .seconds(60), to: server) { $0.maxBatches = 3 }[0]
        #expect(result.answered == 3, "\(result.errors)")
        #expect(result.connections?.opened == 3)
    }

    @Test("a refusal before the batch was read is that refusal, whether the connection is closed or not")
    func earlyRefusals() throws {
        let refusal = Array("HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n".utf8)
        for closes in [false, true] {
            let server = try ImpatientServer(refusal, closes: closes)
            defer { server.end() }
            let form = RequestForm(
                .plain(.post, body: Array(repeating: 0x41, count: 8 << 20)),
                to: Target(address: server.address, path: "/")
            )
            let client = Load.Client(try ClientSpec(text: "a:closed=1", given: .init(isSized: false)))
            var options = Load.Options(form, timeout: .seconds(20))
            options.maxBatches = 4
            let load = try Load([client], options, Workload(seed: 1, count: 1))
            try load.start(for: .seconds(20))
            let isOver = eventually(within: .seconds(40)) { load.isOver }
            #expect(isOver)
            let result = load.recorders[0].result
            #expect(result.due == 4 && result.errors == ["HTTP_429": 4], "\(result.errors)")
        }
    }

    @Test("with a timeout a closed loop goes round, and every batch of it is counted")
    func closedLoopOfTimeouts() throws {
        let server = try ScriptedServer { $0.number % 3 == 0 ? .hold : .answer(ScriptedServer.records(1)) }
        let result = try play(["a:uris=1,closed=3"], for: .seconds(20), to: server) {
            $0.timeout = .milliseconds(60)
            $0.maxBatches = 30
        }[0]
        #expect(result.due == 30)
        #expect(result.failed > 0 && result.answered > 0)
        #expect(Set(result.errors.keys) == ["ETIMEDOUT"])
    }

    /// Plays a load that should have begun a while ago: as one of a sender that is far behind.
    private func playLate(
        _ client: String,
        by late: Duration,
        to server: ScriptedServer,
        _ change: (inout Load.Options) -> Void = { _ in },
        _ end: (Load) -> Void
    ) throws -> ClientResult {
        Signals.ignoreBrokenPipes()
        defer { server.end() }
        let form = RequestForm(to: Target(address: server.address, path: Endpoint.path))
        var options = Load.Options(form, timeout: .seconds(3600))
        change(&options)
        let load = try Load([Load.Client(try ClientSpec(text: client))], options, Workload(seed: 1, count: 1000))
        let now = MonotonicInstant.now
        let beginning = MonotonicInstant(nanoseconds: now.nanoseconds - UInt64(late.wholeNanoseconds))
        try load.start(for: .seconds(864_000), at: beginning)
        end(load)
        let isOver = eventually(within: .seconds(40)) { load.isOver }
        #expect(isOver)
        let result = load.recorders[0].result
        #expect(result.due == result.answered + result.failed + result.unanswered + result.unsent)
        return result
    }

    @Test("what was due when a load is ended, and the sender had not come to, was due: it is unsent, and has waited")
    func backlog() throws {
        let server = try ScriptedServer { .answer(ScriptedServer.records($0.uris)) }
        let result = try playLate("a:uris=1..3,rate=100000/s,phase=0s", by: .seconds(60), to: server) { $0.abandon() }
        #expect(result.due >= 6_000_000)
        #expect(result.unsent > 5_000_000)
        // Half of them had waited for half a minute or more.
        #expect(try #require(result.latencyAllMs).p50 == nil)
        #expect(try #require(result.latencyAllMs?.atLeastMs) > 15_000)
        #expect(abs(Double(result.uris) / Double(result.due) - 2) < 0.1)
        let few = try ScriptedServer { .answer(ScriptedServer.records($0.uris)) }
        let bounded = try playLate("a:uris=1,rate=1000/s,phase=0s", by: .seconds(5), to: few) {
            $0.maxBatches = 500
            $0.warmUp = .milliseconds(100)
        } _: {
            $0.abandon()
        }
        #expect(bounded.due == 500, "the warm-up counts for nothing")
    }

    @Test("what was due when a load is stopped is sent, however late it is, and nothing that was due later")
    func stopsLate() throws {
        let server = try ScriptedServer { .answer(ScriptedServer.records($0.uris)) }
        var stopped = MonotonicInstant.now
        let result = try playLate("a:uris=1,rate=200/s,phase=0s", by: .seconds(1), to: server) {
            $0.stop()
            stopped = .now
        }
        #expect(result.due >= 200)
        #expect(result.answered == result.due)
        #expect(Double(result.due) <= 200 + 200 * (stopped - server.requests[0].arrival).inSeconds + 200)
    }

    @Test("large batches wait for room rather than fill the memory, and it is said that they did")
    func heldRequests() throws {
        let server = try ScriptedServer { .answer(ScriptedServer.records($0.uris)) }
        let form = RequestForm(to: Target(address: server.address, path: Endpoint.path))
        defer { server.end() }
        var options = Load.Options(form, timeout: .seconds(30))
        // Two of 78 kB.
        options.mostHeldBytes = 100_000
        let client = Load.Client(try ClientSpec(text: "a:uris=1000,burst=20/10s"))
        let load = try Load([client], options, Workload(seed: 1, count: 1000))
        try load.start(for: .seconds(1))
        let isAnswered = eventually { load.recorders[0].record.ok == 20 }
        #expect(isAnswered)
        let record = load.recorders[0].record
        #expect(record.heldBack >= 17)
        #expect(record.connections.needed <= 2)
        load.abandon()
        let machine = MachineLimits(descriptors: 1000, portsPerSource: 1000, sources: 1)
        let reasons = LoadValidity([record], maxInFlight: nil, machine: machine, senderCpuPercent: 1).reasons
        #expect(reasons.contains { $0.contains("ran out of memory for requests: ") })
    }

    @Test("abandoned at any moment every batch is counted", arguments: [0, 1, 3, 10, 30])
    func abandonedAnyTime(milliseconds: Int) throws {
        let server = try ScriptedServer { request in
            switch request.number % 4 {
            case 0: .hold
            case 1: .close
            case 2: .drip(ScriptedServer.records(request.uris), every: .milliseconds(1))
            default: .answer(ScriptedServer.records(request.uris))
            }
        }
        let clients = ["a:uris=1,rate=500/s", "b:uris=400,closed=3", "c:uris=1,burst=20/5ms"]
        let results = try play(clients, for: .seconds(60), to: server) {
            $0.maxInFlight = 10
        } during: { load in
            sleepThread(for: .milliseconds(milliseconds))
            load.abandon()
        }
        #expect(results.count == 3)
    }
}

/// A server that answers as soon as it is connected to, and reads nothing.
private final class ImpatientServer: Sendable {
    let address: SocketAddress
    private let listener: Listener

    private final class Listener: Sendable {
        let socket: Socket
        init(_ socket: consuming Socket) { self.socket = socket }
    }

    init(_ answer: [UInt8], closes: Bool) throws {
        listener = Listener(try Socket.listening(on: .ipv4(.loopback, port: 0), backlog: 16))
        address = try listener.socket.localAddress()
        try Thread(name: "impatient") { [listener] in
            var kept: [Listener] = []
            let end = MonotonicInstant.now + .seconds(30)
            while MonotonicInstant.now < end {
                do throws(SystemCallError) {
                    guard let socket = try listener.socket.accept() else {
                        sleepThread(for: .milliseconds(1))
                        continue
                    }
                    // The first bytes of the request are there: the answer is to it.
                    while !socket.descriptor.isReadable { sleepThread(for: .milliseconds(1)) }
                    try socket.descriptor.writeAll(answer)
                    if !closes { kept.append(Listener(socket)) }
                } catch {
                    return
                }
            }
        }.detach()
    }

    func end() { listener.socket.finishSending() }
}
