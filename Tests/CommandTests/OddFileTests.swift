import Glibc
import POSIX
import TestSupport
import Testbed
import Testing

/// What the programs say to paths that lead to no file: each in one line, at once, and with the right status.
@Suite("Odd files", .timeLimit(.minutes(2)))
struct OddFileTests {
    private let file: TemporaryFile
    private var folder: String { file.folderPath }

    init() throws {
        file = try TemporaryFile()
        try #require(mkfifo(folder + "/pipe", 0o600) == 0 && symlink("nothing", folder + "/link") == 0)
    }

    private static let load = "spiral-load --client a:uris=1,rate=1/s --duration 1s"

    /// Options that read a file, and what stands before the reason.
    static let readers = [
        ("spiral run @", "spiral: "), ("spiral run --check @", "spiral: "), ("spiral run --show @", "spiral: "),
        ("spiral report @", "spiral: "), ("spiral compare @ @", "spiral: "),
        ("spiral sweep --vary limit=none --resume --json @", "spiral: --resume: "),
        ("spiral-load merge @", "spiral-load: "), ("spiral-load --replay @", "--replay: "),
        ("spiral-load --client a:rate=1/s --target http://127.0.0.1:1/ --body-file @", "--body-file: "),
        ("spiral-server --admin-token-file @", "--admin-token-file: "),
        ("spiral top --admin-token-file @", "--admin-token-file: "),
        ("spiral demo --live 127.0.0.1:0 --live-token-file @", "--live-token-file: "),
    ]

    /// Options that write one.
    static let writers = [
        ("spiral predict --client a:uris=1,rate=1/s --json @", "--json: "),
        ("spiral run demo --report @", "--report: "),
        ("spiral sweep --vary limit=none --csv @", "--csv: "), ("spiral cures --markdown @", "--markdown: "),
        ("spiral ports --once --json @", "--json: "), ("spiral exec --json @ -- true", "--json: "),
        ("spiral top --json @", "--json: "), ("spiral doctor --json @", "--json: "),
        ("\(load) --json @", "--json: "), ("\(load) --hdr @", "--hdr: "), ("\(load) --csv @", "--csv: "),
        ("\(load) --record @", "--record: "),
    ]

    private func run(_ command: String, _ path: String) throws -> (status: ProcessExit?, lines: [Substring]) {
        let words = command.split(separator: " ").map { $0 == "@" ? path : String($0) }
        let program = try Program(words[0], Array(words.dropFirst()))
        let status = program.wait(within: .seconds(20))
        if status == nil { program.send(SIGKILL) }
        return (status, try program.text.split(separator: "\n"))
    }

    @Test("what is read", arguments: readers)
    func read(command: String, option: String) throws {
        for (name, reason) in [
            (folder + "/pipe", "it is a pipe that nobody writes to"),
            (folder + "/link", "it is a link that leads nowhere"),
        ] {
            let (status, lines) = try run(command, name)
            #expect(status == .status(2), "\(command) \(name)")
            #expect(lines.contains { $0.contains(option) && $0.contains("\(name): \(reason)") }, "\(lines)")
        }
    }

    @Test("what is written to", arguments: writers)
    func written(command: String, option: String) throws {
        for (name, reason) in [
            (folder + "/pipe", "nobody reads it"), ("/dev/no-such-device", "there is no such device; name a file"),
        ] {
            let (status, lines) = try run(command, name)
            #expect(status == .status(2), "\(command) \(name)")
            #expect(lines.contains { $0.contains(option) && $0.contains("\(name): \(reason)") }, "\(lines)")
        }
        #expect(access("/dev/no-such-device", F_OK) != 0)
    }

    @Test("a network namespace that is a pipe is none")
    func namespace() throws {
        let pipe = folder + "/pipe"
        let (status, lines) = try run("spiral ports --once --netns @", pipe)
        #expect(status == .status(3))
        #expect(lines == ["spiral: --netns: \(pipe) is no network namespace"])
    }

    @Test("what a shell hands over as a pipe is read like a file")
    func substituted() throws {
        let server = try Executables.sibling("spiral-server")
        let load = try Executables.sibling("spiral-load")
        let text = try ChildProcess.output(
            of: "/bin/bash",
            [
                "-c",
                """
                \(load) --replay <(sleep 0.2; echo '{"offset": 0, "caller": "c", "uris": "x"}') 2>&1
                \(server) --admin-token-file <(echo short) 2>&1
                """,
            ]
        )
        #expect(text.contains("--replay: /dev/fd/"), "\(text)")
        #expect(text.contains("--admin-token-file: a token has 8 or more letters"), "\(text)")
    }
}
