import Dispatch
import Glibc
import POSIX
import Synchronization
import TestSupport
import Testing

@Suite("Child processes", .timeLimit(.minutes(1)))
struct ChildProcessTests {
    @Test("a child gets its own output where this process has no standard descriptors")
    func closedStandardDescriptors() async throws {
        let file = try TemporaryFile()
        try #require(setenv("SPIRAL_TEST_OUTPUT", file.path, 1) == 0)
        defer { unsetenv("SPIRAL_TEST_OUTPUT") }
        await #expect(processExitsWith: .success) {
            // From here on what is opened gets these numbers.
            for number in 0...2 as ClosedRange<CInt> { close(number) }
            let path = String(cString: getenv("SPIRAL_TEST_OUTPUT"))
            let output = try Descriptor.creating(path)
            var child = try ChildProcess("/bin/sh", ["-c", "cat; echo out; echo err >&2"], output: output.rawValue)
            while child.poll() == nil { sleepThread(for: .milliseconds(1)) }
            exit(child.poll() == .status(0) ? 0 : 1)
        }
        #expect(try file.contents == "out\nerr\n")
    }

    @Test("a child that is started while another thread makes pipes holds none of them", .slow)
    func pipesStayOurs() throws {
        func pipes() throws -> Set<Substring> {
            let list = try ChildProcess.output(of: "/bin/ls", ["-l", "/proc/self/fd"])
            return Set(
                list.split(separator: "\n").filter { $0.contains("pipe:[") }.compactMap {
                    $0.split(separator: " ").last
                }
            )
        }
        // Those this process was itself started with.
        let inherited = try pipes()
        let maker = PipeMaker()
        try Thread(name: "pipe-maker") { maker.run() }.detach()
        defer { maker.stop() }
        for _ in 0..<100 {
            // The one for standard output and error.
            #expect(try pipes().subtracting(inherited).count == 1)
        }
    }

    /// Makes pipes and closes them, as fast as it can.
    private final class PipeMaker: Sendable {
        private let stopping = Atomic<Bool>(false)
        private let ended = DispatchSemaphore(value: 0)

        func run() {
            while !stopping.load(ordering: .relaxed) { _ = try? Pipe() }
            ended.signal()
        }

        func stop() {
            stopping.store(true, ordering: .relaxed)
            ended.wait()
        }
    }
}
