import Glibc
import LoadGenerator
import POSIX
import TestSupport
import Testing
import Text
import Units

/// spiral-load, from its options to its exit status.
@Suite("Load command", .timeLimit(.minutes(2)))
struct LoadCommandTests {
    /// Runs it against a server that answers every batch, or as the test says.
    private func load(
        _ arguments: [String],
        descriptorLimit: UInt64? = nil,
        answering react: @escaping @Sendable (ScriptedServer.Request) -> ScriptedServer.Reaction = {
            .answer(ScriptedServer.records($0.uris))
        },
        during: (Program, ScriptedServer) throws -> Void = { _, _ in }
    ) throws -> (exit: ProcessExit?, text: String) {
        let server = try ScriptedServer(react)
        defer { server.end() }
        let program = try Program(
            "spiral-load",
            ["--target", "http://\(server.address)", "--posts", "1000"] + arguments,
            descriptorLimit: descriptorLimit
        )
        try during(program, server)
        let exit = program.wait(within: .seconds(60))
        return (exit, try program.text)
    }

    @Test("a plan of 240 hours ends at once on Ctrl-C, with every batch accounted for")
    func interrupted() throws {
        let file = try TemporaryFile()
        let (exit, text) = try load(
            ["--client", "a:uris=1,rate=2000/s", "--duration", "240h", "--json", file.path],
            answering: { $0.number < 10 ? .answer(ScriptedServer.records(1)) : .hold }
        ) { program, server in
            let isUnderWay = eventually { server.requests.count > 30 }
            #expect(isUnderWay)
            program.send(SIGINT)
            #expect(program.wait(within: .seconds(20)) != nil)
        }
        // A slow machine may also have been too slow for the rate.
        #expect(exit == .status(text.contains("the run is invalid") ? 3 : 1), "\(text)")
        let result = try JSONText.decode(LoadResult.self, from: Array(try file.contents.utf8))
        #expect(result.interrupted)
        #expect(result.asked == [.init(client: "a:uris=1,rate=2000/s", batches: 1_728_000_000)])
        #expect(result.unanswered > 0)
        #expect(result.due == result.answered + result.failed + result.unanswered + result.unsent)
        #expect(result.latencyAllMs?.max == nil)
        #expect(text.contains("unanswered \(result.unanswered)"))
    }

    @Test("out of descriptors it says so, before and after, and ends with 3", .slow)
    func descriptors() throws {
        let hold = MonotonicInstant.now + .seconds(2)
        let (exit, text) = try load(
            ["--client", "a:uris=1,burst=200/10s", "--duration", "100ms"],
            descriptorLimit: 64,
            answering: { request in
                sleepThread(until: hold)
                return .answer(ScriptedServer.records(request.uris))
            }
        )
        #expect(exit == .status(3))
        #expect(text.contains("warning: 200 batches are in flight at once"))
        #expect(text.contains("INVALID: the generator ran out of descriptors"))
    }

    /// Whether a load ended with a status, or, as the machine was too busy to send in time, with 3 and the reason.
    private func hasEnded(_ run: (exit: ProcessExit?, text: String), with status: CInt) -> Bool {
        run.exit == .status(status) || (run.exit == .status(3) && run.text.contains("the run is invalid: "))
    }

    @Test("what it writes it reads: recorded, replayed, merged, by second and by percentile", .slow)
    func files() throws {
        let (trace, json, plot, seconds) = (
            try TemporaryFile(), try TemporaryFile(), try TemporaryFile(), try TemporaryFile()
        )
        let first = try load([
            "--client", "a:uris=1..9,rate=40/s", "--client", "b:uris=3,poisson=40/s", "--duration", "1200ms",
            "--record",
            trace.path, "--json", json.path, "--hdr", plot.path, "--csv", seconds.path,
        ])
        #expect(hasEnded(first, with: 0), "\(first.text)")
        let result = try JSONText.decode(LoadResult.self, from: Array(try json.contents.utf8))
        #expect(result.valid == (first.exit == .status(0)))
        #expect(result.clients[0].due == 48)
        #expect(try trace.contents.split(separator: "\n").count == result.due)
        #expect(try plot.contents.contains("Percentile"))
        #expect(try Program.contents(of: plot.path + ".b").contains("Percentile"))
        let lines = try seconds.contents.split(separator: "\n")
        #expect(lines[0] == "second,client,due,answered,failed,p50_ms,p99_ms")
        #expect(lines.dropFirst().allSatisfy { $0.split(separator: ",", omittingEmptySubsequences: false).count == 7 })

        let again = try TemporaryFile()
        let replayed = try load(["--replay", trace.path, "--speed", "4x", "--json", again.path])
        #expect(hasEnded(replayed, with: 0), "\(replayed.text)")
        let second = try JSONText.decode(LoadResult.self, from: Array(try again.contents.utf8))
        #expect(second.clients.map(\.due) == result.clients.map(\.due))
        #expect(second.clients.map(\.uris) == result.clients.map(\.uris))

        let all = try TemporaryFile()
        let merge = try Program("spiral-load", ["merge", json.path, again.path, "--json", all.path])
        let isValid = first.exit == .status(0) && replayed.exit == .status(0)
        #expect(merge.wait() == .status(isValid ? 0 : 3))
        let merged = try JSONText.decode(LoadResult.self, from: Array(try all.contents.utf8))
        #expect(merged.due == result.due + second.due)
        #expect(merged.latencyMs?.max == max(result.latencyMs?.max ?? 0, second.latencyMs?.max ?? 0))
    }

