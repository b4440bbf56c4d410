import Dispatch
import Glibc
import KernelProbe
import POSIX
import TestSupport
import Testing
import Units

@testable import Telemetry

/// Each log mode on real files and pipes.
@Suite("Error log", .timeLimit(.minutes(1)))
struct ErrorLogTests {
    private func line(_ number: Int = 0) -> ErrorLine {
        ErrorLine(message: "failed", uri: "at://\(number)", error: "bind: address already in use", client: "heavy")
    }

    /// Logs `count` errors as lookups do, and returns how many of them would have to wait.
    private func log(_ count: Int, to log: ErrorLog, kind: String = "bind EADDRINUSE") -> Int {
        (0..<count).count { number in
            log.record(kind, line: { _ in line(number) }, whenWritten: {})
        }
    }

    private var threads: Int {
        get throws { try ProcessStatus.read().threads }
    }

    @Test("no errors are nothing to log, in any mode", arguments: LogMode.allCases)
    func none(mode: LogMode) throws {
        let file = try TemporaryFile()
        let log = try ErrorLog(mode: mode, sink: .file(path: file.path))
        let waits = log.record("none", count: 0, line: { _ in fatalError("there is no line") }, whenWritten: {})
        #expect(!waits)
        #expect(log.tally.isEmpty)
        #expect(log.counts.suppressed.value == 0)
    }

