import Foundation
import POSIX
import TestSupport
import Testing

/// What a command finds in its room, what is passed on to it, and what is left of it.
@Suite("spiral exec: the room", .timeLimit(.minutes(2)), .requiresNamespaces)
struct ExecRoomTests {
    @Test(
        "the exit status is the command's own, or what shells give",
        arguments: [
            (["--", "sh", "-c", "exit 7"], 7),
            (["--", "sh", "-c", "kill -9 $$"], 137),
            (["--", "no-such-command"], 127),
            (["--", "/etc/passwd"], 126),
            (["--host-network", "--", "sh", "-c", "exit 9"], 9),
            (["--with", "exit 3", "--ready", "99", "--", "true"], 3),
            (["--set-sysctl", "net.ipv4.tcp_no_such=1", "--", "true"], 3),
            (["--nofile", "4", "--", "true"], 0),
        ] as [([String], CInt)]
    )
    func status(arguments: [String], expected: CInt) throws {
        let program = try Program("spiral", ["exec"] + arguments)
        #expect(program.wait() == .status(expected))
    }

    @Test(
        "what is wrong in the options is said in one line, and nothing is started",
        arguments: [
            ([], "name the program to run after --"),
            (["--ports", "0", "--", "true"], "--ports: '0' is not a number of ports: use 1 to 64512"),
            (["--ports", "99999999999999999999", "--", "true"], "is not a number of ports"),
            (["--port-range", "2000-1000", "--", "true"], "is not a range of ports"),
            (["--ports", "9", "--port-range", "1-9", "--", "true"], "are one setting"),
            (["--set-sysctl", "kernel.panic=1", "--", "true"], "is not a setting of a network namespace"),
            (["--set-sysctl", "net/../../x=1", "--", "true"], "is not a setting of a network namespace"),
            (["--ports", "9", "--host-network", "--", "true"], "would change the machine's own network"),
            (["--ready", "0", "--", "true"], "--ready"),
            (["--memory", "5", "--", "true"], "--memory: '5' is not a size"),
            (["--nofile", "1", "--", "true"], "--nofile"),
        ] as [([String], String)]
    )
    func usage(arguments: [String], message: String) throws {
        let program = try Program("spiral", ["exec"] + arguments)
        #expect(program.wait() == .status(2))
        let text = try program.text
        #expect(text.contains(message), "\(text)")
    }

    @Test("ports, settings, descriptors and the view of processes are its own")
    func contents() throws {
        let script = """
            cat /proc/sys/net/ipv4/ip_local_port_range /proc/sys/net/ipv4/tcp_tw_reuse
            ulimit -n; ls -d /proc/[0-9]* | wc -l; echo $0 $1
            """
        let program = try Program(
            "spiral",
            [
                "exec", "--ports", "1024", "--set-sysctl", "net.ipv4.tcp_tw_reuse=0", "--nofile", "99", "--", "sh",
                "-c",
                script, "a b", "--ports",
            ]
        )
        #expect(program.wait() == .status(0))
        let lines = try program.text.split(separator: "\n").map { $0.replacing("\t", with: " ") }
        #expect(lines[..<3] == ["32768 33791", "0", "99"])
        // The first process, the shell and what it starts.
        #expect(try #require(Int(lines[3])) <= 5)
        #expect(lines[4] == "a b --ports")
    }

    @Test("a signal reaches the command, and its status is passed back")
    func signals() throws {
        let program = try Program(
            "spiral",
            ["exec", "--", "sh", "-c", "trap 'echo got; exit 5' TERM; echo up; while :; do sleep 0.02; done"]
        )
        #expect(eventually { (try? program.text.contains("up")) ?? false })
        program.send(15)
        #expect(program.wait() == .status(5))
        #expect(try program.text.contains("got"))
    }

    @Test("companions are ready before the command, and gone after it", .requiresMemcached)
    func companions() throws {
        let marker = "127.0.0.\(Int.random(in: 2...250))"
        let program = try Program(
            "spiral",
            ["exec", "--with", "memcached -u root -l \(marker)", "--ready", "11211", "--"]
                + ["bash", "-c", "exec 3<>/dev/tcp/\(marker)/11211"]
        )
        let exit = program.wait()
        let text = try program.text
        #expect(exit == .status(0), "\(text)")
        #expect(try Self.processes(with: marker).isEmpty)
    }

