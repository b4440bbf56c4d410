import Glibc
import KernelProbe
import POSIX
import PostRecords
import Reports
import TestSupport
import Testbed
import Testing
import Text
import Units

@testable import LoadGenerator
@testable import Results
@testable import Sweeps

/// The grid of a sweep, and what is read out of its figures.
@Suite("Sweep plans")
struct SweepPlanTests {
    private func plan(_ vary: [String], set: [String: String] = [:], repetitions: Int = 1) throws -> SweepPlan {
        try SweepPlan(
            try vary.map { try Variation(text: $0) },
            fixed: set,
            clients: [ClientSpec(text: "small:uris=1..10,rate=20/s"), ClientSpec(text: "heavy:uris=20000,rate=2/s")],
            ports: 1024,
            warmUp: .seconds(1),
            duration: .seconds(2),
            repetitions: repetitions,
            seed: 3
        )
    }

    @Test(
        "values are listed, ranges are spelled out, and a limit keeps its own commas",
        arguments: [
            (
                "limit=none,request:16..1024x4,fair:256",
                ["none", "request:16", "request:64", "request:256", "request:1024", "fair:256"]
            ),
            ("max-idle=2,64", ["2", "64"]), ("max-idle=16..64+16", ["16", "32", "48", "64"]),
            ("limit=aimd:min=20,max=50,vegas,process:8,queue=3", ["aimd:min=20,max=50", "vegas", "process:8,queue=3"]),
            ("max-idle=5..5x2,5", ["5"]),
        ]
    )
    func values(text: String, values: [String]) throws {
        #expect(try Variation(text: text).values == values)
    }

    @Test(
        "what is no variation is refused",
        arguments: [
            "limit", "limit=", "limt=none", "limit=none,,request:4", "max-idle=9..3x2", "max-idle=2..9",
            "max-idle=1..9x1",
            "max-idle=0..9x2", "dialer=bind", "limit=request:a..bx2",
        ]
    )
    func refused(text: String) {
        #expect(throws: UnitTextError.self) { try Variation(text: text) }
    }

    @Test("a grid is every combination, each as often as asked, in an order that the seed decides")
    func grid() throws {
        let plan = try plan(["limit=none,request:4", "max-idle=1,2,3"], repetitions: 2)
        #expect(plan.combinations == 6)
        #expect(plan.cells.count == 12)
        #expect(Set(plan.cells).count == 12)
        #expect(plan.cells == plan.cells, "a second time the same order")
        #expect(plan.cells.prefix(6).allSatisfy { $0.repetition == 1 }, "each pass is a whole grid")
        #expect(plan.cells.prefix(6).map(\.values) != plan.grid)
    }

