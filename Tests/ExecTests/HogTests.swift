import POSIX
import TestSupport
import Testing

@Suite("spiral hog", .timeLimit(.minutes(2)), .requiresNamespaces)
struct HogTests {
    /// Ports that can still be bound, and ports that a dial can still get.
    private func free(_ source: IPv4Address) throws -> (bound: Int, dialled: Int) {
        let count = """
            import socket, sys
            def count(make):
                kept = []
                try:
                    while True: kept.append(make())
                except OSError: return len(kept)
            def bound():
                one = socket.socket(); one.bind((sys.argv[1], 0)); return one
            listener = socket.create_server((sys.argv[1], 80), backlog=4096)
            print(count(bound), count(lambda: socket.create_connection((sys.argv[1], 80))))
            """
        let text = try ChildProcess.output(of: Program.onPath("python3")!, ["-c", count, "\(source)"])
        let numbers = text.split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        try #require(numbers.count == 2, "\(text)")
        return (numbers[0], numbers[1])
    }

    @Test(
        "as many ports are left as asked, and all are back when it is killed",
        .requires("python3", package: "python3"),
        arguments: [[], ["--source", "127.0.0.1"], ["--form", "time-wait"]]
    )
    func leaves(options: [String]) throws {
        try inNetworkNamespace(ports: 500) {
            let hog = try Program("spiral", ["hog", "--leave", "12"] + options)
            #expect(eventually { (try? hog.text.contains("488 ports")) ?? false }, "\((try? hog.text) ?? "")")
            #expect(try free(.loopback) == (12, 12))
            if options == ["--source", "127.0.0.1"] { #expect(try free(IPv4Address(value: 0x7f00_0002)).bound == 500) }
            hog.send(9)
            #expect(hog.wait() == .signal(9))
            guard options != ["--form", "time-wait"] else { return }
            #expect(eventually { (try? free(.loopback).bound) == 500 })
        }
    }

    @Test("it ends when its time is over, and on a signal", arguments: [true, false])
    func ends(bySignal: Bool) throws {
        try inNetworkNamespace(ports: 50) {
            let hog = try Program("spiral", ["hog", "--leave", "0", "--for", bySignal ? "1h" : "100ms"])
            #expect(eventually { (try? hog.text.contains("50 ports")) ?? false })
            if bySignal { hog.send(15) }
            #expect(hog.wait() == .status(0))
            #expect(try hog.text.contains("all ports are given back"))
        }
    }

    @Test("ports that others gave back are taken as well", .requires("python3", package: "python3"))
    func takesBack() throws {
        try inNetworkNamespace(ports: 50) {
            let taken = try Socket.listening(on: .ipv4(.loopback, port: 32790), backlog: 1)
            let hog = try Program("spiral", ["hog", "--leave", "5", "--source", "127.0.0.1"])
            #expect(
                eventually { (try? hog.text.contains("44 ports of 127.0.0.1 held, 5 left free, 1 in use")) ?? false }
            )
            _ = consume taken
            #expect(eventually { (try? Socket.listening(on: .ipv4(.loopback, port: 32790), backlog: 1)) == nil })
            #expect(try free(.loopback).bound == 5)
        }
    }

    @Test("it reaches into the room of an exec", .requires("python3", package: "python3"))
    func intoRoom() throws {
        let program = try Program(
            "spiral",
            ["exec", "--ports", "100", "--quiet", "--", "python3", "-c"] + [
                """
                import os, socket, time
                print('pid', os.readlink('/proc/self/ns/net'), flush=True)
                while True:
                    try: socket.create_connection(('127.0.0.1', 9))
                    except OSError as error:
                        if error.errno == 99: break
                    time.sleep(0.01)
                print('out of ports', flush=True)
                """
            ]
        )
        #expect(eventually { (try? program.text.contains("pid")) ?? false })
        let namespace = try program.text.split(separator: " ").last.map { $0.prefix { $0 != "\n" } } ?? ""
        let inside = try ChildProcess.output(
            of: "/bin/sh",
            [
                "-c",
                "for p in /proc/[0-9]*; do [ \"$(readlink $p/ns/net)\" = '\(namespace)' ] && echo ${p#/proc/}; done | tail -1",
            ]
        )
        let hog = try Program("spiral", ["hog", "--leave", "0", "--pid", inside.filter(\.isNumber)])
        #expect(program.wait() == .status(0), "\((try? hog.text) ?? "")")
        #expect(try program.text.contains("out of ports"))
    }

    @Test(
        "what cannot be done is said in one line",
        arguments: [
            ([], "--leave: say how many ports to leave free"),
            (["--leave", "1", "--pid", "1", "--netns", "x"], "each name a namespace"),
            (["--leave", "1", "--netns", "../x"], "is not a name as 'ip netns list' has them"),
            (["--leave", "1", "--source", "::1"], "--source: '::1' is not an IPv4 address"),
            (["--leave", "1", "--form", "held"], "--form: 'held' is not a form"),
            (["--leave", "1", "--for", "0s"], "--for: use a time above zero"),
            (["--leave", "1", "--for", "100ms"], "that is the machine's own network"),
        ] as [([String], String)]
    )
    func refusals(arguments: [String], message: String) throws {
        let hog = try Program("spiral", ["hog"] + arguments)
        #expect(hog.wait() == .status(2))
        let text = try hog.text
        #expect(text.contains(message), "\(text)")
    }

    @Test("nobody's namespace, and more ports than there are")
    func machine() throws {
        try inNetworkNamespace(ports: 50) {
            for (arguments, message) in [
                (["--leave", "50"], "there are no more than 50 ephemeral ports here"),
                (["--leave", "1", "--pid", "4000000"], "cannot be entered"),
                (["--leave", "1", "--netns", "spiral-no-such"], "cannot be entered"),
            ] {
                let hog = try Program("spiral", ["hog"] + arguments)
                #expect(hog.wait() == .status(3))
                let text = try hog.text
                #expect(text.contains(message), "\(text)")
            }
        }
    }
}