    @Test(
        "nothing is left when the command ends, when it is killed, and when its supervisor is",
        arguments: ["end", "command", "supervisor"]
    )
    func nothingLeft(how: String) throws {
        // A number of seconds that no other sleep has.
        let marker = "\(Int.random(in: 1_000_000...9_000_000)).25"
        let program = try Program(
            "spiral",
            [
                "exec", "--memory", "256MiB", "--with", "sleep \(marker)", "--", "sh", "-c",
                "setsid sleep \(marker) & (setsid sleep \(marker) &) ; cat /proc/self/cgroup; echo up; \(how == "end" ? "exit 0" : "sleep \(marker)")",
            ]
        )
        #expect(eventually { (try? program.text.contains("up")) ?? false })
        switch how {
        case "command": for process in try Self.processes(with: marker, from: "sh -c") { kill(process, SIGKILL) }
        case "supervisor": program.send(SIGKILL)
        default: break
        }
        #expect(
            program.wait() == (how == "end" ? .status(0) : how == "command" ? .status(137) : .signal(SIGKILL))
        )
        // Neither what it started nor a helper of its own, whose command line is the supervisor's.
        #expect(eventually { (try? Self.processes(with: marker).isEmpty) ?? false })
        // Version 1 names the controller, version 2 none; a folder of ours is below one of these.
        for line in try program.text.split(separator: "\n") where line.contains("/spiral-run-") {
            let path = line.split(separator: ":", maxSplits: 2).last ?? ""
            #expect(
                eventually {
                    ["", "/memory"].allSatisfy { !FileManager.default.fileExists(atPath: "/sys/fs/cgroup\($0)\(path)") }
                }
            )
        }
    }

    @Test("a user without rights has all of it, under the name they have", .requires("setpriv", package: "util-linux"))
    func unprivileged() throws {
        let output = try ChildProcess.output(
            of: "/usr/bin/setpriv",
            ["--reuid", "65534", "--regid", "65534", "--clear-groups", try Program.path("spiral")]
                + [
                    "exec", "--ports", "77", "--quiet", "--expect", "dials.failed == 1", "--", "bash", "-c",
                    "id -u; cat /proc/sys/net/ipv4/ip_local_port_range; exec 3<>/dev/tcp/127.0.0.1/9 2>/dev/null; echo end",
                ]
        )
        #expect(output.hasPrefix("65534\n32768\t32844\n") && output.hasSuffix("end\n"), "\(output)")
    }

    @Test(
        "where no namespace can be made it says what works without, and that does",
        .requires("setpriv", package: "util-linux")
    )
    func noNamespaces() throws {
        let marker = "\(Int.random(in: 1_000_000...9_000_000)).75"
        let forbid = """
            echo 0 > /proc/sys/user/max_user_namespaces
            echo 0 > /proc/sys/user/max_net_namespaces
            as() { setpriv --bounding-set=-all --inh-caps=-all "$@"; }
            as $SPIRAL exec --ports 9 -- true; echo status $?
            as $SPIRAL exec --host-network -- bash -c 'setsid sleep \(marker) & exec 3<>/dev/tcp/127.0.0.1/9'; echo status $?
            """
        let output = try ChildProcess.output(
            of: "/usr/bin/unshare",
            ["-Ur", "bash", "-c", "SPIRAL=\(try Program.path("spiral"))\n" + forbid]
        )
        #expect(output.contains("lets only root make a network namespace"), "\(output)")
        #expect(output.contains("status 3"))
        #expect(output.contains("no PID namespace here"))
        #expect(output.contains("connect failed with ECONNREFUSED: 1"))
        #expect(output.contains("status 1"))
        #expect(eventually { (try? Self.processes(with: marker, from: "sleep").isEmpty) ?? false })
    }

    /// Processes whose command line contains a text, and begins with one.
    private static func processes(with text: String, from beginning: String = "") throws -> [Int32] {
        try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter { process in
            guard process != getpid(), let bytes = try? Program.contents(of: "/proc/\(process)/cmdline") else {
                return false
            }
            let line = bytes.replacing("\0", with: " ")
            return line.contains(text) && line.hasPrefix(beginning)
        }
    }
}
