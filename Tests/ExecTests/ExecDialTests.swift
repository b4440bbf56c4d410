import POSIX
import TestSupport
import Testing

/// Real programs under `spiral exec`: what they see, and what is told of their dials.
@Suite("spiral exec: dials", .timeLimit(.minutes(5)), .requiresNamespaces)
struct ExecDialTests {
    private static let memcached = [
        "--with", "exec memcached -u root -l 0.0.0.0 -c 15000 -b 15000", "--ready", "11211",
    ]

    @Test(
        "every kind of dial is counted once, and the program sees what it would without",
        .requires("python3", package: "python3"),
        arguments: [[], ["--dialer", "rotate"]]
    )
    func kinds(options: [String]) throws {
        let script = ["python3", Clients.folder + "/dial.py", "kinds"]
        let outcome = try Outcome(options, script)
        let bare = try Outcome(["--no-accounting", "--quiet"], script)
        #expect(outcome.exit == .status(0))
        if options.isEmpty { #expect(outcome.lines.starts(with: bare.lines), "\(outcome.text)") }
        #expect(outcome.destination("127.0.0.1:7001", "ok") == 9)
        #expect(outcome.destination("[::1]:7002", "ok") == 1)
        #expect(outcome.number("connects.ok") == 10)
        #expect(outcome.destination("127.0.0.1:9", "failed") == 2)
        #expect(outcome.number("connects.errors.connect.ECONNREFUSED") == 2)
        #expect(outcome.number("connects.errors.connect.ENETUNREACH") == 1)
        #expect(outcome.number("connects.failed") == 3)
        #expect(outcome.number("connects.inProgress") == 0)
    }

    @Test(
        "dials in progress are followed to their end, and those given up are told apart",
        .requires("python3", package: "python3")
    )
    func pending() throws {
        let outcome = try Outcome([], ["python3", Clients.folder + "/dial.py", "pending"])
        #expect(outcome.text.contains("[0, 0, 0, 0]"), "\(outcome.text)")
        #expect(outcome.number("connects.ok") == 4)
        #expect(outcome.number("connects.abandoned") == 2)
        #expect(outcome.number("connects.failed") == 0)
        #expect((outcome.number("inProgressPeak") ?? 0) >= 2)
    }

    @Test(
        "a dial whose retries are over is a timeout, to the program and in the result",
        .slow,
        .requires("python3", package: "python3")
    )
    func timeout() throws {
        let outcome = try Outcome(
            ["--set-sysctl", "net.ipv4.tcp_syn_retries=1"],
            ["python3", Clients.folder + "/dial.py", "timeout"]
        )
        #expect(outcome.lines.starts(with: ["blocking ETIMEDOUT", "SO_ERROR ETIMEDOUT"]), "\(outcome.text)")
        #expect(outcome.number("connects.errors.connect.ETIMEDOUT") == 2)
    }

    @Test("a rotated source is drawn from all of loopback, evenly", .requires("python3", package: "python3"))
    func rotation() throws {
        let count = 4096
        let outcome = try Outcome(
            ["--dialer", "rotate", "--quiet"],
            ["python3", Clients.folder + "/dial.py", "sources", "\(count)"]
        )
        let addresses = outcome.lines.compactMap { IPv4Address(text: String($0)) }
        try #require(addresses.count == count)
        // By the second octet's upper half: 16 cells of 256. With 15 degrees of freedom chi-square is above 50 once in
        // 100,000 runs.
        var cells = [Int](repeating: 0, count: 16)
        for address in addresses { cells[Int(address.value >> 20 & 15)] += 1 }
        let expected = Double(count) / 16
        let chiSquare = cells.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(chiSquare < 50, "\(cells)")
        let distinct = Set(addresses.map(\.value)).count
        #expect(distinct > count - 20)
        #expect(outcome.number("connects.ok") == count)
        #expect(outcome.number("sourceCount") == distinct)
    }

    @Test("a rotated destination reaches a server of all addresses", .requires("python3", package: "python3"))
    func destinations() throws {
        let outcome = try Outcome(
            ["--dialer", "rotate-destination", "--expect", "destinationCount > 90"],
            ["python3", Clients.folder + "/dial.py", "sources", "100"]
        )
        #expect(outcome.exit == .status(0), "\(outcome.text)")
        #expect(outcome.number("connects.ok") == 100)
    }

    @Test(
        "the incident on a static Go binary: as many dials as ports, then EADDRINUSE as the program itself tells it",
        .slow,
        .requires("go", package: "golang-go"),
        .requiresMemcached,
        arguments: [[], ["127.32.0.1"]]
    )
    func incident(source: [String]) throws {
        // Bound by the dialer, or by the program itself.
        let dialer = source.isEmpty ? ["--dialer", "bind:127.32.0.1"] : []
        let outcome = try Outcome(
            ["--ports", "1024", "--expect", "dials.failed == 0"] + dialer + Self.memcached,
            [try Clients.go.get(), "127.0.0.1:11211", "1500", "32"] + source
        )
        #expect(outcome.text.contains("ok 1024"), "\(outcome.text)")
        #expect(
            outcome.text.contains(
                source.isEmpty ? "476 connect: address already in use" : "476 bind: address already in use"
            )
        )
        #expect(outcome.exit == .status(1))
        #expect(outcome.number("connects.ok") == 1024)
        #expect(outcome.number("connects.errors.bind.EADDRINUSE") == 476)
        #expect(outcome.number("portsPeak") == 1024)
        #expect(outcome.number("portsCapacity") == 1024)
    }

