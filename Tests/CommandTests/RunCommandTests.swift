import Glibc
import POSIX
import PostRecords
import Results
import TestSupport
import Testbed
import Testing

/// `spiral run` with a scenario of one's own.
@Suite("spiral run", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct RunCommandTests {
    private static let scenario = """
        scenario: short
        environment: {ports: 256, posts: 3000}
        settings: {log-mode: "off"}
        clients:
          heavy: uris=2000,rate=2/s
        phases:
          - name: incident
            duration: 2s
            clients: [heavy]
            faults: [{at: 1s, do: set store-latency 7ms}]
            expect:
              - lookups.errors.EADDRINUSE > 0
              - dials.ok == portsCapacity
          - name: cure
            duration: 2s
            clients: [heavy]
            settings: {dialer: rotate}
            expect: [lookups.errors == 0, timeWaitPeak > portsCapacity * 100]
        """

    private func file() throws -> TemporaryFile {
        let file = try TemporaryFile()
        _ = try Descriptor.creating(file.path).writeAll(Array(Self.scenario.utf8))
        return file
    }

    @Test("a scenario is read to its end from a pipe and from standard input, however long it is, up to a bound")
    func wholeFile() throws {
        let long = try TemporaryFile()
        let comment = Array((String(repeating: "# a comment of some length\n", count: 100_000)).utf8)
        let end = Array("        verdict: the end was read\n".dropFirst(8).utf8)
        try Descriptor.creating(long.path).writeAll(Array(Self.scenario.utf8) + Array("\n".utf8) + comment + end)
        let spiral = try Executables.sibling("spiral")
        func check(_ command: String) throws -> String {
            try ChildProcess.output(of: "/bin/sh", ["-c", "(\(command)) 2>&1; echo status $?"])
        }
        for command in [
            "\(spiral) run --check \(long.path)", "cat \(long.path) | \(spiral) run --check -",
            // In pieces, each of which is one read.
            "{ head -c 100 \(long.path); sleep 0.1; tail -c +101 \(long.path); } | \(spiral) run --check /dev/stdin",
        ] {
            let said = try check(command)
            #expect(said.hasSuffix("short, 2 phases, 4.0 seconds of load; nothing is wrong\nstatus 0\n"), "\(said)")
        }
        #expect(
            try check("cat \(long.path) | \(spiral) run --show - | tail -1") == "verdict: the end was read\nstatus 0\n"
        )
        let said = try check("\(spiral) run --check /dev/zero")
        #expect(said.contains("cannot read /dev/zero: it has more than 16MiB\nstatus 2"), "\(said)")
    }

    @Test("a scenario played twice gives the same verdicts, failed ones too, and says what was changed when", .slow)
    func twice() throws {
        let file = try file()
        let results = try (0..<2).map { _ in
            let json = try TemporaryFile()
            let program = try Program("spiral", ["run", file.path, "--quiet", "--json", json.path])
            #expect(program.wait() == .status(1))
            return try RunResult(json: Array(try json.contents.utf8))
        }
        for result in results {
            #expect(result.phases.map { $0.expectations.map(\.pass) } == [[true, true], [true, false]])
            #expect(result.events.contains { $0.kind == .fault && $0.text == "store-latency = 7ms" })
            #expect(result.phases[1].settings["store-latency"] == "7ms")
        }
        #expect(results[0].verdict.text == results[1].verdict.text)
    }

    private func child(named name: String, of program: Program) throws -> Int32 {
        let children = try ChildProcess.output(
            of: "/bin/sh",
            ["-c", "ps -o pid=,comm= --ppid \(program.identifier) | grep \(name.prefix(15))"]
        )
        return try #require(children.split(separator: " ").first.flatMap { Int32($0) })
    }

    @Test(
        "a process that somebody stops is named, and the run goes on with it",
        .slow,
        arguments: ["memcached", "spiral-server"]
    )
    func stoppedChild(name: String) throws {
        let (file, json) = (try file(), try TemporaryFile())
        let program = try Program("spiral", ["run", file.path, "--json", json.path])
        let isPlaying = try eventually(within: .seconds(30)) { try program.text.contains("1/2 incident") }
        try #require(isPlaying)
        let child = try child(named: name, of: program)
        kill(child, SIGSTOP)
        let warning = "warning: \(name) was stopped by somebody else (SIGSTOP)"
        let warns = try eventually(within: .seconds(30)) { try program.text.contains(warning) }
        #expect(warns)
        kill(child, SIGCONT)
        let ended = program.wait(within: .seconds(60))
        #expect(ended == .status(1))
        let result = try RunResult(json: Array(try json.contents.utf8))
        #expect(result.phases.count == 2)
        #expect(result.events.count { $0.text.contains("was stopped by somebody else") } == 1)
    }

    @Test(
        "when a process of it dies, the phases that were played are kept, and it says what died",
        .slow,
        arguments: ["memcached", "spiral-server"]
    )
    func diedChild(name: String) throws {
        let (file, json, report) = (try file(), try TemporaryFile(), try TemporaryFile())
        try Descriptor.creating(json.path).writeAll(Array("old".utf8))
        let program = try Program("spiral", ["run", file.path, "--json", json.path, "--report", report.path])
        let isSecond = try eventually(within: .seconds(30)) { try program.text.contains("2/2 cure") }
        try #require(isSecond)
        #expect(try json.contents == "old")
        kill(try child(named: name, of: program), SIGKILL)
        #expect(program.wait() == .status(3))
        let text = try program.text
        #expect(
            text.hasSuffix("\nspiral: \(name) ended (signal 9)\n")
                || text.contains("spiral: spiral-server ended (signal 9): "),
            "\(text)"
        )
        let result = try RunResult(json: Array(try json.contents.utf8))
        #expect(result.phases.map(\.name) == ["incident"])
        #expect(result.interrupted)
        #expect(result.interruptedBecause?.hasPrefix("\(name) ended (signal 9)") == true)
        #expect(result.events.contains { $0.text.contains("ended: signal 9") })
        #expect(!result.verdict.pass && result.verdict.text.contains("ended early after 1 of 2 phases"))
        #expect(try report.contents.hasSuffix("</html>\n"))
    }

    @Test(
        "a result that could not be kept is refused before anything is played",
        arguments: ["--json", "--report"]
    )
    func unwritable(option: String) throws {
        let file = try file()
        let program = try Program("spiral", ["run", file.path, option, "/proc/result"])
        #expect(program.wait() == .status(2))
        #expect(try program.text.contains("\(option): cannot open /proc/result"))
        withExtendedLifetime(file) {}
    }

    @Test("a result that does not fit takes nothing of the report with it, and ends with 3", .slow)
    func oneOutputFails() throws {
        let (file, report) = (try file(), try TemporaryFile())
        let program = try Program("spiral", ["run", file.path, "--json", "/dev/full", "--report", report.path])
        #expect(program.wait() == .status(3))
        let text = try program.text
        #expect(text.contains("--json: cannot write /dev/full: no space left on device"), "\(text)")
        #expect(try report.contents.hasSuffix("</html>\n"))
    }

    @Test("on a network that is there already, dials are predicted where nobody held the dialer's ports before")
    func hostNetwork() throws {
        let file = try TemporaryFile()
        let scenario = """
            scenario: borrowed
            environment: {posts: 700}
            settings: {log-mode: "off"}
            clients: {small: "uris=5,rate=10/s", large: "uris=600,rate=1/s"}
            phases:
              - {name: healthy, duration: 500ms, clients: [small]}
              - {name: incident, duration: 1s, clients: [large], expect: [dials.ok == dials.expected]}
            """
        _ = try Descriptor.creating(file.path).writeAll(Array(scenario.utf8))
        let json = try TemporaryFile()
        try inNetworkNamespace(ports: 256) {
            let program = try Program("spiral", ["run", file.path, "--host-network", "--quiet", "--json", json.path])
            #expect(program.wait() == .status(0), "\(try? program.text)")
        }
        let phases = try RunResult(json: Array(try json.contents.utf8)).phases
        #expect(phases[0].dials.ok > 0)
        #expect(phases[1].dials.expected == 256 - phases[0].dials.ok)
    }

    @Test("without the right to make a namespace it ends with 3, and says who has it")
    func noNamespaces() throws {
        let file = try file()
        let spiral = try Executables.sibling("spiral")
        let said = try ChildProcess.output(
            of: "/usr/bin/unshare",
            [
                "-U", "-r", "/bin/sh", "-c",
                "echo 0 > /proc/sys/user/max_net_namespaces; \(spiral) run \(file.path) 2>&1; echo status $?",
            ]
        )
        #expect(said.contains("status 3"), "\(said)")
        #expect(said.contains("--host-network"), "\(said)")
        withExtendedLifetime(file) {}
    }
}
