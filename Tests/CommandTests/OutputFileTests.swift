import Glibc
import POSIX
import TestSupport
import Testbed
import Testing

/// What `--json`, `--report`, `--csv` and `-o` do to what is there.
@Suite("Output files", .timeLimit(.minutes(2)))
struct OutputFileTests {
    private let file: TemporaryFile

    init() throws {
        file = try TemporaryFile()
        try Descriptor.creating(file.path).writeAll(Array("old\n".utf8))
    }

    /// Runs a shell with mounts of its own in a folder of its own; `$spiral` is the program.
    private func shell(_ command: String) throws -> String {
        let spiral = try Executables.sibling("spiral")
        let folder = file.folderPath
        return try ChildProcess.output(
            of: "/usr/bin/unshare",
            ["-m", "/bin/sh", "-c", "cd \(folder) && spiral=\(spiral) && { \(command); } 2>&1"]
        )
    }

    @Test("a run that does not begin leaves what was there", arguments: ["run", "sweep", "doctor"])
    func notBegun(command: String) throws {
        // Nothing is on this PATH: no memcached.
        let arguments = ["run": "run demo", "sweep": "sweep --vary limit=request:4", "doctor": "doctor"][command]!
        let said = try shell("PATH=/nothing $spiral \(arguments) --json file; echo status $?")
        #expect(said.contains("status 3"), "\(said)")
        if command == "doctor" {
            #expect(try file.contents.contains("not installed"))
        } else {
            #expect(try file.contents == "old\n")
        }
    }

    @Test("a full disk leaves what was there and no part of the new, and says so with 3", .requiresMounts)
    func fullDisk() throws {
        let said = try shell(
            """
            mkdir small && mount -t tmpfs -o size=16k spiral small && cd small || exit 99
            echo old > result; head -c 8000 /dev/zero > fill
            $spiral predict --client a:uris=1,rate=1/s --json other > /dev/null; echo status $?
            head -c 4000 /dev/zero >> fill
            $spiral predict --client a:uris=1,rate=1/s --json result > /dev/null; echo status $?; ls; cat result
            """
        )
        #expect(said.contains("status 0"), "\(said)")
        #expect(said.contains("--json: cannot write result: no space left on device"), "\(said)")
        #expect(said.hasSuffix("status 3\nfill\nother\nresult\nold\n"), "\(said)")
    }

    @Test("a file that is mounted, and cannot be replaced, is written to", .requiresMounts)
    func mounted() throws {
        let said = try shell(
            """
            touch mounted && mount --bind file mounted || exit 99
            $spiral predict --client a:uris=1,rate=1/s --json mounted > /dev/null; echo status $?
            """
        )
        #expect(said == "status 0\n")
        #expect(try file.contents.hasPrefix("{"))
    }

    @Test("what cannot be written is refused with 2 before anything is played")
    func refused() throws {
        let said = try shell(
            """
            mkfifo pipe
            for path in pipe . no/file; do timeout 20 $spiral run demo --report $path; echo status $?; done
            """
        )
        #expect(said.contains("--report: cannot open pipe: nobody reads it\nstatus 2\n"), "\(said)")
        #expect(said.contains("--report: cannot open .: is a directory\nstatus 2\n"), "\(said)")
        #expect(said.contains("--report: cannot open no/file: no such file or directory\nstatus 2\n"), "\(said)")
    }

    @Test(
        "what cannot be printed is no success, and a reader that has seen enough is none either",
        arguments: ["predict", "predict --json -", "--help", "run --schema", "run --check short", "doctor"]
    )
    func unprinted(command: String) throws {
        let short = "printf 'scenario: x\\nphases: [{name: a, duration: 100ms}]\\n' > short"
        let said = try shell("\(short); $spiral \(command) > /dev/full; echo status $?")
        #expect(said.contains("standard output: no space left on device"), "\(said)")
        #expect(said.hasSuffix("status 3\n"), "\(said)")
        // Closed by whoever started it: nothing is written to what has its number.
        #expect(try shell("\(short); $spiral \(command) >&-; echo status $?").hasSuffix("status 3\n"))
    }

    @Test(
        "a run whose text cannot be printed keeps its result, and ends with 3",
        .requiresNamespaces,
        .requiresMemcached
    )
    func unprintedRun() throws {
        let yaml = "printf 'scenario: x\\nphases: [{name: a, duration: 100ms}]\\n' > short"
        let said = try shell("\(yaml); $spiral run short --json file > /dev/full; echo status $?")
        #expect(said.hasSuffix("cannot write to standard output: no space left on device\nstatus 3\n"), "\(said)")
        #expect(try file.contents.contains("\"schema\" : \"spiral-run/"))
    }

    @Test("two results cannot go to one file")
    func oneFile() throws {
        for command in ["run demo --json x --report x", "sweep --vary limit=none --csv x --report x"] {
            #expect(try shell("$spiral \(command); echo status $?").contains("go to x"))
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// The test mounts file systems where nobody else sees them.
    fileprivate static var requiresMounts: Self {
        .enabled(if: geteuid() == 0, "needs to mount file systems: run it as root")
    }
}
