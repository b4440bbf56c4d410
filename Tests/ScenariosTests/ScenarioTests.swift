import Foundation
import KernelProbe
import POSIX
import PostRecords
import Reports
import Results
import TestSupport
import Testbed
import Testing
import Text
import Units

@testable import LoadGenerator
@testable import Scenarios

/// Scenario files as people write them.
@Suite("Scenario files")
struct ScenarioFileTests {
    @Test("every scenario that comes with it can be read, and says what it expects", arguments: ScenarioLibrary.names)
    func library(name: String) throws {
        let scenario = try Scenario(yaml: try #require(ScenarioLibrary.yaml(name)))
        #expect(scenario.name == name)
        #expect(!scenario.description.isEmpty)
        #expect(scenario.phases.allSatisfy { !$0.expectations.isEmpty })
        // Three minutes is what a quick form may take, its answers included.
        #expect(scenario.quick.phases.reduce(.zero) { $0 + $1.duration } <= .seconds(100))
    }

    @Test("the example with every key is itself a scenario")
    func example() throws {
        let scenario = try Scenario(yaml: ScenarioSchema.example)
        #expect(scenario.phases.count == 2)
        #expect(scenario.setup.memoryLimit == ByteCount(bytes: 1 << 30))
        #expect(scenario.quick.phases[0].duration == .seconds(3))
    }

    @Test("each mistake is named with line, column, and what was meant")
    func mistakes() throws {
        let yaml = """
            scenario: x
            enviroment: {ports: 5}
            settings: {limt: none, dialer: "bind:1"}
            clients:
              a: uris=1,rate=3
            phases:
              - name: p
                duration: 10s
                clients: [b, a]
                faults: [{at: 20s, do: kill server}]
                expect: [lookup.hits > 0, dials.ok]
              - duration: 5s
              - {name: q, duration: 0s}
            """
        let error = #expect(throws: ScenarioProblems.self) { try Scenario(yaml: yaml) }
        let problems = try #require(error).problems
        #expect(problems.map(\.line) == [2, 3, 3, 5, 9, 10, 11, 11, 12, 13])
        #expect(problems[0].description.hasPrefix("2:1: a scenario has no 'enviroment'; did you mean 'environment'?"))
        #expect(problems[1].message.contains("did you mean 'limit'?"))
        #expect(problems[3].message.contains("'3' is not a rate"))
        #expect(problems[6].message.contains("did you mean 'lookups.hits'?"))
        #expect(problems.allSatisfy { !$0.message.contains("\n") })
    }

    private static let small = """
        scenario: small
        settings: &usual {log-mode: off, max-idle: 8}
        clients:
          app: uris=1..5,rate=10/s
        phases:
          - name: only
            duration: 1s
            clients: [app]

        """

    /// The first problem of a file, as it is printed.
    private func problem(_ bytes: [UInt8]) -> String? {
        do {
            _ = try Scenario(yaml: bytes)
            return nil
        } catch {
            return error.problems.first?.description
        }
    }

    @Test("a mapping takes what it does not have from those that '<<' names, the first of them first")
    func mergeKeys() throws {
        let yaml =
            Self.small + """
                  - &base {name: second, <<: {duration: 2s, title: taken}, duration: 3s, settings: {<<: *usual, limit: "request:4"}}
                  - {<<: [{name: third}, *base, {title: no}], settings: {"<<": 1}}
                """
        let error = #expect(throws: ScenarioProblems.self) { try Scenario(yaml: yaml) }
        #expect(error?.problems.map(\.message).first?.hasPrefix("there is no setting '<<'") == true)
        let scenario = try Scenario(yaml: yaml.replacing("{\"<<\": 1}", with: "{<<: [*usual, {max-idle: 9}]}"))
        #expect(scenario.phases.map(\.name) == ["only", "second", "third"])
        #expect(scenario.phases.map(\.title) == ["", "taken", "taken"])
        #expect(scenario.phases[1].duration == .seconds(3) && scenario.phases[2].duration == .seconds(3))
        #expect(Set(scenario.phases[1].changes.map(\.name)) == ["log-mode", "max-idle", "limit"])
        #expect(scenario.phases[2].changes.map(\.text).sorted() == ["8", "off"])
        #expect(problem(Array((Self.small + "settings2: {<<: 5}").utf8))?.hasPrefix("9:1: a scenario has no") == true)
        #expect(
            problem(Array((Self.small + "environment: {<<: [5]}").utf8))
                == "9:20: '<<' takes a mapping, or a list of mappings"
        )
    }

