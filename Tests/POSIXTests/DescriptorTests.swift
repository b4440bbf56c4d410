import Dispatch
import Glibc
import POSIX
import TestSupport
import Testing

@Suite("Descriptors", .timeLimit(.minutes(1)))
struct DescriptorTests {
    @Test("all is written to a pipe that does not block, and its writer sleeps while there is no room")
    func writeAllWaits() throws {
        let pipe = try Pipe()
        let end = pipe.writeEnd.rawValue
        #expect(fcntl(end, F_SETFL, O_NONBLOCK) == 0)
        let bytes = [UInt8](repeating: 7, count: 1 << 20)
        let sent = DispatchSemaphore(value: 0)
        try Thread(name: "writer") {
            try? Descriptor.writeAll(bytes, to: end)
            sent.signal()
        }.detach()
        // Written to without end it would never be anything but running. proc_pid_stat(5)
        let sleeps = try eventually { try states(ofThreads: "writer") == ["S"] }
        #expect(sleeps)
        var received = 0
        while received < bytes.count { received += try pipe.readEnd.readSome(upTo: 1 << 16).count }
        #expect(sent.wait(timeout: .now() + 10) == .success)
    }

    private func states(ofThreads name: String) throws -> [Substring] {
        let command = "sed -n 's/^[0-9]* (\(name)) //p' /proc/\(getpid())/task/*/stat"
        return try ChildProcess.output(of: "/bin/sh", ["-c", command]).split(separator: "\n").map { $0.prefix(1) }
    }

    @Test("what is read to its end is all of it, in whatever pieces it comes, and refused beyond a bound")
    func readToEnd() throws {
        let pipe = try Pipe()
        let end = try Descriptor.duplicate(of: pipe.writeEnd.rawValue).release()
        let readEnd = pipe.closingWriteEnd()
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0) }
        try Thread(name: "writer") {
            let end = Descriptor(owning: end)
            for start in stride(from: 0, to: bytes.count, by: 1000) {
                try? end.writeAll(Array(bytes[start..<start + 1000]))
            }
        }.detach()
        #expect(try readEnd.readToEnd() == bytes)

        let file = try TemporaryFile()
        try Descriptor.creating(file.path).writeAll(bytes)
        #expect(try Descriptor.reading(file.path).readToEnd(upTo: bytes.count) == bytes)
        let error = #expect(throws: SystemCallError.self) {
            try Descriptor.reading(file.path).readToEnd(upTo: bytes.count - 1)
        }
        #expect(error?.name == "EFBIG")
    }
}
