import Glibc
import POSIX
import TestSupport
import Testing
import Units

/// What programs are given to read, whatever it turns out to be.
@Suite("Input files", .timeLimit(.minutes(1)))
struct InputFileTests {
    private let file: TemporaryFile
    private var folder: String { file.folderPath }

    init() throws {
        file = try TemporaryFile()
        try Descriptor.creating(file.path).writeAll(Array("first\nsecond\n".utf8))
    }

    private func read(
        _ path: String,
        upTo limit: Int = 100,
        _ extent: InputFile.Extent = .all
    ) throws -> String {
        let limit = ByteCount(bytes: limit)
        let bytes = try InputFile.contents(of: path, upTo: limit, extent, silence: .milliseconds(20))
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("all of a file is read, through links too, and nothing of /dev/null")
    func contents() throws {
        let link = folder + "/link"
        try #require(symlink("file", link) == 0)
        for path in [file.path, link] { #expect(try read(path, upTo: 13) == "first\nsecond\n") }
        #expect(try read("/dev/null").isEmpty)
        // Its size is not known before it is read.
        #expect(try read("/proc/self/comm").hasSuffix("\n"))
        #expect(try read(file.path, upTo: 5, .firstLine).hasPrefix("first\n"))
    }

    @Test("what cannot be read is refused at once, with its name and what it is")
    func refused() throws {
        let (pipe, link, loop, socket) = (folder + "/pipe", folder + "/link", folder + "/loop", folder + "/socket")
        try #require(mkfifo(pipe, 0o600) == 0 && symlink("nothing", link) == 0 && symlink("loop", loop) == 0)
        // Its name stays after it is closed.
        _ = try Socket.listening(on: .unix(path: socket), backlog: 1)
        let cases = [
            (pipe, "read \(pipe): it is a pipe that nobody writes to"),
            (folder, "read \(folder): is a directory"),
            (link, "open \(link): it is a link that leads nowhere"),
            (loop, "open \(loop): too many levels of symbolic links"),
            (socket, "read \(socket): it is a socket, no file"),
            (folder + "/no", "open \(folder)/no: no such file or directory"),
            (file.path + "/x", "open \(file.path)/x: not a directory"),
            ("/dev/tty", "read /dev/tty: it is a device, no file"),
            ("/dev/urandom", "read /dev/urandom: it is a device, no file"),
            // It has no end.
            ("/dev/zero", "read /dev/zero: it has more than 100B"),
        ]
        for (path, reason) in cases {
            let error = #expect(throws: SystemCallError.self) { _ = try read(path) }
            #expect(error?.description == reason, "\(path)")
        }
    }

    @Test("one byte more than may be read is refused by the file's name, before it is read where its size is known")
    func tooLarge() throws {
        let error = #expect(throws: SystemCallError.self) {
            _ = try read(file.path, upTo: 12)
        }
        #expect(error?.name == "EFBIG")
        #expect(error?.description == "read \(file.path): it has more than 12B")
        // A file of holes.
        try #require(truncate(file.path, 1 << 40) == 0)
        let hole = #expect(throws: SystemCallError.self) {
            _ = try InputFile.contents(of: file.path, upTo: ByteCount(bytes: 1 << 30))
        }
        #expect(hole?.description == "read \(file.path): it has more than 1GiB")
    }

    @Test("a pipe is read while somebody writes to it, and not waited for when it is silent")
    func pipes() throws {
        let pipe = folder + "/pipe"
        try #require(mkfifo(pipe, 0o600) == 0)
        // Both ends, so that it opens without a reader.
        let writer = Descriptor(owning: open(pipe, O_RDWR | O_CLOEXEC))
        try writer.writeAll(Array("secret\n".utf8))
        #expect(try read(pipe, .firstLine) == "secret\n")
        let error = #expect(throws: SystemCallError.self) { _ = try read(pipe) }
        #expect(error?.description == "read \(pipe): it is a pipe, and nothing was written to it for 20ms")
    }

    @Test("a file that became shorter as it was read is not taken for a short one")
    func shortened() throws {
        // Said to have a page, and has a few bytes. sysfs(5)
        let path = "/sys/devices/system/cpu/online"
        var status = stat()
        guard stat(path, &status) == 0, status.st_size == 4096 else { return }
        let error = #expect(throws: SystemCallError.self) {
            _ = try read(path, upTo: 8192)
        }
        #expect(error?.description == "read \(path): it became shorter as it was read")
    }
}