    @Test(
        "the workaround on the same binary, which binds its address: none fails",
        .requires("go", package: "golang-go"),
        .requiresMemcached
    )
    func workaround() throws {
        let outcome = try Outcome(
            ["--ports", "1024", "--dialer", "rotate", "--expect", "dials.failed == 0", "--expect", "portsPeak < 20%"]
                + Self.memcached,
            [try Clients.go.get(), "127.0.0.1:11211", "3000", "32", "127.32.0.1"]
        )
        #expect(outcome.exit == .status(0), "\(outcome.text)")
        #expect(outcome.text.contains("ok 3000"))
    }

    @Test(
        "of many dials at once none is lost",
        .requires("go", package: "golang-go"),
        .requiresMemcached
    )
    func manyAtOnce() throws {
        let count = min(10_000, DescriptorLimit.current.hard * 3 / 4)
        let outcome = try Outcome(
            Self.memcached + ["--nofile", "\(DescriptorLimit.current.hard)"],
            [try Clients.go.get(), "127.0.0.1:11211", "\(count)", "\(count)"]
        )
        #expect(outcome.text.contains("ok \(count)"), "\(outcome.text)")
        #expect(outcome.number("connects.ok") == count)
        #expect(outcome.number("connects.inProgress") == 0)
    }

    @Test(
        "of 20,000 dials at once, of two programs to two servers, none is lost",
        .slow,
        .requires("go", package: "golang-go"),
        .requiresMemcached,
        .enabled(if: DescriptorLimit.current.hard >= 11_000)
    )
    func twentyThousandAtOnce() throws {
        let go = try Clients.go.get()
        let servers = [11211, 11212].flatMap { port in
            ["--with", "exec memcached -u root -p \(port) -c 10500 -b 10500", "--ready", "\(port)"]
        }
        let outcome = try Outcome(
            servers + ["--nofile", "\(DescriptorLimit.current.hard)"],
            ["sh", "-c", "\(go) 127.0.0.1:11211 10000 10000 & \(go) 127.0.0.1:11212 10000 10000; wait"]
        )
        #expect(outcome.lines.count { $0 == "ok 10000" } == 2, "\(outcome.text)")
        #expect(outcome.number("connects.ok") == 20_000)
        #expect(outcome.number("connects.inProgress") == 0)
        // It is a sample: how long all of them are open at once is the programs' affair.
        #expect((1...10_000).contains(outcome.number("portsPeak") ?? 0))
        for port in [11211, 11212] { #expect(outcome.destination("127.0.0.1:\(port)", "ok") == 10_000) }
    }

    @Test("Java's sockets of both families rotate", .requires("javac", package: "default-jdk-headless"))
    func java() throws {
        try rotates(["java", Clients.folder + "/Dial.java"])
    }

    @Test("Node's dials rotate, with io_uring refused or unused", .requires("node", package: "nodejs"))
    func node() throws {
        try rotates(["node", Clients.folder + "/dial.js"])
    }

    private func rotates(_ command: [String]) throws {
        let outcome = try Outcome(["--dialer", "rotate", "--quiet"], command)
        let addresses = Set(outcome.lines.compactMap { IPv4Address(text: String($0))?.value })
        #expect(addresses.count >= 49, "\(outcome.text)")
        #expect(outcome.number("connects.ok") == 50)
    }

    @Test(
        "memcached's own tool and curl are accounted for",
        .requires("memcstat", package: "libmemcached-tools"),
        .requires("curl", package: "curl")
    )
    func tools() throws {
        let tool = try Outcome(Self.memcached + ["--expect", "dials.ok == 1"], ["memcstat", "--servers", "127.0.0.1"])
        #expect(tool.exit == .status(0), "\(tool.text)")
        let curl = try Outcome(
            ["--expect", "dials.errors.connect.ECONNREFUSED == 1"],
            ["curl", "-s", "http://127.0.0.1:8/"]
        )
        // curl's own status for a connection that failed.
        #expect(curl.exit == .status(7), "\(curl.text)")
    }

    @Test("faults asked for are the program's to see", .slow, .requires("go", package: "golang-go"), .requiresMemcached)
    func faults() throws {
        let all = try Outcome(
            Self.memcached + ["--fail", "connect:EHOSTUNREACH@100%"],
            [try Clients.go.get(), "127.0.0.1:11211", "50", "5"]
        )
        #expect(all.text.contains("50 connect: no route to host"), "\(all.text)")
        #expect(all.number("injected") == 50)
        #expect(all.number("connects.errors.connect.EHOSTUNREACH") == 50)
        let some = try Outcome(
            Self.memcached + ["--fail", "connect:ECONNREFUSED@50%"],
            [try Clients.go.get(), "127.0.0.1:11211", "200", "5"]
        )
        let injected = try #require(some.number("injected"))
        #expect((50...150).contains(injected))
        #expect(some.text.contains("ok \(200 - injected)"), "\(some.text)")
    }

    @Test("no more dials are in progress than asked, and none is lost", .slow, .requires("go", package: "golang-go"))
    func maxDialling() throws {
        // A queue of one that nobody empties: dials stay in progress until their retries are over.
        let server = """
            import socket, time
            listener = socket.socket(); listener.bind(('127.0.0.1', 7001)); listener.listen(0)
            time.sleep(60)
            """
        let outcome = try Outcome(
            [
                "--with", "exec python3 -c \"\(server)\"", "--ready", "7001", "--max-dialling", "3", "--set-sysctl",
                "net.ipv4.tcp_syn_retries=1",
            ],
            [try Clients.go.get(), "127.0.0.1:7001", "10", "10"]
        )
        #expect(outcome.number("inProgressPeak") == 3, "\(outcome.text)")
        #expect((outcome.number("held") ?? 0) >= 6)
        #expect((outcome.number("connects.ok") ?? 0) + (outcome.number("connects.failed") ?? 0) == 10)
    }

    @Test(
        "late binding and a range of its own for each socket",
        .requires("go", package: "golang-go"),
        .requiresMemcached
    )
    func ranges() throws {
        let outcome = try Outcome(
            Self.memcached + [
                "--dialer", "bind:127.32.0.1", "--late-bind", "true", "--local-port-range", "40000-40063",
            ],
            [try Clients.go.get(), "127.0.0.1:11211", "100", "1"]
        )
        #expect(outcome.number("connects.errors.bind.EADDRINUSE") == nil)
        #expect((outcome.number("connects.errors.connect.EADDRNOTAVAIL") ?? 0) > 0, "\(outcome.text)")
        #expect(outcome.number("portsPeak") == 64)
    }

    #if arch(x86_64)
        @Test("calls of a 32-bit program work, and are named as not accounted for", .requires("gcc", package: "gcc"))
        func foreign() throws {
            let program = try TemporaryFile()
            let compiler = try #require(Program.onPath("gcc"))
            _ = try ChildProcess.output(of: compiler, ["-o", program.path, Clients.folder + "/foreign.c"])
            let outcome = try Outcome([], [program.path])
            #expect(outcome.lines.starts(with: ["connect -111", "socketcall -111", "plain -1"]), "\(outcome.text)")
            #expect(outcome.text.contains("as of a 32-bit program: 2 calls"))
            #expect(outcome.number("connects.failed") == 1)
        }
    #endif

    @Test("claims that fail, and those about what was not measured, are told even when quiet")
    func quiet() throws {
        let program = try Program(
            "spiral",
            ["exec", "--quiet", "--expect", "dials.ok == 1", "--expect", "dials.failed == 0"]
                + ["--expect", "outlook.percentOfDefault < 50", "--", "true"]
        )
        #expect(program.wait() == .status(1))
        #expect(
            try program.text == "FAIL  dials.ok == 1  (0)\nFAIL  outlook.percentOfDefault < 50  (not measured)\n"
        )
    }

