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
        #expect(crossed.exit != .status(1) || crossed.text.contains("--fail-if small.max > 100ms: it is "))
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
        #expect(run.exit == .status(0) || run.text.contains("ran out of processor time"), "\(run.text)")
        #expect(run.text.contains("sent 4, answered 4, failed 0"))
    }

    @Test("a server that refuses is one that listens")
    func refuses() throws {
        let refusal = Array("HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n".utf8)
        let run = try load(
            ["--client", "a:uris=1,rate=40/s", "--duration", "100ms"],
            answering: { _ in .answer(refusal) }
        )
        #expect(hasEnded(run, with: 1))
        #expect(run.text.contains("HTTP_503 4") && !run.text.contains("is a server listening"), "\(run.text)")
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

    @Test(
        "a search that is cut short says and writes what it knows: interrupted, out of descriptors, or nothing found",
        .slow
    )
    func searchesCutShort() throws {
        let (file, client) = (try TemporaryFile(), ["--client", "a:uris=1,burst=10/10s"])
        func result() throws -> LoadResult { try JSONText.decode(LoadResult.self, from: Array(try file.contents.utf8)) }
        // Of 64 descriptors some 50 are for connections.
        let few = try load(
            client + ["--duration", "20ms", "--search", "a.due > 0", "--json", file.path],
            descriptorLimit: 64,
            answering: { request in
                sleepThread(for: .milliseconds(50))
                return .answer(ScriptedServer.records(request.uris))
            }
        )
        #expect(few.exit == .status(3), "\(few.text)")
        #expect(few.text.contains("the server may sustain more; "), "\(few.text)")
        #expect(try result().valid)
        #expect(try (10...60).contains(result().due))

        let none = try load(client + ["--duration", "20ms", "--search", "a.failed > 0"])
        #expect(none.exit == .status(1) || none.text.contains("ran out of processor time"), "\(none.text)")
        #expect(none.text.contains("--search: a.failed > 0 held at no rate"), "\(none.text)")

        let long = try load(
            client + ["--duration", "20ms", "--search", "a.due > 0", "--json", file.path],
            answering: { $0.number < 30 ? .answer(ScriptedServer.records(1)) : .hold }
        ) { program, server in
            let isSearching = eventually { server.requests.count > 30 }
            #expect(isSearching)
            program.send(SIGINT)
        }
        #expect(long.exit == .status(1), "\(long.text)")
        #expect(long.text.contains("--search: interrupted; a.due > 0 held up to a "), "\(long.text)")
        #expect(try result().answered == result().due)
    }

    @Test("generators with one start begin then and not before; one that is ended earlier has sent nothing", .slow)
    func startsAt() throws {
        // The next whole second but one.
        let seconds = RealTime.nanosecondsSince1970 / 1_000_000_000 + 2
        let start = MonotonicInstant.now + .nanoseconds(Int64(seconds * 1_000_000_000 - RealTime.nanosecondsSince1970))
        let text = CivilTime(secondsSince1970: Int64(seconds)).text
        let (file, other) = (try TemporaryFile(), try TemporaryFile())
        let client = ["--duration", "300ms", "--start-at", text, "--client"]
        var arrivals: [MonotonicInstant] = []
        let run = try load(
            client + ["a:uris=1,rate=20/s,phase=0s", "--json", file.path],
            during: { program, server in
                let second = try Program(
                    "spiral-load",
                    client + [
                        "b:uris=1,rate=20/s,phase=0s", "--json", other.path, "--target", "http://\(server.address)",
                    ]
                )
                #expect(second.wait() != nil)
                #expect(program.wait() != nil)
                arrivals = server.requests.map(\.arrival)
            }
        )
        #expect(hasEnded(run, with: 0), "\(run.text)")
        #expect(arrivals.count == 12)
        #expect(
            arrivals.allSatisfy { $0 - start > .milliseconds(-1) },
            "by a clock that may be set by a little meanwhile"
        )
        let results = try [file, other].map { try JSONText.decode(LoadResult.self, from: Array(try $0.contents.utf8)) }
        #expect(results.allSatisfy { $0.due == 6 && $0.elapsed < 60 })

        let never = try TemporaryFile()
        let early = try load(
            ["--client", "a:uris=1,rate=20/s", "--start-at", "2096-01-01T00:00:00Z", "--json", never.path],
            during: { program, _ in
                let isReady = eventually { threads(of: program) > 2 }
                #expect(isReady)
                program.send(SIGTERM)
            }
        )
        #expect(early.exit == .status(1), "\(early.text)")
        let result = try JSONText.decode(LoadResult.self, from: Array(try never.contents.utf8))
        #expect(result.due == 0 && result.interrupted && result.elapsed == 0)
        #expect(result.generators[0].cpuPercent < 10_000, "of the time it took, not of none")
    }

    private func threads(of program: Program) -> Int {
        let status = (try? Program.contents(of: "/proc/\(program.identifier)/status")) ?? ""
        return status.split(separator: "\n").first { $0.hasPrefix("Threads:") }
            .flatMap { Int($0.split(whereSeparator: \.isWhitespace)[1]) } ?? 0
    }

    @Test("a full disk loses no figure that has room elsewhere, and is said with 3")
    func fullDisks() throws {
        let client = ["--client", "a:uris=1,rate=40/s", "--duration", "100ms"]
        for option in ["--record", "--hdr", "--json"] {
            let json = try TemporaryFile()
            let others = option == "--json" ? [] : ["--json", json.path]
            let run = try load(client + [option, "/dev/full"] + others)
            #expect(run.exit == .status(3), "\(run.text)")
            #expect(run.text.contains("\(option): cannot write"), "\(run.text)")
            #expect(run.text.contains("sent 4, answered 4"), "\(run.text)")
            if option != "--json" {
                #expect(try JSONText.decode(LoadResult.self, from: Array(try json.contents.utf8)).answered == 4)
            }
        }
        let csv = try load(client + ["--csv", "/dev/full"])
        #expect(csv.exit == .status(3))
        #expect(!csv.text.contains("sent "), "known before")
    }

    @Test("with standard output closed the result is in its file, and what could not be said ends with 3")
    func closedOutput() throws {
        let (server, json) = (try ScriptedServer { .answer(ScriptedServer.records($0.uris)) }, try TemporaryFile())
        defer { server.end() }
        let command =
            "\(try Program.path("spiral-load")) --target http://\(server.address) --posts 100 --client a:uris=1,rate=40/s "
            + "--duration 100ms --json \(json.path)"
        for (redirection, status) in [(">&-", 3), ("> /dev/full", 3)] {
            let said = try ChildProcess.output(
                of: "/bin/sh",
                ["-c", "{ \(command) \(redirection); } 2>&1; echo status $?"]
            )
            #expect(said.contains("cannot write to standard output"), "\(said)")
            #expect(said.hasSuffix("status \(status)\n"), "\(said)")
            #expect(try JSONText.decode(LoadResult.self, from: Array(try json.contents.utf8)).answered == 4)
        }
        // A reader that has seen enough is no error.
        let piped = try ChildProcess.output(
            of: "/bin/sh",
            ["-c", "{ \(command); echo status $? >&2; } 2>&1 >/dev/null | cat"]
        )
        #expect(piped.contains("status 0") || piped.contains("ran out of processor time"), "\(piped)")
    }

    @Test("the lines of all seconds are the whole load, the last part of a second among them")
    func csvSums() throws {
        let (csv, json) = (try TemporaryFile(), try TemporaryFile())
        let run = try load(
            [
                "--client", "a:uris=1,rate=50/s", "--client", "b:uris=1,rate=20/s", "--duration", "1100ms", "--csv",
                csv.path,
                "--json", json.path,
            ],
            answering: { $0.number % 5 == 0 ? .close : .answer(ScriptedServer.records($0.uris)) }
        )
        #expect(run.exit == .status(0) || run.exit == .status(3), "\(run.text)")
        let result = try JSONText.decode(LoadResult.self, from: Array(try json.contents.utf8))
        let rows = try csv.contents.split(separator: "\n").dropFirst().map {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        let text = try csv.contents
        for client in result.clients {
            func sum(_ column: Int) -> Int {
                rows.filter { $0[1] == client.name }.reduce(0) { $0 + (Int($1[column]) ?? 0) }
            }
            #expect([sum(2), sum(3), sum(4)] == [client.due, client.answered, client.failed], "\(text)")
        }
    }
}