    @Test("a record with URIs replays to the same URIs, in the same order")
    func recordedURIs() throws {
        let (first, second) = (try TemporaryFile(), try TemporaryFile())
        let recorded = try load([
            "--client", "a:uris=1..9,rate=100/s,popularity=zipf:1.1", "--duration", "200ms", "--record", first.path,
            "--record-uris",
        ])
        #expect(hasEnded(recorded, with: 0), "\(recorded.text)")
        #expect(try first.contents.contains("at://"))
        // Another seed would ask for other posts, were they not written down.
        let replayed = try load([
            "--replay", first.path, "--seed", "9", "--record", second.path, "--record-uris",
        ])
        #expect(hasEnded(replayed, with: 0), "\(replayed.text)")
        func uris(_ file: TemporaryFile) throws -> [Trace.Batch] {
            try Trace.entries(of: Array(try file.contents.utf8)).map(\.batch)
        }
        #expect(try uris(first) == uris(second))
    }

    @Test("a threshold that is crossed ends with 1 and says by what, at once where that is asked for", .slow)
    func thresholds() throws {
        let client = ["--client", "small:uris=1,rate=40/s", "--duration", "500ms"]
        let slow: @Sendable (ScriptedServer.Request) -> ScriptedServer.Reaction = { request in
            sleepThread(for: .milliseconds(request.number == 3 ? 120 : 0))
            return .answer(ScriptedServer.records(1))
        }
        let crossed = try load(
            client + ["--fail-if", "small.max > 100ms", "--fail-if", "small.failed > 0"],
            answering: slow
        )
        #expect(hasEnded(crossed, with: 1))
        #expect(crossed.text.contains("--fail-if small.max > 100ms: it is "))
        let held = try load(
            client + ["--fail-if", "small.max > 20s", "--fail-if", "unsent + failed > 0"],
            answering: slow
        )
        #expect(hasEnded(held, with: 0), "\(held.text)")
        let late = try load(client + ["--timeout", "100ms", "--fail-if", "small.p99 > 20s"], answering: { _ in .hold })
        #expect(late.text.contains("it is inf"), "nobody has seen how long it takes")
        let long = ["--client", "small:uris=1,rate=40/s", "--duration", "240h", "--fail-at-once"]
        let atOnce = try load(long + ["--fail-if", "small.due > 3"])
        #expect(hasEnded(atOnce, with: 1), "\(atOnce.text)")
    }

    @Test("plain requests go to one's own service")
    func plain() throws {
        let body = try TemporaryFile()
        _ = try Descriptor.creating(body.path).writeAll(Array("hello".utf8))
        let run = try load(
            [
                "--client", "web:rate=20/s", "--duration", "200ms", "--method", "PUT", "--header", "X-Key: a b",
                "--body-file", body.path,
            ],
            answering: { request in
                let isRight =
                    request.head.hasPrefix("PUT / HTTP/1.1\r\n") && request.head.contains("\r\nX-Key: a b\r\n")
                    && request.body == Array("hello".utf8)
                return .answer(
                    Array("HTTP/1.1 \(isRight ? 204 : 400) x\r\n\(isRight ? "" : "Content-Length: 0\r\n")\r\n".utf8)
                )
            }
        )
        #expect(run.exit == .status(0), "\(run.text)")
        #expect(run.text.contains("sent 4, answered 4, failed 0"))
    }

    @Test("it searches for the highest rate that holds")
    func searches() throws {
        // Of each load's batches, which come at once, no more than 30 are answered well.
        let run = try load(
            ["--client", "a:uris=1,burst=10/10s", "--duration", "50ms", "--search", "a.answered <= 30"],
            answering: { .answer(ScriptedServer.records($0.uris)) }
        )
        // On a machine that is busy with something else the answer is the same, and said to be doubtful.
        let isDoubtful = run.text.contains("ran out of processor time")
        #expect(run.exit == .status(isDoubtful ? 3 : 0), "\(run.text)")
        #expect(run.text.contains("a.answered <= 30 holds up to a 3/s"), "\(run.text)")
    }
}