    @Test("combinations whose settings exclude each other are left out, with the reason")
    func exclusions() throws {
        let plan = try plan(["late-bind=true,false", "dialer=kernel,rotate"])
        #expect(plan.grid.count == 3)
        #expect(
            plan.leftOut.map(\.reason) == ["late-bind=true has no effect with dialer=kernel, which binds no address"]
        )
        let sources = try self.plan(["dialer=rotate:fd00::/64,rotate:127.5.0.0/16"])
        #expect(sources.grid == [["rotate:127.5.0.0/16"]])
        #expect(sources.leftOut.first?.reason.contains("no memcached server has an IPv6 address") == true)
        #expect(throws: SweepPlan.Problem.self) { try self.plan([]) }
        #expect(throws: SweepPlan.Problem.self) { try self.plan(["limit=none", "limit=fair:3"]) }
        #expect(throws: SweepPlan.Problem.self) { try self.plan(["limit=none"], set: ["limit": "none"]) }
    }

    /// A result as if measured.
    private func result(
        _ values: [String],
        repetition: Int,
        small: Double,
        lookups: Int,
        errors: Int = 0,
        dials: Int = 0
    ) throws -> SweepResult.Run {
        func client(_ name: String, _ uris: Int, _ milliseconds: Double) -> ClientResult {
            let recorder = Recorder(name: name)
            recorder.begin(uris: uris)
            recorder.succeed(
                .init(),
                latency: .microseconds(Int64(milliseconds * 1000)),
                service: .zero
            )
            return recorder.result
        }
        var counted = CounterSnapshot()
        counted.lookups.hits = lookups
        if errors > 0 { counted.lookups.errors = ["EADDRINUSE": errors] }
        let phase = PhaseResult(
            name: "measured",
            title: "",
            start: 0,
            duration: 1,
            settings: SettingsDocument(Settings()),
            lookups: counted.lookups,
            dials: .init(ok: dials, failed: 0, expected: nil, reasoning: ""),
            exhaustion: nil,
            writeBacks: counted.writeBacks,
            inFlightPeak: 0,
            timeWaitPeak: 0,
            portsInUsePeak: 0,
            portsCapacity: 1024,
            clients: [client("heavy", 20_000, 300), client("small", 5, small)],
            threadsPeak: 8,
            rssPeakBytes: 1 << 20,
            logLines: counted.logLines,
            restarts: 0,
            refusals: [:],
            expectations: []
        )
        return .init(cell: .init(values: values, repetition: repetition), result: phase)
    }

    @Test(
        "the recommendation has no errors and no churn, is best for the small callers, and what is noise is called so"
    )
    func recommendation() throws {
        var sweep = SweepResult(try plan(["limit=none,request:16,request:64,request:256"], repetitions: 3))
        sweep.environment = try JSONText.decode(Environment.self, from: Array(Self.environment.utf8))
        for repetition in 1...3 {
            let jitter = Double(repetition)
            sweep.runs.append(
                try result(["none"], repetition: repetition, small: 1, lookups: 100_000, errors: 5000 * repetition)
            )
            sweep.runs.append(try result(["request:16"], repetition: repetition, small: 10 + jitter, lookups: 50_000))
            sweep.runs.append(try result(["request:64"], repetition: repetition, small: 11 + jitter, lookups: 80_000))
            // 18 dials a second are more than 1,024 ports sustain, which is 17.1.
            sweep.runs.append(try result(["request:256"], repetition: repetition, small: 5, lookups: 82_000, dials: 18))
        }
        sweep.analyze()
        #expect(sweep.ranking.map(\.values) == [["request:16"], ["request:64"], ["none"], ["request:256"]])
        let spread = try #require(sweep.ranking[0].smallP99)
        #expect(spread.min < spread.max)
        // Of one run, as all other figures; not of all together.
        #expect(sweep.ranking[2].errorsByName == ["EADDRINUSE": try #require(.init([5000, 10_000, 15_000]))])
        #expect(sweep.summary.contains { $0.contains("EADDRINUSE 10,000") })
        #expect(sweep.findings[0].hasPrefix("Recommended: limit=request:64. No failed lookup"))
        #expect(sweep.findings[1].contains("no more than the noise: limit=request:16"))
        #expect(
            sweep.findings[2].hasPrefix("request:N: knee at 64, the smallest limit with 95% of the best throughput")
        )
        #expect(sweep.findings[2].contains("from request:256 on, 18 dials a second, more than"))
    }

    @Test(
        "among what small callers cannot tell apart, throughput decides if it differs by a twentieth, then dials, then p99",
        arguments: [
            ([80_000, 81_000, 80_500], [0, 0, 0], "request:16", "its median"),
            ([80_000, 81_000, 80_500], [9, 5, 0], "request:256", "dialling less"),
            ([80_000, 81_000, 90_000], [0, 0, 5], "request:256", "its lookups a second"),
        ]
    )
    func equals(lookups: [Int], dials: [Int], chosen: String, reason: String) throws {
        let limits = ["request:16", "request:64", "request:256"]
        var sweep = SweepResult(try plan(["limit=" + limits.joined(separator: ",")], repetitions: 3))
        for repetition in 1...3 {
            for (place, limit) in limits.enumerated() {
                let small = 10 + Double(repetition) + Double(place) / 10
                sweep.runs.append(
                    try result(
                        [limit],
                        repetition: repetition,
                        small: small,
                        lookups: lookups[place],
                        dials: dials[place]
                    )
                )
            }
        }
        sweep.analyze()
        #expect(sweep.findings[0].hasPrefix("Recommended: limit=\(chosen)."))
        #expect(sweep.findings[1].hasSuffix("It was chosen among them for \(reason)."))
    }

    @Test("a grid without a feasible combination gets no recommendation")
    func nothingFeasible() throws {
        var sweep = SweepResult(try plan(["limit=none"]))
        sweep.runs = [try result(["none"], repetition: 1, small: 1, lookups: 5, errors: 9)]
        sweep.analyze()
        #expect(sweep.findings[0].hasPrefix("No combination of this grid answers everything without failures"))
    }

    @Test("what could not be measured comes last, without figures")
    func nothingMeasured() throws {
        var sweep = SweepResult(try plan(["limit=none,fair:9"]))
        sweep.analyze()
        #expect(sweep.summary == ["", "Nothing was measured."])
        sweep.runs = [.init(cell: .init(values: ["fair:9"], repetition: 1), error: "died")]
        sweep.analyze()
        #expect(sweep.findings == ["Nothing was measured."])
        sweep.runs.append(try result(["none"], repetition: 1, small: 1, lookups: 5, errors: 9))
        sweep.analyze()
        #expect(sweep.ranking.map(\.values) == [["none"], ["fair:9"]])
        #expect(sweep.findings[0].contains("Best for the small callers: limit=none: 9 failed lookups"))
        let row = sweep.summary.first { $0.hasPrefix("limit=fair:9") }
        #expect(row?.contains { $0.isNumber && $0 != "9" } == false, "\(row ?? "no row")")
        #expect(row?.contains("crashed") == true)
        #expect(sweep.summary.contains("not measured: limit=fair:9, repetition 1: died"))
    }

    @Test("its CSV has a row for each run, and quotes what has commas")
    func csv() throws {
        var sweep = SweepResult(try plan(["limit=aimd:min=20,max=50,none"]))
        sweep.runs = [try result(["aimd:min=20,max=50"], repetition: 1, small: 3, lookups: 9)]
        sweep.runs.append(.init(cell: .init(values: ["none"], repetition: 1), error: "died \"so\""))
        let lines = sweep.csv.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[1].hasPrefix("\"aimd:min=20,max=50\",1,9.0,"))
        #expect(lines[2].hasSuffix(",\"died \"\"so\"\"\""))
        let columns = lines[0].split(separator: ",", omittingEmptySubsequences: false).count
        #expect(lines[2].split(separator: ",", omittingEmptySubsequences: false).count == columns)
    }

    private static let environment = """
        {"kernel": "", "cores": 2, "memcached": "", "libmemcached": "", "network": "namespace", "portRange": [1, 1024],
         "tcpTwReuse": "2", "nofile": 1, "seed": 1, "clients": [], "spiral": "", "arguments": [], "date": ""}
        """
}

