import POSIX
import TestSupport
import Testing

/// What the three programs say to wrong options, and with which status they end.
@Suite("Command line", .timeLimit(.minutes(1)))
struct CommandLineTests {
    @Test(
        "wrong usage ends with 2 and one line that says what was wrong",
        arguments: [
            (
                ["spiral-server", "--limit", "64"],
                "--limit: '64' is not a limit: use none, request:N, process:N, fair:N"
            ),
            (["spiral-server", "--memcached", "localhost"], "--memcached: 'localhost' is not a memcached address"),
            (["spiral-server", "--admin-listen", "0.0.0.0:8081"], "0.0.0.0:8081 is not loopback"),
            (["spiral-server", "--listen", "8080"], "--listen: '8080' is not HOST:PORT"),
            (["spiral-server", "--on-error", "store", "--store", "off"], "--on-error store needs the store"),
            (["spiral-server", "--lanes", "99"], "--lanes: use a number from 1 to 64"),
            (["spiral-server", "--max-body", "16"], "--max-body: '16' is not a size"),
            (["spiral-server", "--max-body", "100GiB"], "--max-body: use 1B to 1GiB"),
            (
                ["spiral-server", "--log-sink", "file:/nonexistent/x"],
                "cannot open /nonexistent/x: no such file or directory"
            ),
            (["spiral-server", "--speed", "1"], "Unknown option '--speed'"),
            (["spiral-load"], "--client"),
            (["spiral-load", "--client", "x"], "--client: 'x' is not a caller"),
            (["spiral-load", "--client", "x:uris=200000,rate=1/s"], "ask for --posts 200000"),
            (
                ["spiral-load", "--client", "x:uris=1,rate=1/s", "--client", "x:uris=2,rate=1/s"],
                "two callers have one name"
            ),
            (
                ["spiral-load", "--client", "x:uris=1,rate=1/s", "--target", "https://a"],
                "--target: 'https://a' is not an address"
            ),
            (["spiral-load", "--client", "x:uris=1,rate=1/s", "--duration", "0s"], "--duration: "),
            (["spiral-load", "--client", "x:uris=1,rate=1/s", "--target", "https://a"], "TLS, which is not supported"),
            (["spiral-load", "--client", "x:uris=1,rate=1/s", "--timeout", "0s"], "--timeout: "),
            (["spiral-load", "--client", "x:uris=1,rate=1/s,from=3s", "--duration", "1s"], "x begins after 3s"),
            (
                ["spiral-load", "--client", "x:uris=1,rate=1/s", "--start-at", "9999-12-31T23:59:59Z"],
                "is not a time in UTC"
            ),
            (["spiral-load", "--replay", "/dev/zero"], "cannot read /dev/zero: it has more than 1GiB"),
            (["spiral", "report", "/dev/zero"], "cannot read /dev/zero: it has more than 256MiB"),
            (["spiral-load", "--client", "x:uris=1,rate=1e9/s"], "'1e9/s' is not a rate"),
            (["spiral-load", "--client", "x:uris=1,rate=9999999/s"], "use 0.000001/s to 1000000/s"),
            (
                ["spiral-load", "--client", "x:uris=1,rate=1/s", "--fail-if", "y.p99 > 5ms"],
                "--fail-if: 'y.p99' is not a name"
            ),
            (
                ["spiral-load", "--client", "x:uris=1,rate=1/s", "--search", "x.p99"],
                "--search: 'x.p99' is not a claim"
            ),
            (
                ["spiral-load", "--client", "x:uris=1,rate=1/s", "--source", "127.1.0.0/33"],
                "--source: '127.1.0.0/33' is not"
            ),
            (["spiral-load", "--client", "x:uris=1,rate=1/s", "--start-at", "2026-02-30T00:00:00Z"], "--start-at: "),
            (
                ["spiral-server", "--listen", "::1:8080"],
                "--listen: '::1:8080' is not HOST:PORT with a numeric address, [ADDRESS]"
            ),
            (["spiral-server", "--listen", "[::1]"], "--listen: '[::1]' is not HOST:PORT"),
            (
                ["spiral-server", "--admin-listen", "[fe80::1%lo]:80"],
                "--admin-listen: '[fe80::1%lo]:80' is not HOST:PORT"
            ),
            (["spiral-server", "--admin-listen", "[::]:8081"], "[::]:8081 is not loopback"),
            (["spiral", "top", "--admin", "::1:8081"], "--admin: '::1:8081' is not HOST:PORT with a numeric address"),
            (["spiral", "ports", "--listen", "[::1"], "--listen: '[::1' is not HOST:PORT"),
            (["spiral-load", "--replay", "/dev/null"], "--replay: /dev/null: it has no line"),
            (["spiral-load", "--client", "x:uris=1,rate=1/s", "--speed", "2x"], "--speed: it is for --replay"),
            (["spiral-load", "merge", "/dev/null"], "/dev/null: it is not a result of spiral-load"),
            (
                ["spiral-load", "--client", "x:uris=1,rate=1/s", "--json", "/nonexistent/x"],
                "--json: cannot open /nonexistent/x"
            ),
            (["spiral", "demo", "--json", "/nonexistent/x"], "--json: cannot open /nonexistent/x"),
            (["spiral", "dmeo"], "Unexpected argument 'dmeo'"), (["spiral", "dem"], "Did you mean 'spiral demo'?"),
            (["spiral", "run", "nope"], "there are demo, demo-full-range"),
            (["spiral", "report", "x.json", "--width", "390"], "--width needs --svg"),
            (["spiral", "report", "x.json", "--svg", "-", "--width", "5"], "5 is not a number of pixels from 200"),
        ]
    )
    func usage(command: [String], message: String) throws {
        let program = try Program(command[0], Array(command.dropFirst()))
        #expect(program.wait() == .status(2))
        let text = try program.text
        #expect(text.contains(message), "\(text)")
    }