    @Test("io_uring is refused, so that programs do without", .requires("python3", package: "python3"))
    func rings() throws {
        let ask =
            "import ctypes; c = ctypes.CDLL(None, use_errno=True); print(c.syscall(425, 8, 0), ctypes.get_errno())"
        let outcome = try Outcome([], ["python3", "-c", ask])
        // ENOSYS
        #expect(outcome.lines.first == "-1 38")
        #expect(outcome.text.contains("was refused (ENOSYS): 1 times"))
    }

    @Test("a second listener of system calls is refused in one line")
    func nested() throws {
        let program = try Program(
            "spiral",
            ["exec", "--quiet", "--", try Program.path("spiral"), "exec", "--", "true"]
        )
        #expect(program.wait() == .status(3))
        #expect(try program.text.contains("handed to another program here already"))
    }

    @Test(
        "what is wrong about dials is said before anything is started",
        arguments: [
            (["--expect", "dials.faild == 0"], "did you mean 'dials.failed'?"),
            (["--expect", "dials.failed = 0"], "is not a claim"),
            (["--expect", "dials.failed < 5%"], "is not a number"),
            (["--expect", "dials.errors.ENOSUCH == 0"], "is not a name of the result"),
            (["--dialer", "random"], "--dialer: 'random' is not a dialer"),
            (["--dialer", "rotate:fd00::/64"], "'rotate:fd00::/64' is not a dialer of other programs"),
            (
                ["--dialer", "rotate:fd00::1/64"],
                "--dialer: 'rotate:fd00::1/64' is not a prefix of addresses to dial from"
            ),
            (["--fail", "connect:ENOSUCH@5%"], "--fail: 'connect:ENOSUCH@5%' is not a fault"),
            (["--fail", "listen:EINVAL@5%"], "is not a fault"),
            (["--fail", "connect:EINVAL@0%"], "is not a fault"),
            (["--max-dialling", "0"], "--max-dialling: '0' is not a number of dials"),
            (["--local-port-range", "9"], "is not a range of ports"),
            (["--no-accounting", "--dialer", "rotate"], "--no-accounting leaves out"),
        ] as [([String], String)]
    )
    func usage(options: [String], message: String) throws {
        let program = try Program("spiral", ["exec"] + options + ["--", "echo", "started"])
        #expect(program.wait() == .status(2))
        let text = try program.text
        #expect(text.contains(message), "\(text)")
        #expect(!text.contains("started\n"))
    }
}
