import Glibc
import LoadGenerator
import POSIX
import TestSupport
import Testing
import Text

/// What people get wrong on spiral-load's command line and in its files: refused before the run, in one line each.
@Suite("Load input", .timeLimit(.minutes(2)))
struct LoadInputTests {
    private static let client = ["--client", "x:uris=1,rate=1/s"]

    @Test(
        "wrong options are refused in one line, before anything is sent",
        arguments: [
            (
                client + ["--target", "http://::1:8080"],
                "--target: 'http://::1:8080' is not an address: an IPv6 address is"
            ),
            (client + ["--target", "http://[::1"], "--target: "),
            (client + ["--target", "http://[fe80::1%25lo]"], "has a zone"),
            (client + ["--source", "fd00::/63"], "--source: 'fd00::/63' is not a numeric address"),
            (client + ["--source", "::1", "--target", "http://127.0.0.1:1"], "--source: it is of IPv6, and --target"),
            (client + ["--source", "127.0.0.1", "--target", "http://[::1]:1"], "has addresses of IPv6 only"),
            (client + ["--source", "192.0.2.1"], "--source: cannot bind 192.0.2.1:0"),
            // Thresholds.
            (client + ["--fail-if", "x.p99 > 50"], nil), (client + ["--fail-if", "x.failed > 0.01 * x.due"], nil),
            (client + ["--fail-if", "x.p99 > 2 * p50 + 5ms"], nil),
            (client + ["--fail-if", "x.p99 within 1% of p99"], nil),
            (client + ["--fail-if", "x.failed > 50ms"], "--fail-if: '50ms' is not a number"),
            (client + ["--fail-if", "x.p99 > 50KiB"], "--fail-if: '50KiB' is not a time"),
            (client + ["--fail-if", "x.failed > 1%"], "--fail-if: '1%' is not a number: write a share"),
            (client + ["--fail-if", "x.p99 > 50sec"], "--fail-if: '50sec' is not"),
            (client + ["--fail-if", "x.p99 > nan"], "--fail-if: 'nan' is not"),
            (client + ["--fail-if", "x.p99 > inf"], "--fail-if: 'inf' is not"),
            (client + ["--fail-if", "x.p99 > -nan"], "--fail-if: '-nan' is not"),
            (client + ["--fail-if", "x.p99>50ms"], "--fail-if: 'x.p99>50ms' is not a claim"),
            (client + ["--fail-if", ""], "--fail-if: '' is not a claim"),
            (client + ["--fail-if", "1 > 0"], "--fail-if: '1 > 0' is not a claim about the result"),
            (client + ["--fail-if", "y.p99 > 5ms"], "--fail-if: 'y.p99' is not a name"),
            (client + ["--search", "x.answered > 5ms"], "--search: '5ms' is not a number"),
            // Rates, times and counts that nobody means.
            (["--client", "x:uris=1,rate=1e400/s"], "--client: "), (["--client", "x:uris=1,rate=nan/s"], "--client: "),
            (["--client", "x:uris=1,rate=0.0000001/s"], "--client: "),
            (["--client", "x:uris=0,rate=1/s"], "--client: "),
            (["--client", "x:uris=99999999999999999999,rate=1/s"], "--client: "),
            (["--client", "x:uris=1,burst=1000001/1s"], "--client: "),
            (["--client", "x:uris=1,burst=1/0s"], "--client: "),
            (["--client", "x:uris=1,closed=0"], "--client: "), (["--client", "x:uris=1,steps=1/s*0s"], "--client: "),
            (["--client", "x:uris=1,ramp=0/s..0/s"], "--client: "),
            (["--client", "x:uris=1,rate=1/s,until=0s"], "--client: "),
            (["--client", "x:uris=1,rate=1/s,from=9999999h"], "--client: "),
            (["--client", "x:uris=1,closed=1,from=5s", "--duration", "5s"], "x begins after 5s"),
            (["--client", "x:uris=50%:1,49%:2,rate=1/s"], "must make 100%"),
            (client + ["--duration", "999999h"], "--duration: "),
            (client + ["--warm-up", "999999h"], "--warm-up: "), (client + ["--timeout", "1"], "--timeout: "),
            (client + ["--max-in-flight", "0"], "--max-in-flight: "),
            (client + ["--max-batches", "0"], "--max-batches: "),
            (client + ["--posts", "0"], "--posts: "),
            (client + ["--start-at", "2020-01-01T00:00:00Z"], "--start-at: 2020-01-01T00:00:00Z is over"),
            (client + ["--start-at", "noon"], "--start-at: 'noon' is not a time in UTC"),
            (client + ["--search", "x.p99 < 5ms", "--start-at", "2096-01-01T00:00:00Z"], "takes no --replay"),
            (["--client", "x:uris=1,closed=2", "--search", "x.p99 < 5ms"], "--search: it needs callers with rates"),
            // Files.
            (client + ["--csv", "-"], "--csv: it has no '-'; write /dev/stdout"),
            (client + ["--hdr", "-", "--json", "-"], "--hdr: it has no '-'"),
            (["--replay", "/dev/null", "--speed", "0x"], "--speed: '0x' is not a factor"),
            (["--replay", "/dev/null", "--speed", "nanx"], "--speed: 'nanx' is not a factor"),
            (client + ["--record-uris"], "--record-uris: it is for --record"),
            (client + ["--fail-at-once"], "--fail-at-once: it is for --fail-if"),
            (["--replay", "/"], "--replay: cannot read /: is a directory"),
            (["--replay", "/nonexistent"], "no such file"),
            (client + ["--csv", "/"], "--csv: cannot open /: is a directory"),
            (client + ["--hdr", "/"], "--hdr: cannot open /"),
            (client + ["--record", "/"], "--record: cannot open /"),
            (client + ["--json", "/"], "--json: cannot open /"),
            (client + ["--csv", "/tmp/x", "--record", "/tmp/x"], "--csv and --record cannot both be /tmp/x"),
            (client + ["--json", "/tmp/x", "--hdr", "/tmp/x"], "--json and --hdr cannot both be /tmp/x"),
            (["--client", "x:rate=1/s", "--body-file", "/dev/zero"], "more than 64MiB"),
            (["merge", "/"], "cannot read"),
        ] as [([String], String?)]
    )
    func refused(arguments: [String], message: String?) throws {
        // Nobody is asked: what is taken is not sent for long.
        let target =
            arguments.contains("--target") || arguments[0] == "merge" ? [] : ["--target", "http://127.0.0.1:1"]
        let program = try Program("spiral-load", arguments + target + (message == nil ? ["--max-batches", "1"] : []))
        let exit = program.wait(within: .seconds(20))
        let text = try program.text
        guard let message else {
            #expect(exit == .status(1) || exit == .status(3), "\(text)")
            return
        }
        #expect(exit == .status(2), "\(text)")
        #expect(text.contains(message), "\(text)")
        #expect(text.split(separator: "\n").filter { $0.contains(message) }.count == 1)
        #expect(!text.contains("sent ") && !text.contains("Usage:"), "\(text)")
    }

