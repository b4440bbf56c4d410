import Foundation
import POSIX
import Reports
import TestSupport
import Testing
import Text
import Units

@testable import LoadGenerator
@testable import Results
@testable import Sweeps

/// Sweeps over somebody's own server: commands, names, and figures of which some are not known.
@Suite("Sweeps over a service")
struct ServicePlanTests {
    @Test(
        "a command is split as shells do it, and a value is part of one word whatever is in it",
        arguments: [
            ("./server --limit {limit}", ["./server", "--limit", "a b;'c'"]),
            ("sh -c 'exec x --limit={limit}'", ["sh", "-c", "exec x --limit=a b;'c'"]),
            (#"a "b \"c\" {limit}" d\ e '' "#, ["a", #"b "c" a b;'c'"#, "d e", ""]),
            (
                #"--json '{"a":{"b":1}}' {} { {l m} {{limit}}"#,
                ["--json", #"{"a":{"b":1}}"#, "{}", "{", "{l", "m}", "{limit}"]
            ),
            (#""\n" \n"#, [#"\n"#, "n"]),
        ]
    )
    func commands(text: String, words: [String]) throws {
        #expect(try CommandTemplate(text: text).words(["limit": "a b;'c'"]) == words)
    }

    @Test("a command without words, or with a quote that does not end, is none", arguments: ["", "  ", "a 'b", "a \\"])
    func noCommands(text: String) {
        #expect(throws: UnitTextError.self) { try CommandTemplate(text: text) }
    }

    @Test(
        "values of a placeholder are any text, ranges are spelled out",
        arguments: [
            ("pool=1..64x4", ["1", "4", "16", "64"]),
            ("mode=--fast,a=b c,../x,v1..v2", ["--fast", "a=b c", "../x", "v1..v2"]),
            (#"list=a\,b,c,c"#, ["a,b", "c"]), (#"path=C:\x,\\"#, [#"C:\x"#, #"\\"#]), ("limit=none", ["none"]),
            ("n=4611686018427387904..9223372036854775807x2", ["4611686018427387904"]),
        ]
    )
    func values(text: String, values: [String]) throws {
        #expect(try Variation(placeholder: text).values == values)
    }

    @Test(
        "what is no placeholder and values is refused",
        arguments: ["pool", "pool=", "=1", "a b=1", "a=1,,2", "a=1..9"]
    )
    func refusedValues(text: String) {
        #expect(throws: UnitTextError.self) { try Variation(placeholder: text) }
    }

    private func plan(
        _ vary: [String],
        set: [String: String] = [:],
        server: String = "./server {limit}",
        companions: [String] = [],
        preload: String? = "127.0.0.1:11211"
    ) throws -> SweepPlan {
        try SweepPlan(
            try vary.map { try Variation(placeholder: $0) },
            fixed: set,
            clients: [ClientSpec(text: "small:uris=1..10,rate=20/s"), ClientSpec(text: "heavy:uris=20000,rate=2/s")],
            ports: 1024,
            warmUp: .seconds(1),
            duration: .seconds(2),
            repetitions: 1,
            seed: 3,
            service: ServicePlan(
                server: server,
                companions: companions,
                ready: 8080,
                request: RequestText(target: "http://127.0.0.1:8080"),
                preload: preload
            )
        )
    }

    @Test("each name is in a command, and each placeholder has a value; what is almost one is named")
    func names() throws {
        func problem(_ make: () throws -> SweepPlan) -> String {
            do {
                _ = try make()
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(problem { try plan(["limit=1"]) } == "")
        #expect(problem { try plan(["limit=1", "mem=1,2"], companions: ["memcached -m {mem}"]) } == "")
        let typo = problem { try plan(["limit=1"], server: "./server {limt}") }
        #expect(typo.hasPrefix("{limt} of --server has no value;") && typo.hasSuffix("did you mean limit?"), "\(typo)")
        let unused = problem { try plan(["limit=1"], set: ["pol": "2"], server: "./server {limit} {pool}") }
        #expect(unused.hasPrefix("{pool} of --server has no value;"), "\(unused)")
        let nothing = problem { try plan(["limit=1"], set: ["pool": "2"]) }
        #expect(nothing == "nothing depends on pool: write {pool} into --server or --with")
        #expect(problem { try plan(["limit=1"], companions: ["x {y}"]) }.hasPrefix("{y} of --with has no value;"))
    }

    /// A run as if measured.
    private func run(
        _ value: String,
        small: Double,
        missing: Int = 0,
        ports: Int? = 80,
        timeWaits: Double? = 0
    ) -> SweepResult.Run {
        func client(_ name: String, _ milliseconds: Double) -> ClientResult {
            let recorder = Recorder(name: name, slo: .seconds(1))
            recorder.begin(uris: 10)
            recorder.succeed(
                .init(records: 10, empty: missing),
                latency: .microseconds(Int64(milliseconds * 1000)),
                service: .zero
            )
            return recorder.result
        }
        let result = ServiceResult(
            duration: 1,
            clients: [client("heavy", 300), client("small", small)],
            dials: .init(ok: 5),
            portsInUsePeak: ports,
            portsCapacity: ports.map { _ in 1024 },
            timeWaitPeak: ports,
            timeWaitsPerSecond: timeWaits
        )
        return .init(cell: .init(values: [value], repetition: 1), service: result)
    }

    @Test("what is missing in answers, and ports that do not last, rule a combination out; what is not known does not")
    func ranking() throws {
        var sweep = SweepResult(try plan(["limit=0,16,64,256,512"]))
        sweep.runs = [
            run("0", small: 1, missing: 9), run("16", small: 20), run("64", small: 10, ports: nil, timeWaits: nil),
            run("256", small: 2, timeWaits: 18), run("512", small: 3, ports: 1024),
        ]
        sweep.analyze()
        #expect(sweep.ranking.map(\.values) == [["64"], ["16"], ["256"], ["512"], ["0"]])
        #expect(sweep.ranking.map(\.isFeasible) == [true, true, false, false, false])
        #expect(sweep.ranking[0].errors == nil && sweep.ranking[0].lookupsPerSecond == nil)
        #expect(sweep.ranking[0].portsInUsePeak == nil)
        #expect(sweep.ranking[4].fault == "2 batches were answered without all their records")
        #expect(sweep.findings[0].contains("limit=64 is best so far"), "\(sweep.findings)")
        #expect(sweep.findings.contains { $0.hasPrefix("limit=N: ") && $0.contains("Cliff: from limit=256 on") })
        let row = try #require(sweep.summary.first { $0.hasPrefix("limit=64 ") })
        #expect(row.split(separator: " ").suffix(4) == ["-", "-", "-", "-"], "\(row)")
        // Without a cache that has all posts, a record that is missing may be one that never was.
        sweep.plan = try plan(["limit=0,16,64,256,512"], preload: nil)
        sweep.analyze()
        #expect(sweep.ranking.first { $0.values == ["0"] }?.isFeasible == true)
    }

    @Test("in files what is not known is null or empty, and a file is read as it was written")
    func files() throws {
        var sweep = SweepResult(try plan(["limit=16,64"]))
        sweep.runs = [
            run("16", small: 20, ports: nil), .init(cell: .init(values: ["64"], repetition: 1), error: "died"),
        ]
        sweep.analyze()
        let json = JSONText.encode(sweep)
        let read = try SweepResult(analyzing: json)
        #expect(read.plan == sweep.plan)
        #expect(JSONText.encode(read) == json)
        let document = try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
        let service = (document["runs"] as? [[String: Any]])?.first?["service"] as? [String: Any]
        #expect(service?["lookups"] is NSNull && service?["portsInUsePeak"] is NSNull)
        #expect((service?["dials"] as? [String: Any])?["failed"] is NSNull)
        let rows = sweep.csv.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        #expect(rows[0].count == rows[1].count && rows[0].count == rows[2].count)
        let cells = Dictionary(uniqueKeysWithValues: zip(rows[0], rows[1]))
        #expect(cells["hits"] == "" && cells["errors"] == "" && cells["ports_in_use_peak"] == "")
        #expect(cells["dials_ok"] == "5" && cells["complete_percent"] == "100.0")
        #expect(rows[2].last == "died" && rows[2].dropFirst(2).dropLast().allSatisfy(\.isEmpty))
    }
}

/// The same with real servers.
@Suite("spiral sweep --server", .requiresNamespaces, .timeLimit(.minutes(2)))
struct ServiceSweepCommandTests {
    private static let programs = URL(filePath: #filePath).deletingLastPathComponent().path + "/Programs"

    private func sweep(_ arguments: [String]) throws -> Program { try Program("spiral", ["sweep"] + arguments) }

    private func result(_ file: TemporaryFile) throws -> SweepResult {
        try SweepResult(analyzing: Array(try file.contents.utf8))
    }

    @Test(
        "what is wrong is said in one line before anything is started",
        arguments: [
            (["--server", "true {limit}", "--vary", "limit=1"], "say where --server listens, with --ready PORT"),
            (["--server", "true {limt}", "--ready", "8080", "--vary", "limit=1"], "{limt} of --server has no value"),
            (["--server", "true", "--ready", "8080", "--vary", "limit=1"], "nothing depends on limit"),
            (["--server", "true {limit}", "--ready", "http", "--vary", "limit=1"], "'http' is not a port"),
            (
                ["--server", "no-such-server {limit}", "--ready", "8080", "--vary", "limit=1"],
                "--server: no-such-server: command not found"
            ),
            (
                ["--server", "true", "--with", "{limit} x", "--ready", "8080", "--vary", "limit=true,no-such"],
                "--with: no-such: command not found"
            ),
            (["--server", "true '{limit}", "--ready", "8080", "--vary", "limit=1"], "a quote in it does not end"),
            (
                ["--server", "true {limit}", "--ready", "80", "--target", "http://10.0.0.1/", "--vary", "limit=1"],
                "is not in the cell"
            ),
            (["--server", "true {limit}", "--ready", "80", "--matrix"], "--matrix varies settings of spiral-server"),
            (["--with", "memcached", "--vary", "limit=none"], "--with is for a server of your own"),
            (
                [
                    "--server", "true {a}", "--ready", "80", "--vary", "a=1", "--method", "GET", "--client",
                    "x:uris=1,rate=1/s",
                ],
                "--client"
            ),
        ]
    )
    func wrong(arguments: [String], says: String) throws {
        let program = try sweep(arguments)
        #expect(program.wait() == .status(2))
        let text = try program.text
        #expect(text.contains(says), "\(text)")
    }

    @Test("a server that dies, or is never ready, costs its cell, with its last words; others are measured", .slow)
    func deaths() throws {
        let json = try TemporaryFile()
        let server = """
            sh -c 'case {mode} in dies) echo so it ends; exit 3;; sleeps) echo not yet; exec sleep 60;;
            serves) exec python3 -m http.server --bind 127.0.0.1 8080;;
            six) exec python3 -m http.server --bind ::1 8080;; esac'
            """
        let program = try sweep([
            "--server", server, "--ready", "8080", "--ready-timeout", "3s", "--method", "GET", "--vary",
            "mode=dies,sleeps,serves" + (hasIPv6 ? ",six" : ""), "--target", "http://localhost:8080", "--client",
            "one:rate=20/s",
            "--warm-up", "0s", "--duration", "500ms", "--json",
            json.path,
        ])
        #expect(program.wait(within: .seconds(60)) == .status(1))
        let runs = Dictionary(uniqueKeysWithValues: try result(json).runs.map { ($0.cell.values[0], $0) })
        let dead = runs["dies"]?.error ?? ""
        #expect(dead == "--server: sh ended (exit status 3) before port 8080 was listened on: so it ends")
        let late = runs["sleeps"]?.error ?? ""
        #expect(late == "--ready: nobody listens on port 8080 after 3s: not yet")
        // Of a name's addresses the load goes where the server is, from an address of that family.
        for mode in ["serves"] + (hasIPv6 ? ["six"] : []) {
            let measured = try #require(runs[mode]?.service, "\(runs[mode]?.error ?? "")")
            #expect(measured.clients[0].answered > 0 && measured.clients[0].complete == measured.clients[0].answered)
            #expect(measured.dials.ok == 0, "connections of the load are not the server's dials")
            #expect(measured.timeWaitPeak == 0)
            #expect(measured.threadsPeak ?? 0 > 0 && measured.rssPeakBytes ?? 0 > 1 << 20)
        }
    }

    @Test(
        "a service that fans out without a limit runs out of ports, and with one it does not",
        .requiresMemcached,
        .slow
    )
    func limits() throws {
        let json = try TemporaryFile()
        let program = try sweep([
            "--server", "python3 \(Self.programs)/feed.py --limit {limit} --pool 32", "--ready", "8080", "--with",
            "memcached -u root", "--preload", "127.0.0.1:11211", "--ports", "256", "--vary", "limit=0,16", "--client",
            "small:uris=1..5,rate=20/s", "--client", "heavy:uris=400,rate=2/s", "--duration", "2s", "--json", json.path,
        ])
        #expect(program.wait(within: .seconds(90)) == .status(0))
        let sweep = try result(json)
        let text = try program.text
        #expect(sweep.ranking.map(\.values) == [["16"], ["0"]], "\(text)")
        #expect(!sweep.ranking[1].isFeasible)
        let unlimited = try #require(sweep.runs.first { $0.cell.values == ["0"] }?.service)
        #expect(unlimited.portsInUsePeak ?? 0 > 200 && unlimited.portsCapacity == 256)
        #expect(sweep.ranking[1].incompleteBatches?.median ?? 0 > 0)
    }
}
