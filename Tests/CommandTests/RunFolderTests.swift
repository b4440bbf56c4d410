import Glibc
import POSIX
import TestSupport
import Testbed
import Testing
import Units

/// What a run keeps on disk while it is played.
@Suite("Run folders", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct RunFolderTests {
    private static let scenario = """
        scenario: long
        environment: {ports: 256, posts: 100, memory-limit: 1GiB}
        clients:
          one: uris=1,rate=20/s
        phases:
          - {name: only, duration: 60s, clients: [one]}
        """

    private let file: TemporaryFile
    private var folder: String { file.folderPath }

    init() throws {
        file = try TemporaryFile()
        try Descriptor.creating(file.path).writeAll(Array(Self.scenario.utf8))
    }

    private func entries(_ path: String) throws -> [Substring] {
        try ChildProcess.output(of: "/bin/ls", ["-A", path]).split(separator: "\n")
    }

    /// Starts a run with its temporary files in `folder`, from a shell that `before` is told to first.
    private func start(_ before: String = "true") throws -> ChildProcess {
        let output = try Descriptor.creating(folder + "/output")
        let spiral = try Executables.sibling("spiral")
        let command = "export TMPDIR=\(folder); \(before); exec \(spiral) run \(file.path)"
        return try ChildProcess("/bin/sh", ["-c", command], output: output.rawValue)
    }

    private func isPlaying() throws -> Bool {
        try eventually(within: .seconds(30)) { try Program.contents(of: folder + "/output").contains("1/1 only") }
    }

    @Test("nothing is written through links that somebody put where a run's files were to be expected")
    func plantedLinks() throws {
        let victim = folder + "/victim"
        try Descriptor.creating(victim).writeAll(Array("kept".utf8))
        // What runs were once named by: the process, known beforehand, and a number.
        let plant =
            "for n in 1 2 3; do mkdir $TMPDIR/spiral-$$-$n; for f in memcached.log server.log errors.log; "
            + "do ln -s \(victim) $TMPDIR/spiral-$$-$n/$f; done; done"
        var run = try start(plant)
        #expect(try isPlaying())
        var status = stat()
        let own = try entries(folder).filter { $0.hasPrefix("spiral-run-") }
        #expect(own.count == 1)
        #expect(stat("\(folder)/\(own.first ?? "")", &status) == 0 && status.st_mode & 0o7777 == 0o700)
        run.send(SIGINT)
        while run.poll() == nil { sleepThread(for: .milliseconds(10)) }
        #expect(try Program.contents(of: victim) == "kept")
    }

    @Test("a process that is under a memory limit is so from its first instruction on")
    func cgroup() throws {
        let limit = MemoryLimit(ByteCount(bytes: 64 << 20))
        guard let cgroup = limit.folder else { return }
        let output = try Descriptor.creating(folder + "/output")
        var program = try ChildProcess("/bin/cat", ["/proc/self/cgroup"], output: output.rawValue, cgroup: cgroup)
        while program.poll() == nil { sleepThread(for: .milliseconds(1)) }
        let name = try #require(cgroup.split(separator: "/").last)
        #expect(try Program.contents(of: folder + "/output").contains("/\(name)\n"))
        #expect(throws: SystemCallError.self) {
            _ = try ChildProcess("/bin/cat", [], output: output.rawValue, cgroup: folder)
        }
    }

    @Test("what a killed run left is removed by the next, and what a run in progress or somebody else has is not")
    func leftovers() throws {
        func cgroups() throws -> Set<String> {
            var found: Set<String> = []
            for root in ["/sys/fs/cgroup", "/sys/fs/cgroup/memory"] {
                let text = try ChildProcess.output(of: "/usr/bin/find", [root, "-type", "d", "-name", "spiral-run-*"])
                found.formUnion(text.split(separator: "\n").map(String.init).filter { $0.hasPrefix("/sys") })
            }
            return found
        }
        let before = try cgroups()
        var killed = try start()
        #expect(try isPlaying())
        killed.terminate(timeout: .zero)
        let left = try cgroups().subtracting(before)
        // Its server dies with it, but not in the same moment.
        let isEmpty = try eventually {
            try left.allSatisfy { try Program.contents(of: $0 + "/cgroup.procs").isEmpty }
        }
        #expect(isEmpty)
        #expect(try entries(folder).count { $0.hasPrefix("spiral-run-") } == 1)

        try #require(mkdir(folder + "/spiral-run-theirs", 0o700) == 0)
        try Descriptor.creating(folder + "/spiral-run-theirs/thesis").close()
        var first = try start()
        #expect(try isPlaying())
        let held = try entries(folder).filter { $0.hasPrefix("spiral-run-") }
        #expect(held.count == 2 && held.contains("spiral-run-theirs"))
        #expect(try cgroups().isDisjoint(with: left))
        var second = try start()
        #expect(try isPlaying())
        #expect(Set(try entries(folder)).isSuperset(of: held))
        for run in 0...1 {
            run == 0 ? first.send(SIGINT) : second.send(SIGINT)
            while (run == 0 ? first.poll() : second.poll()) == nil { sleepThread(for: .milliseconds(10)) }
        }
        #expect(try entries(folder).filter { $0.hasPrefix("spiral-run-") } == ["spiral-run-theirs"])
        #expect(try cgroups().isDisjoint(with: left))
    }
}