    @Test("a client that sends by hand is one of its phase, and sends one batch at a time")
    func byHand() throws {
        func phase(_ client: String, byHand: String) -> String {
            Self.small.replacing("rate=10/s", with: client) + "    by-hand: [\(byHand)]\n"
        }
        #expect(try Scenario(yaml: phase("closed=1", byHand: "app")).phases[0].byHand == ["app"])
        #expect(
            problem(Array(phase("rate=10/s", byHand: "app").utf8))
                == "9:15: by-hand: app must send one batch at a time: closed=1 instead of a rate"
        )
        #expect(problem(Array(phase("closed=2", byHand: "app").utf8))?.contains("one batch at a time") == true)
        #expect(
            problem(Array(phase("closed=1", byHand: "ap").utf8))
                == "9:15: by-hand: 'ap' is none of the callers of phase only"
        )
    }

    @Test("mappings that take from each other many times over are read in the time they take to write")
    func mergeBomb() throws {
        var yaml = Self.small + "environment:\n  memcached:\n    <<: [{threads: 3}"
        yaml = yaml.replacing("settings: &usual {log-mode: off, max-idle: 8}\n", with: "")
        let levels = (0..<60).map { "&l\($0) {<<: [\($0 == 0 ? "" : "*l\($0 - 1), *l\($0 - 1)")]}" }
        yaml += ", " + levels.joined(separator: ", ") + "]\n"
        #expect(try Scenario(yaml: yaml).setup.memcached.threads == 3)
    }

    @Test(
        "a key that is there twice is shown where it is the second time",
        arguments: [
            ("verdict: a\nverdict: b\n", "10:1"), ("verdict: a\ndescription: c\n\"verdict\": b\n", "11:1"),
            ("verdict: a\nverdict: b\nverdict: c\n", "10:1"),
            ("environment: {ports: 64, posts: 9, ports: 65}\n", "9:36"),
            ("environment: {memcached: {memory: 1}, posts: 1, memcached: {memory: 2}}\n", "9:49"),
            ("description: |\n  verdict: a\n  verdict: b\nverdict: c\nverdict: d\n", "13:1"),
        ]
    )
    func duplicates(more: String, position: String) {
        let text = problem(Array((Self.small + more).utf8))
        #expect(
            text?.hasPrefix("\(position): '") == true && text?.hasSuffix("is there already") == true,
            "\(text as Any)"
        )
    }

    @Test("a byte order mark is no part of the file, and what is not UTF-8 is shown where it is")
    func encodings() {
        let bytes = Array(Self.small.utf8)
        #expect(problem([0xef, 0xbb, 0xbf] + bytes) == nil)
        let latin1 = Array("scenario: a\ndescription: gr".utf8) + [0xfc] + Array("n\n".utf8)
        #expect(problem(latin1) == "2:16: the file is not UTF-8 from here on; save it as UTF-8")
        #expect(problem([0xff, 0xfe] + bytes.flatMap { [$0, 0] })?.hasPrefix("1:1: the file is not UTF-8") == true)
        // A surrogate, and a letter in more bytes than it needs.
        #expect(problem(Array("scenario: ".utf8) + [0xed, 0xa0, 0x80])?.hasPrefix("1:11: ") == true)
        #expect(problem(Array("scenario: ".utf8) + [0xc1, 0x81])?.hasPrefix("1:11: ") == true)
        #expect(problem(bytes + Array("verdict: a".utf8) + [0])?.hasPrefix("9:11: ") == true)
    }

    @Test(
        "settings that have no meaning with the way to memcached are refused where they stand, before anything is started",
        arguments: [
            ("ipv4", "{dialer: \"rotate:fd00:5::/64\"}", "dialer"), ("ipv6", "{dialer: rotate}", "dialer"),
            ("unix", "{close: server}", "close"), ("unix", "{dialer: kernel, linger: rst}", "linger"),
            ("ipv6", "{dialer: \"rotate:fd00:5::/64\", close: server}", nil), ("ipv4", "{close: server}", nil),
            ("unix", "{max-open: 3}", nil),
        ] as [(String, String, String?)]
    )
    func misfits(transport: String, settings: String, name: String?) {
        let file = Self.small + "environment: {memcached: {listen: \(transport)}}\n"
        let atStart = file.replacing("{log-mode: off, max-idle: 8}", with: settings)
        let inPhase = file + "    settings: \(settings)\n"
        let later = inPhase.replacing("environment: {memcached: {listen: \(transport)}}\n", with: "")
            .replacing("clients:\n  app", with: "environment: {memcached: {listen: \(transport)}}\nclients:\n  app")
        for (text, position) in [(atStart, "2:11: "), (later, "10:15: ")] {
            let found = problem(Array(text.utf8))
            #expect(found?.hasPrefix(position + (name ?? "")) == (name == nil ? nil : true), "\(found as Any)")
        }
    }

    @Test("a mistake in anchors is shown once, where it is")
    func anchors() {
        let text = problem(Array((Self.small + "environment: *none\n").utf8))
        #expect(text == "9:14: found undefined alias")
        #expect(problem(Array((Self.small + "---\na: b\n").utf8))?.hasPrefix("9:1: but found another document") == true)
    }

    @Test(
        "names that a terminal would take for commands are refused, with the character that is not shown",
        arguments: ["p\\e[31m", "p\\x9b31m", "p\\u202eq", "p\\nq", "p\\u2028"]
    )
    func controlCharacters(name: String) {
        let text = Self.small.replacing("name: only", with: "name: \"\(name)\"")
        #expect(problem(Array(text.utf8))?.contains("has a character that is not shown, U+") == true)
        let scenario = Self.small.replacing("scenario: small", with: "scenario: \"\(name)\"")
        #expect(problem(Array(scenario.utf8))?.hasPrefix("1:11: scenario: 'p?") == true)
    }

    @Test(
        "what is no YAML, or none of a scenario, is refused",
        arguments: ["", "a: [", "- 1", "scenario: x", "scenario: x\nphases: []"]
    )
    func refused(yaml: String) {
        #expect(throws: ScenarioProblems.self) { try Scenario(yaml: yaml) }
    }

    @Test(
        "a claim is judged on the result's own numbers",
        arguments: [
            ("lookups.errors.EADDRINUSE > 0", true), ("lookups.errors.EMFILE == 0", true),
            ("lookups.errors == 7", true),
            ("lookups.hits + lookups.misses < 100", false), ("timeWaitPeak > portsCapacity", true),
            ("dials.ok within 1% of 1000", true), ("dials.ok within 1% of 1020", false),
            ("dials.ok <= 0.9 * portsCapacity", false), ("rssPeakBytes < 2MiB", true), ("restarts != 0", false),
            ("clients.a.latencyMs.p99 < 50", true), ("clients.a.failed > 0", false),
        ]
    )
    func claims(text: String, holds: Bool) throws {
        let claim = try Expectation(text: text, clients: [ClientSpec(text: "a:uris=2,rate=1/s")])
        #expect(claim.judge(Self.phase).pass == holds)
    }

    /// A phase with figures of its own.
    static var phase: PhaseResult {
        var lookups = CounterSnapshot().lookups
        lookups.hits = 90
        lookups.misses = 20
        lookups.errors = ["EADDRINUSE": 7]
        let recorder = Recorder(name: "a")
        recorder.begin(uris: 2)
        recorder.succeed(
            .init(records: 2, empty: 1),
            latency: .milliseconds(12),
            service: .milliseconds(9)
        )
        return PhaseResult(
            name: "p",
            title: "",
            start: 0,
            duration: 5,
            settings: SettingsDocument(Settings()),
            lookups: lookups,
            dials: .init(ok: 1005, failed: 7, expected: 1000, reasoning: "test"),
            writeBacks: CounterSnapshot().writeBacks,
            inFlightPeak: 64,
            timeWaitPeak: 2000,
            portsInUsePeak: 1024,
            portsCapacity: 1024,
            clients: [recorder.result],
            threadsPeak: 9,
            rssPeakBytes: 1 << 20,
            logLines: CounterSnapshot().logLines,
            restarts: 0,
            refusals: [:],
            expectations: [.init(text: "dials.ok > 0", observed: "1,005", pass: true)]
        )
    }
}

