import Glibc
import KernelProbe
import POSIX
import TestSupport
import Testbed
import Testing

/// Signals that the caller ignores: nohup(1), and what a shell does for its background.
@Suite("Ignored signals", .requiresNamespaces, .timeLimit(.minutes(1)))
struct IgnoredSignalTests {
    /// A set of signals of each thread, as /proc has it. One that waits for a signal does not block it meanwhile.
    private func signals(_ field: String, of process: Int32) throws -> [UInt64] {
        guard let folder = opendir("/proc/\(process)/task") else { return [] }
        defer { closedir(folder) }
        var sets: [UInt64] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            // A thread may have ended meanwhile.
            guard let text = try? KernelFile.read("/proc/\(process)/task/\(name)/status") else { continue }
            sets.append(KernelFile.field(field, of: text).flatMap { UInt64($0, radix: 16) } ?? 0)
        }
        return sets
    }

    private func bit(_ signal: CInt) -> UInt64 { 1 << UInt64(signal - 1) }

    @Test(
        "a command started with SIGHUP and SIGINT ignored outlives them, and ends at SIGTERM",
        arguments: [
            ["spiral-server", "--listen", "127.0.0.1:8080", "--admin-listen", "127.0.0.1:8081"],
            ["spiral-load", "--client", "x:uris=1,rate=1/s", "--duration", "60s", "--target", "http://127.0.0.1:8080"],
            ["spiral", "ports"], ["spiral", "ports", "--listen", "127.0.0.1:9151"],
            ["spiral", "run", "by-hand", "--quiet", "--host-network"],
        ]
    )
    func ignored(command: [String]) throws {
        try inNetworkNamespace {
            let path = try Executables.sibling(command[0])
            let null = try Descriptor.writing("/dev/null")
            let rest = command.dropFirst().joined(separator: " ")
            var process = try ChildProcess(
                "/bin/sh",
                ["-c", "trap '' HUP INT; exec \(path) \(rest)"],
                output: null.rawValue
            )
            defer { process.terminate(patience: .seconds(5)) }
            let identifier = process.identifier
            let ignored = bit(SIGHUP) | bit(SIGINT)
            // It holds SIGTERM to end in order, and neither of the others: libdispatch's threads block them all.
            let holds = try eventually(within: .seconds(20)) {
                try signals("SigBlk", of: identifier).contains { $0 & (bit(SIGTERM) | ignored) == bit(SIGTERM) }
            }
            try #require(holds && process.poll() == nil)
            #expect(try signals("SigIgn", of: identifier).allSatisfy { $0 & ignored == ignored })
            process.send(SIGHUP)
            process.send(SIGINT)
            // A signal that is ignored is gone: nothing of it is left to be taken later.
            let isGone = try eventually { try signals("ShdPnd", of: identifier).allSatisfy { $0 == 0 } }
            #expect(isGone)
            #expect(process.poll() == nil)
            process.send(SIGTERM)
            let ended = eventually(within: .seconds(20)) { process.poll() != nil }
            #expect(ended)
        }
    }
}