    @Test("blocking writes each line before its lookup goes on")
    func blocking() throws {
        let file = try TemporaryFile()
        let log = try ErrorLog(mode: .blocking, sink: .file(path: file.path))
        let written = DispatchSemaphore(value: 0)
        for number in 0..<100 {
            let waits = log.record("bind EADDRINUSE", line: { _ in line(number) }, whenWritten: { written.signal() })
            #expect(waits)
        }
        for _ in 0..<100 { #expect(written.wait(timeout: .now() + 10) == .success) }
        let lines = try file.contents.split(separator: "\n")
        #expect(lines.count == 100)
        #expect(log.counts.written.value == 100)
        #expect(lines.allSatisfy { $0.hasPrefix("{\"time\":") && $0.contains("\"msg\":\"failed\"") })
        #expect(Set(lines.compactMap { $0.split(separator: "at://").last?.prefix { $0.isNumber } }).count == 100)
    }

    @Test("with a slow pipe, blocking grows threads by the hundred, and async does not, for the same errors")
    func threadsGrow() throws {
        Signals.ignoreBrokenPipes()
        // One line takes 20 ms to drain; what the pipe itself holds passes at once.
        let log = try ErrorLog(mode: .async, sink: .pipe(bytesPerSecond: 8 << 10))
        let before = try threads
        #expect(self.log(12_000, to: log) == 0)
        sleepThread(for: .milliseconds(300))
        let async = try threads
        #expect(async <= before + 2)
        #expect(log.counts.dropped.value > 0)

        try log.set(mode: .blocking, sink: .pipe(bytesPerSecond: 8 << 10))
        #expect(self.log(12_000, to: log) == 12_000)
        let grew = try eventually { try threads > before + 300 }
        #expect(grew)

        // Without the pipe nobody is blocked any longer.
        try log.set(mode: .off, sink: .standardError)
        let ended = try eventually { try threads <= before + 4 }
        let left = try threads
        #expect(ended, "\(left) threads are left of \(before)")
        // Every error of both modes was either written or dropped.
        let accounted = eventually { log.counts.written.value + log.counts.dropped.value == 24_000 }
        #expect(accounted, "written \(log.counts.written.value), dropped \(log.counts.dropped.value)")
    }

    @Test("sampled writes the first ten of each kind in a second, and then how many it left out")
    func sampled() throws {
        let file = try TemporaryFile()
        let log = try ErrorLog(mode: .sampled, sink: .file(path: file.path))
        _ = self.log(500, to: log)
        _ = self.log(3, to: log, kind: "timeout")
        let summedUp = try eventually { try file.contents.contains("\"suppressed\":490") }
        #expect(summedUp)
        let lines = try file.contents.split(separator: "\n")
        #expect(lines.count { $0.contains("\"level\":\"ERROR\"") } == 13)
        #expect(lines.count { $0.contains("\"level\":\"WARN\"") } == 1)
        // The summary is no error's line.
        #expect(log.counts.suppressed.value == 490)
        #expect(log.counts.written.value == 13)
        #expect(log.counts.notices.value == 1)
    }

    @Test("at the end what is buffered is written, and what the sink does not take in time is counted")
    func closing() throws {
        for mode in [LogMode.async, .sampled, .blocking] {
            let file = try TemporaryFile()
            let log = try ErrorLog(mode: mode, sink: .file(path: file.path))
            for number in 0..<1000 { _ = self.log(1, to: log, kind: mode == .sampled ? "kind \(number / 20)" : "one") }
            #expect(log.close(within: .seconds(30)) == 0)
            #expect(log.counts.written.value == (mode == .sampled ? 500 : 1000))
            #expect(try file.contents.split(separator: "\n").count == (mode == .sampled ? 550 : 1000))
        }
        Signals.ignoreBrokenPipes()
        for mode in [LogMode.async, .blocking] {
            // What the pipe itself holds passes at once, and then nothing for a long while.
            let log = try ErrorLog(mode: mode, sink: .pipe(bytesPerSecond: 1))
            _ = self.log(2000, to: log)
            let lost = log.close(within: .milliseconds(100))
            #expect(lost > 0)
            #expect(log.counts.dropped.value == lost)
            #expect(log.counts.written.value + lost == 2000)
        }
    }

    @Test("metrics writes nothing, and keeps a count and an exemplar of each kind")
    func metrics() throws {
        let file = try TemporaryFile()
        let log = try ErrorLog(mode: .metrics, sink: .file(path: file.path))
        _ = self.log(2500, to: log)
        _ = self.log(1, to: log, kind: "timeout")
        #expect(log.tally["bind EADDRINUSE"]?.count == 2500)
        #expect(log.tally["timeout"] == ErrorTally(count: 1, exemplar: line(0)))
        #expect(try file.contents.isEmpty)
    }

    @Test("an error that concerns no lookup is logged in no mode, and nobody waits for it", arguments: LogMode.allCases)
    func nothingConcerned(mode: LogMode) throws {
        let file = try TemporaryFile()
        let log = try ErrorLog(mode: mode, sink: .file(path: file.path))
        let noKeys: [ErrorLine] = []
        let waits = log.record("receive EOF", count: 0, line: { noKeys[$0] }, whenWritten: { Issue.record("written") })
        #expect(!waits)
        #expect(log.tally.isEmpty)
        #expect(log.counts.written.value + log.counts.dropped.value + log.counts.suppressed.value == 0)
        #expect(log.counts.waiting.value == 0)
    }

    @Test("off makes no line and counts none")
    func off() throws {
        let log = try ErrorLog(mode: .off, sink: .standardError)
        log.record(
            {
                Issue.record("made"); return ""
            }(),
            line: {
                Issue.record("made"); return line()
            }
        )
        #expect(log.counts.written.value + log.counts.dropped.value + log.counts.suppressed.value == 0)
    }

    @Test("a full disk drops lines, counts them, and holds nobody up", arguments: [LogMode.blocking, .async])
    func fullDisk(mode: LogMode) throws {
        // Each write to it fails with ENOSPC. full(4)
        let log = try ErrorLog(mode: mode, sink: .file(path: "/dev/full"))
        _ = self.log(50, to: log)
        let dropped = eventually { log.counts.dropped.value == 50 }
        #expect(dropped)
        #expect(log.counts.written.value == 0)
    }

    @Test("a sink that cannot be opened changes nothing")
    func badSink() throws {
        let file = try TemporaryFile()
        let log = try ErrorLog(mode: .blocking, sink: .file(path: file.path))
        let (link, pipe) = (try TemporaryFile(), try TemporaryFile())
        try #require(symlink(file.path, link.path) == 0 && mkfifo(pipe.path, 0o600) == 0)
        // One that is read would take lines as long as its reader likes.
        let readPipe = try TemporaryFile()
        try #require(mkfifo(readPipe.path, 0o600) == 0)
        let reader = open(readPipe.path, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let cases = [
            ("/no/such/folder/log", "no such file or directory"), ("/tmp", "is a directory"),
            (link.path, "it is a link"), (pipe.path, "it is a pipe that nobody reads"),
            (readPipe.path, "it is no regular file"),
        ]
        for (path, reason) in cases {
            let error = #expect(throws: LogSinkError.self) { try log.set(mode: .async, sink: .file(path: path)) }
            #expect(error?.description.hasPrefix("open \(path): \(reason)") == true, "\(error as Any)")
        }
        #expect(log.mode == .blocking)
        _ = self.log(1, to: log)
        let written = eventually { log.counts.written.value == 1 }
        #expect(written)
    }

    @Test(
        "of devices, lines go to those that take them at once, and no file is made in the place of one",
        arguments: [
            "/dev/kmsg", "/dev/mem", "/dev/tty", "/dev/no-such-device", "/dev/../dev/no-such", "//dev/./no",
            "/dev/random",
            "/dev/pts/../no-such", "/dev/sda",
        ]
    )
    func devices(path: String) throws {
        let existed = access(path, F_OK) == 0
        let error = #expect(throws: LogSinkError.self) { _ = try ErrorLog(mode: .async, sink: .file(path: path)) }
        let reason = "of devices, lines go to /dev/null, /dev/stdout and /dev/stderr only"
        #expect(error?.description == "open \(path): \(reason)")
        #expect((access(path, F_OK) == 0) == existed)
        // A folder that leads there.
        let link = try TemporaryFile()
        try #require(symlink("/dev", link.path) == 0)
        let behind = link.path + "/no-such-device"
        #expect(throws: LogSinkError.self) { _ = try ErrorLog(mode: .async, sink: .file(path: behind)) }
        #expect(access(behind, F_OK) != 0)
    }

    @Test("the standard streams can be named as files, and shared memory is a folder like any other")
    func streams() throws {
        let shared = "/dev/shm/spiral-log-\(getpid())"
        defer { unlink(shared) }
        for path in ["/dev/null", "/dev/stdout", "/dev/stderr", shared] {
            _ = try ErrorLog(mode: .async, sink: .file(path: path))
        }
    }

    @Test(
        "sinks and modes read back as they are written",
        arguments: ["stderr", "file:/tmp/x", "pipe:64KiB/s", "pipe:1B/s"]
    )
    func sinkText(text: String) throws {
        #expect(try LogSink(text: text).description == text)
    }

    @Test(
        "a sink or mode that is none says what there is",
        arguments: ["pipe:", "pipe:0B/s", "pipe:5", "file:", "syslog"]
    )
    func badText(text: String) {
        let sink = #expect(throws: UnitTextError.self) { try LogSink(text: text) }
        #expect(sink?.description.contains("stderr, file:PATH or pipe:BYTES/s") == true)
        let mode = #expect(throws: UnitTextError.self) { try LogMode(text: text) }
        #expect(mode?.description.contains("off, blocking, async, sampled or metrics") == true)
    }
}