/// Sweeps with real parts.
@Suite("spiral sweep", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct SweepCommandTests {
    private static let clients = [
        "--client", "small:uris=1..5,rate=20/s,slo=250ms", "--client", "heavy:uris=1000,rate=2/s", "--ports", "256",
        "--warm-up", "500ms", "--duration", "1s",
    ]

    private func sweep(_ arguments: [String]) throws -> Program {
        try Program("spiral", ["sweep"] + arguments + Self.clients)
    }

    @Test(
        "each cell begins with all its ports: the incident happens in each repetition anew, and not beside a cure",
        .slow
    )
    func cleanRooms() throws {
        let json = try TemporaryFile()
        let csv = try TemporaryFile()
        let program = try sweep([
            "--vary", "limit=none,request:8", "--set", "max-idle=32", "--repeat", "2", "--json", json.path, "--csv",
            csv.path,
        ])
        #expect(program.wait(within: .seconds(90)) == .status(0))
        let result = try SweepResult(analyzing: Array(try json.contents.utf8))
        #expect(result.runs.count == 4)
        for run in result.runs {
            let measured = try #require(run.result)
            // What the server counted is what the clients asked for.
            #expect(measured.lookups.total == measured.clients.reduce(0) { $0 + $1.uris })
            if run.cell.values == ["none"] {
                #expect(measured.lookups.errors["EADDRINUSE"] ?? 0 > 0)
                #expect(measured.portsInUsePeak == 256)
                #expect(measured.timeWaitPeak <= 256 + 3)
            } else {
                #expect(measured.lookups.errors.isEmpty)
                #expect(measured.timeWaitPeak < 100)
            }
        }
        #expect(result.ranking.first?.values == ["request:8"])
        #expect(try csv.contents.split(separator: "\n").count == 5)
        let text = try program.text
        #expect(text.contains("Recommended: limit=request:8"), "\(text)")

        let page = try TemporaryFile()
        let report = try Program("spiral", ["report", json.path, "--output", page.path])
        #expect(report.wait() == .status(0))
        #expect(try report.text.contains(": Recommended: limit=request:8"))
        #expect(try page.contents.contains("<table id=\"ranking\"") && page.contents.contains("request:8"))
    }

    @Test("a server that dies costs its cell, which is recorded; a sweep that is cut off goes on where it was", .slow)
    func deathAndResumption() throws {
        let json = try TemporaryFile()
        let arguments = ["--vary", "limit=request:4,request:8,request:16", "--json", json.path]
        let first = try sweep(arguments)
        var server: Int32?
        let found = eventually(within: .seconds(20)) {
            server = childOf(first.identifier, named: "spiral-server")
            return server != nil
        }
        #expect(found)
        kill(server!, SIGKILL)
        let isMeasured = eventually(within: .seconds(30)) { (try? self.result(json).runs.count) == 2 }
        #expect(isMeasured)
        first.send(SIGINT)
        #expect(first.wait() == .status(1))
        let before = try self.result(json)
        #expect(before.runs.count { $0.result == nil } == 1)
        let failure = before.runs.compactMap(\.error).first ?? ""
        #expect(failure.contains("spiral-server"), "\(failure)")

        let second = try sweep(arguments + ["--resume"])
        #expect(second.wait(within: .seconds(60)) == .status(0))
        let after = try self.result(json)
        #expect(after.runs.count == 3)
        #expect(after.runs.allSatisfy { $0.result != nil })
        // What was measured before the cut is as it was.
        let kept = before.runs.compactMap(\.result).map(\.lookups)
        #expect(kept.allSatisfy { one in after.runs.contains { $0.result?.lookups == one } })

        let other = try sweep(["--vary", "limit=request:5", "--json", json.path, "--resume"])
        #expect(other.wait() == .status(2))
        #expect(try other.text.contains("is of another grid"))
    }

    @Test("on a disk that is full nothing finished is lost", .slow)
    func fullDisk() throws {
        let spiral = try Executables.sibling("spiral")
        let folder = try RunFolder()
        let command = """
            mount -t tmpfs -o size=16k spiral \(folder.path) && cd \(folder.path) || exit 99
            \(spiral) sweep --vary limit=request:4..64x2 --json r.json \(Self.clients.joined(separator: " ")) 2>&1
            echo status $?; grep -c '"measured"' r.json; tail -1 r.json
            """
        let said = try ChildProcess.output(of: "/usr/bin/unshare", ["-m", "/bin/sh", "-c", command])
        #expect(said.contains("status 3"), "\(said)")
        #expect(said.contains("what was measured before is kept, and the sweep goes on"), "\(said)")
        #expect(said.contains("[5/5]"), "\(said)")
        #expect(said.hasSuffix("\n}\n"), "the file is whole: \(said)")
    }

    @Test("what the result is written to keeps what it has until there is more, and a device stays one")
    func outputs() throws {
        let file = try TemporaryFile()
        _ = try Descriptor.creating(file.path).writeAll(Array("kept".utf8))
        let program = try sweep(["--vary", "limit=request:4", "--json", file.path])
        let begins = try eventually { try program.text.contains("1 measurement, ") }
        #expect(begins)
        #expect(try file.contents == "kept")
        program.send(SIGINT)
        _ = program.wait()

        let folder = try RunFolder()
        let link = folder.path + "/link"
        symlink(file.path, link)
        try Descriptor.replaceFile(link, with: Array("through".utf8))
        #expect(try file.contents == "through")
        try Descriptor.replaceFile("/dev/null", with: [1])
        #expect(try Descriptor.reading("/dev/null").readToEnd().isEmpty)
        try Descriptor.replaceFile(file.path, with: Array("new".utf8))
        #expect(try file.contents == "new")
    }

    @Test(
        "a grid that is wrong, empty or very large is refused before anything is measured",
        arguments: [
            (["--vary", "limit=nine"], "--vary: 'limit=nine' is not a variation"), ([], "the grid is empty"),
            (["--vary", "max-idle=1..900+1"], "900 measurements take 38 min or more; add --yes"),
            (
                ["--vary", "max-idle=1..12000+1", "--repeat", "2"],
                "24000 measurements take 17 hours or more; add --yes"
            ),
            (["--vary", "max-idle=1..9000+1", "--vary", "limit=request:1..900+1"], "8100000 combinations"),
            (["--vary", "max-idle=1..9999999+1"], "is not a range of 100000 values or fewer"),
            (["--vary", "late-bind=true", "--set", "dialer=kernel"], "no combination of the grid can be measured"),
            (["--vary", "limit=none", "--resume"], "--resume goes on with the file"),
        ]
    )
    func wrongGrid(arguments: [String], says: String) throws {
        let program = try sweep(arguments)
        #expect(program.wait() == .status(2))
        let text = try program.text
        #expect(text.contains(says), "\(text)")
    }

    private func result(_ file: TemporaryFile) throws -> SweepResult {
        try SweepResult(analyzing: Array(try file.contents.utf8))
    }

    /// A process that another one started.
    private func childOf(_ parent: Int32, named name: String) -> Int32? {
        let text = try? ChildProcess.output(of: "/bin/sh", ["-c", "ps -o pid=,comm= --ppid \(parent)"])
        let line = text?.split(separator: "\n").first { $0.contains(name) }
        return line?.split(separator: " ").first.flatMap { Int32($0) }
    }
}