    @Test(
        "help is asked for, and no error",
        arguments: [["spiral"], ["spiral-server"], ["spiral-load"], ["spiral", "demo"], ["spiral", "doctor"]]
    )
    func help(command: [String]) throws {
        let program = try Program(command[0], Array(command.dropFirst()) + ["--help"])
        #expect(program.wait() == .status(0))
        #expect(try program.text.contains("USAGE: spiral"))
    }

    @Test("a port that is taken ends the server with 3 and says which", .requiresNamespaces)
    func portTaken() throws {
        try inNetworkNamespace {
            let arguments = ["--listen", "127.0.0.1:8080", "--admin-listen"]
            let first = try Program("spiral-server", arguments + ["127.0.0.1:8081"])
            let listens = try eventually { try first.text.contains("serving") }
            try #require(listens)
            // Without memcached it serves all the same, and says so.
            let warns = try eventually { try first.text.contains("warning: memcached is not reachable") }
            #expect(warns)
            let second = try Program("spiral-server", arguments + ["127.0.0.1:8082"])
            #expect(second.wait() == .status(3))
            #expect(try second.text.contains("--listen: cannot bind 127.0.0.1:8080: address already in use"))
        }
    }

    @Test(
        "a server says at its start what its descriptors leave, and does not start where that is nothing",
        .requiresNamespaces
    )
    func fewDescriptors() throws {
        try inNetworkNamespace {
            for limit: UInt64 in [20, 40] {
                let server = try Program("spiral-server", [], descriptorLimit: limit)
                #expect(server.wait() == .status(3))
                let text = try server.text
                #expect(
                    text.contains("\(limit) descriptors: ") && text.contains("which leaves none for memcached"),
                    "\(text)"
                )
            }
            let server = try Program("spiral-server", [], descriptorLimit: 64)
            let says = try eventually { try server.text.contains("64 descriptors: ") }
            #expect(says)
            let text = try server.text
            let numbers = text.split(separator: "64 descriptors: ").last?.split { !$0.isNumber }.prefix(3).compactMap {
                Int($0)
            }
            #expect(numbers.map { $0.count == 3 && $0[0] + $0[1] + $0[2] == 64 && $0[2] > 0 } == true, "\(text)")
        }
    }

    @Test("a load that nobody answers ends with 1 and says so", .requiresNamespaces)
    func nobodyAnswers() throws {
        try inNetworkNamespace {
            let load = try Program(
                "spiral-load",
                ["--client", "x:uris=1,rate=10/s", "--duration", "500ms", "--posts", "10"]
            )
            let exit = load.wait()
            let text = try load.text
            // On a machine that has too much else to do it says that too.
            #expect(exit == .status(1) || text.contains("ran out of processor time"), "\(text)")
            #expect(text.contains("asked 5 batches in 0.5 s from 1 caller; sent 5, answered 0, failed 5"), "\(text)")
            #expect(text.contains("x failed: ECONNREFUSED 5"))
            #expect(
                exit != .status(1) || text.contains("no batch was answered; is a server listening on 127.0.0.1:8080?"),
                "\(text)"
            )
        }
    }

    @Test("a load whose batches are all refused does not ask whether a server is there", arguments: [503, 301, 413])
    func allRefused(status: Int) throws {
        let server = try ScriptedServer { _ in .answer(Array("HTTP/1.1 \(status) x\r\nContent-Length: 0\r\n\r\n".utf8))
        }
        defer { server.end() }
        let load = try Program(
            "spiral-load",
            ["--client", "x:uris=1,rate=20/s", "--duration", "200ms", "--target", "http://\(server.address)"]
        )
        let exit = load.wait()
        let text = try load.text
        #expect(exit == .status(1) || text.contains("ran out of processor time"), "\(text)")
        #expect(text.contains("x failed: HTTP_\(status) 4"), "\(text)")
        #expect(!text.contains("is a server listening"))
    }

    @Test("a doctor without descriptors says that nothing can be dialled, and what to allow")
    func doctorWithoutDescriptors() throws {
        let doctor = try Program("spiral", ["doctor"], descriptorLimit: 32)
        #expect(doctor.wait() == .status(3))
        #expect(try doctor.text.contains("leave none to dial with"))
    }
}
