import Glibc
import POSIX
import TestSupport
import Testbed
import Testing

/// What ends `spiral ports`: its reader, what it looks at, or nothing.
@Suite("spiral ports: how it ends", .requiresNamespaces, .timeLimit(.minutes(2)))
struct PortsLifeTests {
    private func shell(_ script: String) throws -> String {
        try ChildProcess.output(of: "/bin/bash", ["-c", script])
    }

    @Test(
        "a reader that has seen enough ends it without a word, one that cannot take more is told",
        arguments: [
            ("| head -n 1 >/dev/null; echo ${PIPESTATUS[0]}", "0\n"),
            ("--json - | head -n 1 >/dev/null; echo ${PIPESTATUS[0]}", "0\n"),
            (">/dev/full; echo $?", "spiral: cannot write to standard output: no space left on device\n3\n"),
            (
                "--json - >/dev/full; echo $?",
                "spiral: --json: cannot write standard output: no space left on device\n3\n"
            ),
            (">&-; echo $?", "spiral: cannot write to standard output: no space left on device\n3\n"),
        ]
    )
    func readers(arguments: String, said: String) throws {
        let spiral = try Executables.sibling("spiral")
        try inNetworkNamespace(ports: 64) {
            // It would go on without end otherwise; timeout(1) says 124.
            let output = try shell("timeout 20 \(spiral) ports --interval 100ms \(arguments) 2>&1")
            #expect(output == said)
        }
    }

    @Test("the exporter answers though a hundred others are connected and say nothing", .slow)
    func silent() throws {
        try inNetworkNamespace {
            let address = IPEndpoint(text: "127.9.9.9:9151")!
            let exporter = try Program("spiral", ["ports", "--listen", "\(address)"])
            #expect(try eventually { try exporter.text.contains("serving") })
            let silent = try (0..<100).map { _ in try PlainSocket.dialling(address) }
            let status = try shell(
                "exec 3<>/dev/tcp/127.9.9.9/9151; printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3; head -n 1 <&3"
            )
            #expect(status.contains(" 200 "))
            exporter.send(SIGTERM)
            #expect(exporter.wait() == .status(0))
            _ = silent
        }
    }

    @Test("a process that ends, though its parent takes no note, ends the command and the exporter", .slow)
    func zombie() throws {
        try inNetworkNamespace(ports: 64) {
            let pipe = try Pipe()
            // What the shell becomes does not wait for the child it started.
            var parent = try ChildProcess(
                "/bin/sh",
                ["-c", "sleep 60 & echo $!; exec sleep 60"],
                output: pipe.writeEnd.rawValue
            )
            defer { parent.terminate(timeout: .zero) }
            let text = String(decoding: try pipe.readEnd.readSome(upTo: 100), as: UTF8.self)
            let child = try #require(Int32(text.dropLast()))
            defer { kill(child, SIGKILL) }
            let watcher = try Program("spiral", ["ports", "--pid", "\(child)", "--interval", "100ms"])
            let exporter = try Program("spiral", ["ports", "--pid", "\(child)", "--listen", "127.9.9.9:9151"])
            #expect(try eventually { try watcher.text.contains("conn/s") })
            #expect(try eventually { try exporter.text.contains("serving") })
            kill(child, SIGKILL)
            for program in [watcher, exporter] {
                #expect(program.wait() == .status(3))
                #expect(try program.text.contains("--pid: process \(child) has ended"))
            }
            let late = try Program("spiral", ["ports", "--pid", "\(child)", "--once"])
            #expect(late.wait() == .status(3))
            #expect(try late.text.contains("process \(child) has ended, though its parent has not taken note of it"))
        }
    }
}