    @Test("a pipe that nobody writes to, or nobody reads, is refused and not waited for")
    func pipes() throws {
        let file = try TemporaryFile()
        let pipe = file.folderPath + "/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        for option in ["--replay", "--record", "--csv", "--hdr"] {
            let others = option == "--replay" ? [] : Self.client
            let program = try Program("spiral-load", others + [option, pipe])
            #expect(program.wait(within: .seconds(10)) == .status(2), "\(option)")
            let said = option == "--replay" ? "that nobody writes to" : "nobody reads it"
            let text = try program.text
            #expect(text.contains(said), "\(option): \(text)")
        }
    }

    @Test("whatever is waited for before the load begins can be given up: memcached that says nothing")
    func givenUp() throws {
        let silent = try ScriptedServer { _ in .hold }
        defer { silent.end() }
        let program = try Program(
            "spiral-load",
            Self.client + ["--preload", "--posts", "10", "--memcached", "\(silent.address)"]
        )
        let waits = eventually { silent.connections == 1 }
        #expect(waits)
        program.send(SIGINT)
        #expect(program.wait(within: .seconds(10)) == .signal(SIGINT))
    }

    @Test("a trace replayed so slowly that nobody sees its end is refused")
    func slowReplay() throws {
        let file = try TemporaryFile()
        try Descriptor.creating(file.path).writeAll(Array(#"{"offset":31000000,"caller":"a","uris":1}"#.utf8))
        let program = try Program("spiral-load", ["--replay", file.path, "--speed", "0.001x"])
        #expect(program.wait() == .status(2))
        #expect(try program.text.contains("--speed: "))
    }
}
