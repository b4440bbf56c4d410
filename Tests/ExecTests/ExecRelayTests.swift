import POSIX
import TestSupport
import Testing

/// Ways into and out of the room, and the way to change a run as it goes on.
@Suite(
    "spiral exec: relays and control",
    .timeLimit(.minutes(2)),
    .requiresNamespaces,
    .requires("python3", package: "python3")
)
struct ExecRelayTests {
    /// Answers what it read when its client has ended its sending side: half-closed until then.
    private static let echo = """
        import socket, sys
        listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
        print('up', flush=True)
        while True:
            connection, _ = listener.accept()
            data = b''
            while part := connection.recv(1 << 16):
                data += part
            connection.sendall(data[::-1])
            connection.close()
        """
    private static let ask = """
        import socket, sys
        connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=20)
        data = bytes(i % 251 for i in range(3_000_000))
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        back = b''
        while part := connection.recv(1 << 16):
            back += part
        print('same' if back == data[::-1] else 'other', len(back), flush=True)
        """

    @Test("a published port leads into the room, with half-closes kept")
    func publish() throws {
        try inNetworkNamespace {
            let server = try Program(
                "spiral",
                ["exec", "--publish", "127.0.0.1:8080:80", "--", "python3", "-c", Self.echo, "127.0.0.1", "80"]
            )
            #expect(eventually { (try? server.text.contains("up")) ?? false })
            let output = try ChildProcess.output(of: Program.onPath("python3")!, ["-c", Self.ask, "127.0.0.1", "8080"])
            #expect(output == "same 3000000\n")
            server.send(15)
            #expect(server.wait() == .status(143))
        }
    }

    @Test("a linked port leads out of it, and is a dial like any other")
    func link() throws {
        try inNetworkNamespace {
            let output = try TemporaryFile()
            let file = try Descriptor.creating(output.path)
            let server = try ChildProcess(
                Program.onPath("python3")!,
                ["-c", Self.echo, "127.3.3.3", "5433"],
                output: file.rawValue
            )
            #expect(eventually { (try? output.contents.contains("up")) ?? false })
            for address in ["127.0.0.1", "127.9.9.9", "::1"] {
                let outcome = try Outcome(
                    ["--link", "5432=127.3.3.3:5433"],
                    ["python3", "-c", Self.ask, address, "5432"]
                )
                #expect(outcome.text.contains("same 3000000"), "\(outcome.text)")
                #expect(outcome.exit == .status(0))
                #expect(outcome.destination(address == "::1" ? "[::1]:5432" : "\(address):5432", "ok") == 1)
            }
            _ = consume server
        }
    }

    @Test("a reset on one side is a reset on the other, and the relay goes on")
    func reset() throws {
        let script = """
            import socket, struct
            listener = socket.create_server(('127.0.0.1', 80))
            print('up', flush=True)
            first, _ = listener.accept()
            first.recv(1)
            first.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            first.close()
            second, _ = listener.accept()
            second.sendall(b'fine')
            second.close()
            """
        let client = """
            import socket
            first = socket.create_connection(('127.0.0.1', 8080))
            first.sendall(b'x')
            try: print(first.recv(1))
            except ConnectionResetError: print('reset')
            print(socket.create_connection(('127.0.0.1', 8080)).recv(9).decode())
            """
        try inNetworkNamespace {
            let server = try Program("spiral", ["exec", "--publish", "8080:80", "--", "python3", "-c", script])
            #expect(eventually { (try? server.text.contains("up")) ?? false })
            let output = try ChildProcess.output(of: Program.onPath("python3")!, ["-c", client])
            #expect(output == "reset\nfine\n")
            #expect(server.wait() == .status(0))
        }
    }

    @Test("a port that is taken and a link to nothing end it before the command begins")
    func unusable() throws {
        try inNetworkNamespace {
            let taken = try Socket.listening(on: .ipv4(.loopback, port: 8080), backlog: 1)
            for (options, message) in [
                (["--publish", "8080"], "--publish: 127.0.0.1:8080 cannot be listened on (address already in use)"),
                (["--link", "5432"], "--link: nobody answers on 127.0.0.1:5432 (connection refused)"),
            ] {
                let program = try Program("spiral", ["exec"] + options + ["--", "echo", "started"])
                #expect(program.wait() == .status(3))
                #expect(try program.text.hasPrefix("spiral: \(message)"))
            }
            _ = consume taken
        }
    }

    @Test(
        "what is wrong about relays and control is said in one line",
        arguments: [
            (["--publish", "80:90:70:60", "--", "true"], "--publish: '80:90:70:60' is not a port to publish"),
            (["--publish", "0", "--", "true"], "is not a port to publish"),
            (["--publish", "8080:1", "--publish", "8080:2", "--", "true"], "published twice"),
            (["--link", "5=x:6", "--", "true"], "is not a port to link"),
            (["--link", "5", "--link", "5", "--", "true"], "linked twice"),
            (["--link", "5", "--host-network", "--", "true"], "leave out --host-network"),
            (["--control", "1", "--", "true"], "leave out the command"),
            (["--control", "1", "--ports", "5"], "--ports is for its start"),
            (["--control", "1", "--expect", "dials.ok == 1"], "--expect is for its start"),
        ] as [([String], String)]
    )
    func usage(arguments: [String], message: String) throws {
        let program = try Program("spiral", ["exec"] + arguments)
        #expect(program.wait() == .status(2))
        let text = try program.text
        #expect(text.contains(message), "\(text)")
    }

    @Test("the dialer is changed while the command runs: what was out of ports has them again")
    func control() throws {
        let dialler = """
            import socket, time, sys
            listener = socket.create_server(('0.0.0.0', 7001), backlog=4096)
            failed = False
            while True:
                try:
                    socket.create_connection(('127.0.0.1', 7001)).close()
                    listener.accept()[0].close()
                    if failed: break
                except OSError:
                    if not failed: print('out of ports', flush=True)
                    failed = True
                    time.sleep(0.01)
            print('again', flush=True)
            """
        try inNetworkNamespace {
            let program = try Program(
                "spiral",
                ["exec", "--ports", "64", "--dialer", "bind:127.32.0.1", "--", "python3", "-c", dialler]
            )
            #expect(eventually { (try? program.text.contains("out of ports")) ?? false })
            let wrong = try Program("spiral", ["exec", "--control", "\(program.identifier)", "--late-bind", "maybe"])
            #expect(wrong.wait() == .status(2))
            let figures = try Program("spiral", ["exec", "--control", "\(program.identifier)"])
            #expect(figures.wait() == .status(0))
            #expect(try figures.text.contains("\"dialer\" : \"bind:127.32.0.1\""))
            let change = try Program("spiral", ["exec", "--control", "\(program.identifier)", "--dialer", "rotate"])
            #expect(change.wait() == .status(0))
            #expect(program.wait() == .status(0))
            #expect(try program.text.contains("again"))
            let nobody = try Program("spiral", ["exec", "--control", "\(program.identifier)"])
            #expect(nobody.wait() == .status(3))
            #expect(try nobody.text.contains("is no 'spiral exec' of this network namespace"))
        }
    }
}
