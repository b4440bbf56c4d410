import Glibc
import POSIX
import TestSupport
import Testbed
import Testing

/// Who starts a command under nohup, or in the background of a script, has it ignore signals.
@Suite("Ignored signals")
struct IgnoredSignalTests {
    @Test(
        "what a command was started to ignore does not end it; what it was not does",
        .requiresNamespaces,
        arguments: [SIGHUP, SIGINT]
    )
    func ignored(number: CInt) throws {
        try inNetworkNamespace {
            let output = try TemporaryFile()
            let file = try Descriptor.creating(output.path)
            var child = try ChildProcess(
                "/bin/sh",
                [
                    "-c", "trap '' \(number); exec \"$0\" ports --interval 100ms --json -",
                    try Executables.sibling("spiral"),
                ],
                output: file.rawValue
            )
            func lines() throws -> Int { try output.contents.split(separator: "\n").count }
            #expect(try eventually { try output.contents.contains("spiral-ports/2") })
            child.send(number)
            let before = try lines()
            #expect(try eventually { try lines() >= before + 5 })
            #expect(child.poll() == nil)
            child.send(SIGTERM)
            #expect(eventually { child.poll() != nil })
        }
    }
}