/// Scenarios as they are played.
@Suite("Scenarios", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(3)))
struct ScenarioTests {
    private func play(_ name: String) throws -> (exit: ProcessExit?, result: RunResult, text: String, page: String) {
        let json = try TemporaryFile()
        let page = try TemporaryFile()
        let program = try Program(
            "spiral",
            ["run", name, "--quick", "--quiet", "--json", json.path, "--report", page.path]
        )
        let exit = program.wait(within: .seconds(150))
        let text = try program.text
        try #require(exit != nil, "\(name) did not end: \(text)")
        let result = try RunResult(json: Array(try json.contents.utf8))
        return (exit, result, text, try page.contents)
    }

    @Test(
        "the crash loop: out of ports, out of memory or threads, dead, and again into the ports it left",
        .slow,
        .measuresMemory
    )
    func crashLoop() throws {
        let (exit, result, text, _) = try play("crash-loop")
        #expect(exit == .status(0), "\(text)")
        let stages = Dictionary(result.cascade.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        for name in ["churn", "exhaustion", "log rate", "threads", "death", "restart", "re-exhaustion"] {
            #expect(stages[name]?.happened == true, "\(name): \(stages[name]?.detail ?? "")")
        }
        let deaths = result.events.filter { $0.kind == .death }
        #expect(deaths.count == result.phases.reduce(0) { $0 + $1.restarts })
        // The kernel's own count of who was killed, or the server's own last words.
        let isNamed = deaths.allSatisfy { $0.text.contains("memory limit") || $0.text.contains("out of threads") }
        #expect(isNamed, "\(deaths)")
        #expect(result.environment.memoryLimit?.hasPrefix("192MiB") == true)
        // What the clients sent, they know for themselves, whoever died meanwhile.
        for client in result.phases.flatMap(\.clients) { #expect(client.ok + client.failed == client.batches) }
    }

    @Test("memcached stopped, killed and started again: errors meanwhile, and none afterwards", .slow)
    func memcachedSlow() throws {
        let (exit, result, text, page) = try play("memcached-slow")
        #expect(exit == .status(0), "\(text)")
        #expect(result.events.filter { $0.kind == .fault }.count == 4)
        #expect(result.phases.map(\.restarts) == [0, 0, 0, 0])
        // Each point's rates are those of the counters: over a phase they add up to its lookups.
        for phase in result.phases {
            var counted = 0.0
            var before = phase.start
            for point in result.timeline where point.phase == phase.name {
                counted += point.lookupsPerSecond * (point.at - before)
                before = point.at
            }
            let difference = abs(counted - Double(phase.lookups.total))
            #expect(difference <= 0.02 * Double(phase.lookups.total) + 1, "\(phase.name): \(counted)")
        }
        #expect(page.contains("\"scenario\":\"memcached-slow\""))
    }

    @Test(
        "the report draws the data's own numbers, without a word on the console",
        .slow,
        .requires("chromium", package: "chromium")
    )
    func reportInBrowser() throws {
        let (_, result, _, page) = try play("limiter-cliff")
        let folder = try RunFolder()
        let path = folder.path + "/report.html"
        _ = try Descriptor.creating(path).writeAll(Array(page.utf8))
        let dom = try ChildProcess.output(
            of: "/bin/sh",
            [
                "-c",
                "timeout 60 chromium --headless --no-sandbox --disable-gpu --enable-logging=stderr --user-data-dir=\(folder.path)/c "
                    + "--dump-dom file://\(path) 2>\(folder.path)/console",
            ]
        )
        let console = try Program.contents(of: folder.path + "/console")
        #expect(!console.contains(":CONSOLE"), "\(console)")
        for id in ["ports", "rates", "latency", "threads", "memory", "inflight", "verdict", "cascade"] {
            #expect(dom.contains("id=\"\(id)\""), "\(id)")
        }
        /// Whether the table behind a chart has a value; that its lines are drawn at their values, the suite of charts tests.
        func has(_ chart: String, _ value: Double?) -> Bool {
            guard let value, let begin = dom.range(of: "<figure id=\"\(chart)\"")?.upperBound else { return false }
            let figure = dom[begin...].components(separatedBy: "</figure>")[0]
            return figure.contains("<td>\(rounded(value))</td>")
        }
        let timeline = result.timeline
        #expect(has("ports", timeline.compactMap(\.portsTimeWait).max().map(Double.init)))
        #expect(has("timewait", timeline.map { Double($0.timeWait) }.max()))
        #expect(has("threads", timeline.map { Double($0.threads) }.max()))
        #expect(has("rates", timeline.compactMap { $0.errorsPerSecond["EADDRINUSE"] }.max()))
        #expect(dom.contains(">\(result.verdict.text)<"))
    }
}
