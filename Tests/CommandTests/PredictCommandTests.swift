import KernelProbe
import POSIX
import TestSupport
import Testing

/// `spiral predict` for services of others.
@Suite("spiral predict", .timeLimit(.minutes(1)))
struct PredictCommandTests {
    private func predict(_ arguments: [String], endsWith status: Int32 = 0) throws -> String {
        let program = try Program("spiral", ["predict"] + arguments)
        let exit = program.wait()
        let text = try program.text
        #expect(exit == .status(status), "\(arguments): \(text)")
        return text
    }

    @Test("connections a second are all it takes: what runs out and when, or what is used and the headroom")
    func connections() throws {
        #expect(try predict(["--connections", "600/s"]).contains("runs out     after 47.1 s"))
        #expect(try predict(["--connections", "100/s"]).contains("21.3% of the ports, 6,000 at most, headroom 4.71x"))
        #expect(try predict(["--connections", "600/s", "--loopback"]).contains("runs out     not within 600 s"))
        let bound = try predict(["--connections", "600/s", "--loopback", "--dialer", "bind:127.32.0.1"])
        #expect(bound.contains("dials fail with bind: EADDRINUSE"))
    }

    @Test(
        "what cannot be answered has one line that says why",
        arguments: [
            (["--connections", "600"], 2, "--connections: '600' is not a rate above zero"),
            (["--connections", "1/s", "--from-pid", "1"], 2, "--connections and --from-pid: use one of them"),
            (["--connections", "1/s", "--dialer", "rotate"], 2, "--connections: use --dialer kernel or bind:IP"),
            (["--tw-reuse-delay", "0ms"], 2, "--tw-reuse-delay: the kernel takes 1ms to 60s"),
            (["--open", "1s"], 2, "--open goes with --connections"),
            (["--loopback"], 2, "--loopback goes with --connections"),
            (["--connections", "1/s", "--max-idle", "4"], 2, "--max-idle says nothing with --connections"),
            (["--connections", "1/s", "--client", "a:uris=1,rate=1/s"], 2, "--client says nothing with --connections"),
            (["--connections", "1/s", "--loopback", "--remote"], 2, "--remote says nothing with --loopback"),
            (["--from-pid", "1", "--duration", "1h"], 2, "--duration says nothing with --from-pid"),
            (["--from-pid", "999999999"], 3, "--from-pid: there is no process 999999999"),
        ]
    )
    func refused(arguments: [String], status: Int32, said: String) throws {
        let text = try predict(arguments, endsWith: status)
        #expect(text.contains(said), "\(text)")
    }

    @Test("a machine whose range is all reserved has no answer, and says why", .requiresNamespaces)
    func reserved() throws {
        try inNetworkNamespace(ports: 10) {
            try Sysctl.write("net.ipv4.ip_local_reserved_ports", "32768-32777")
            for arguments in [["--ports", "machine"], ["--ports", "machine", "--connections", "1/s"]] {
                #expect(try predict(arguments, endsWith: 3).contains("every dial fails"))
            }
        }
    }

    @Test(
        "a running program is measured: its rate, its destination, and the settings of its namespace",
        .slow,
        .requiresNamespaces
    )
    func measured() throws {
        try inNetworkNamespace(ports: 500) {
            try Sysctl.write("net.ipv4.ip_local_reserved_ports", "32768-32867")
            let listener = try PlainSocket.listening(on: IPEndpoint(IPAddress(.loopback), port: 4000))
            let null = try Descriptor.writing("/dev/null")
            var dialler = try ChildProcess(
                "/bin/bash",
                ["-c", "while :; do exec {fd}<>/dev/tcp/127.0.0.1/4000; sleep 0.1; done"],
                output: null.rawValue
            )
            defer { dialler.terminate(timeout: .zero) }
            let text = try predict(["--from-pid", "\(dialler.identifier)"])
            #expect(text.contains("ip_local_port_range 32768-33267, ip_local_reserved_ports 32768-32867"), "\(text)")
            #expect(text.contains("127.0.0.1 to 127.0.0.1:4000: "))
            #expect(text.contains("ports        400 of one address"))
            _ = listener
        }
    }
}
