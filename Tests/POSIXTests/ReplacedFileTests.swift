import Glibc
import POSIX
import TestSupport
import Testing

/// Files of results, on a real file system.
@Suite("Replaced files", .timeLimit(.minutes(1)))
struct ReplacedFileTests {
    private let file: TemporaryFile

    init() throws {
        file = try TemporaryFile()
        try Descriptor.creating(file.path).writeAll(Array("old".utf8))
    }

    private var folder: String { file.folderPath }

    private func entries() throws -> Set<Substring> {
        Set(try ChildProcess.output(of: "/bin/ls", [folder]).split(separator: "\n"))
    }

    @Test("whether a file can be written is found out without a trace")
    func check() throws {
        let replaced = try ReplacedFile(file.path)
        let made = try ReplacedFile(folder + "/new")
        #expect(try entries() == ["file"])
        #expect(try file.contents == "old")
        try replaced.write(Array("new".utf8))
        try made.write(Array("new".utf8))
        #expect(try entries() == ["file", "new"])
        #expect(try file.contents == "new")
    }

    @Test("mode and links of what is replaced stay, of links that lead nowhere too")
    func identity() throws {
        try #require(chmod(file.path, 0o640) == 0)
        for (link, target) in [("one", "two"), ("two", file.path), ("three", "nothing")] {
            try #require(symlink(target, folder + "/" + link) == 0)
        }
        for link in ["one", "three"] { try ReplacedFile(folder + "/" + link).write(Array("new".utf8)) }
        #expect(try file.contents == "new")
        #expect(try Program.contents(of: folder + "/nothing") == "new")
        var status = stat()
        #expect(stat(file.path, &status) == 0 && status.st_mode & 0o7777 == 0o640)
        #expect(lstat(folder + "/one", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK)
    }

    @Test("nothing is written through a link that somebody put where the draft goes, and a draft that was left goes")
    func plantedDraft() throws {
        let other = try TemporaryFile()
        try Descriptor.creating(other.path).writeAll(Array("other's".utf8))
        let draft = file.path + ".part"
        try #require(symlink(other.path, draft) == 0)
        try ReplacedFile(file.path).write(Array("new".utf8))
        #expect(try other.contents == "other's")
        #expect(try file.contents == "new")

        unlink(draft)
        try Descriptor.creating(draft).writeAll(Array("a longer one, cut off by a kill".utf8))
        try ReplacedFile(file.path).write(Array("newer".utf8))
        #expect(try file.contents == "newer")
        #expect(try entries() == ["file"])
    }

    @Test("two that write one file at once leave the whole of one")
    func twoAtOnce() throws {
        let draft = file.path + ".part"
        let held = try Descriptor.creating(draft)
        try #require(flock(held.rawValue, LOCK_EX) == 0)
        try ReplacedFile(file.path).write(Array("second".utf8))
        #expect(try file.contents == "second")
        #expect(try entries() == ["file", "file.part"])
    }

    @Test("what is no regular file stays what it is", arguments: ["/dev/null", "/dev/stdout", "pipe"])
    func devices(name: String) throws {
        let path = name == "pipe" ? folder + "/pipe" : name
        if name == "pipe" { try #require(mkfifo(path, 0o600) == 0) }
        // Its reader is there first; both ends open at once only so.
        let reader = open(path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        var (before, after) = (stat(), stat())
        try #require(lstat(path, &before) == 0)
        try ReplacedFile(path).write(name == "/dev/stdout" ? [] : Array("new".utf8))
        #expect(lstat(path, &after) == 0 && before.st_ino == after.st_ino)
        #expect(try entries() == (name == "pipe" ? ["file", "pipe"] : ["file"]))
    }

    @Test("a file in memory is replaced like any other")
    func sharedMemory() throws {
        let path = "/dev/shm/spiral-test-\(getpid())"
        defer { unlink(path) }
        for text in ["a longer text", "short"] {
            try ReplacedFile(path).write(Array(text.utf8))
            #expect(try Program.contents(of: path) == text)
        }
    }

    @Test("what cannot be written is refused at once, a pipe that nobody reads too, and nothing waits")
    func refused() throws {
        let pipe = folder + "/pipe"
        try #require(mkfifo(pipe, 0o600) == 0)
        let cases = [
            (pipe, "ENXIO"), (folder, "EISDIR"), (folder + "/no/file", "ENOENT"), (file.path + "/x", "ENOTDIR"),
            ("/proc/result", "ENOENT"), ("", "ENOENT"),
        ]
        for (path, name) in cases {
            let error = #expect(throws: SystemCallError.self) { _ = try ReplacedFile(path) }
            #expect(error?.name == name, "\(path)")
        }
    }
}
