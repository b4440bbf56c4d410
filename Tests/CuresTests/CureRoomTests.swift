import Foundation
import KernelProbe
import POSIX
import TestSupport
import Testing

@testable import Cures

/// Cures played for real, against what memcached, `ss` and `strace` saw of it.
@Suite("Cure rooms")
struct CureRoomTests {
    private static let hasIPv6 = FileManager.default.fileExists(atPath: "/proc/net/if_inet6")

    private func output(_ command: String) throws -> String {
        let file = try TemporaryFile()
        var child = try ChildProcess("/bin/sh", ["-c", "\(command) > \(file.path)"], output: 2)
        #expect(eventually(within: .seconds(10)) { child.poll() != nil })
        return try file.contents
    }

    @Test(
        "dials are what memcached counted, TIME_WAIT what ss lists, and the errno is of the call that failed",
        .slow,
        .requiresNamespaces,
        .requires("memcached", package: "memcached"),
        .requires("ss", package: "iproute2"),
        arguments: ["nothing", "late-bind-destinations", "server-closes"] + (hasIPv6 ? ["ipv6-rotate-source"] : [])
    )
    func oracles(name: String) throws {
        let cure = try #require(Cure.all.first { $0.name == name })
        let plan = CuresPlan([name], ports: 64, repetitions: 1, seed: 7)
        try inNetworkNamespace {
            let room = try CureRoom(cure, plan)
            defer { room.end() }
            let measured = try room.play(pause: .milliseconds(20))
            #expect(measured.dials.ok == measured.dials.countedByMemcached)
            #expect(measured.batches.map(\.uris) == [256, 256])
            #expect(measured.others.ok + measured.others.failed > 0)
            let timeWaits = try output("ss -Htan state time-wait '( dport = :11211 )' | wc -l")
            let listed = try #require(Int(timeWaits.filter(\.isNumber)))
            // The other program goes on for a moment after the last look.
            #expect(measured.timeWaitPeak <= listed && listed <= measured.timeWaitPeak + 5)
            let atMemcached = try output("ss -Htan state time-wait '( sport = :11211 )' | wc -l")
            let closedThere = try #require(Int(atMemcached.filter(\.isNumber)))
            #expect(abs(closedThere - (measured.memcachedTimeWaitPeak ?? -100)) <= 5)
            // What the server closed is at one end, and what memcached closed at the other.
            let ours = try output("ss -Htan state time-wait '( dport = :11211 and src 127.32.0.1 )' | wc -l")
            let closedHere = try #require(Int(ours.filter(\.isNumber)))
            #expect((closedThere > 30) == (name == "server-closes"))
            #expect((closedHere > 30) == (name != "server-closes" && cure.route != .ipv6), "\(closedHere)")
            let errors = Set(measured.dials.errorsByCall.keys)
            #expect(errors == (cure.expectedError.map { [$0] } ?? []), "\(measured.dials.errorsByCall)")
            if name == "nothing" { #expect(measured.others.failed > 0) }
            if cure.expected == .cures { #expect(measured.others.failed == 0) }
        }
    }

    @Test(
        "failed dials are those that strace saw fail, by call and errno",
        .slow,
        .requiresNamespaces,
        .requires("strace", package: "strace")
    )
    func straced() throws {
        let trace = try TemporaryFile()
        let json = trace.folderPath + "/result.json"
        let program = try Program.path("spiral")
        let arguments = "cures --only nothing --ports 128 --quiet --json \(json)"
        _ = try output("strace -f -qq -e trace=bind -o \(trace.path) \(program) \(arguments)")
        let measured = try #require(CuresResult(json: Array(try Program.contents(of: json).utf8)).cures.first)
        // A call that another thread's interrupts is two lines, of which the second has the errno.
        let failed = try trace.contents.split(separator: "\n").filter { $0.contains("EADDRINUSE") }
        #expect(failed.count > 0 && measured.dials?.errorsByCall == ["bind EADDRINUSE": failed.count])
    }

    @Test("what this kernel does not have makes a cure unavailable, and says what it is", .requiresNamespaces)
    func missing() throws {
        let cure = Cure("none", "", why: "", cost: "", source: "", expected: .cures)
        let plan = CuresPlan([], ports: 128, repetitions: 1, seed: 1)
        for (cure, reason) in [
            (cure.sysctl("net.ipv4.no_such_setting", "1"), "net.ipv4.no_such_setting"),
            (cure.sysctl("net.ipv6.conf.lo.disable_ipv6", "1").route(.ipv6), "IPv6 is off"),
        ] {
            let error = #expect(throws: CureUnavailable.self) {
                try inNetworkNamespace { _ = try CureRoom(cure, plan) }
            }
            #expect(error?.description.contains(reason) == true)
        }
    }

    @Test(
        "wrong options are refused with what to do",
        arguments: [
            (["--only", "tw-reuse"], "'tw-reuse' is not a cure; did you mean tw-reuse-"),
            (["--only", "linger-longer-than-that"], "'spiral cures --list' has their names"),
            (["--ports", "8"], "--ports: use a number from 128 to 16384"),
            (["--resume"], "--resume goes on with the file that --json names"),
            (["--one-by-one", "--only", "limit"], "limit is about lookups that go together; leave out --one-by-one"),
            (["--full-range", "--ports", "128"], "--full-range and --ports: use one of them"),
            (["--json", "-", "--report", "-"], "only one of --json, --report and --markdown"),
        ]
    )
    func usage(options: [String], message: String) throws {
        let program = try Program("spiral", ["cures"] + options)
        #expect(program.wait() == .status(2))
        #expect(try program.text.contains(message))
    }

    @Test(
        "an interrupted one goes on where it was, and its outputs are there",
        .slow,
        .requiresNamespaces,
        .requires("memcached", package: "memcached")
    )
    func resumed() throws {
        let json = try TemporaryFile()
        let arguments = ["cures", "--ports", "128", "--only", "limit-idle", "--json", json.path]
        let first = try Program("spiral", arguments)
        #expect(eventually(within: .seconds(30)) { (try? json.contents.contains("roomMilliseconds")) ?? false })
        first.send(2)
        #expect(first.wait() == .status(1))
        let pages = try TemporaryFile()
        let second = try Program(
            "spiral",
            arguments + ["--resume", "--report", pages.path, "--markdown", pages.folderPath + "/md"]
        )
        let end = second.wait()
        let text = try second.text
        #expect(end == .status(0), "\(text)")
        let result = try CuresResult(json: Array(try json.contents.utf8))
        #expect(result.runs.count == 2 && !result.interrupted)
        #expect(try pages.contents.contains("<h1>Why not just …?</h1>"))
        #expect(try Program.contents(of: pages.folderPath + "/md").contains("| limit-idle | cures |"))
        let again = try Program("spiral", ["report", json.path, "-o", pages.path])
        #expect(again.wait() == .status(0))
        #expect(try again.text.contains("2 cures"))
        let other = try Program("spiral", ["cures", "--ports", "129", "--json", json.path, "--resume"])
        #expect(other.wait() == .status(2))
        #expect(try other.text.contains("is of other options"))
    }

    @Test(
        "without twemproxy its cures are not played, which names the package and fails nothing",
        .slow,
        .requiresNamespaces,
        .requires("memcached", package: "memcached")
    )
    func withoutProxy() throws {
        let folder = try TemporaryFile()
        let memcached = try #require(Program.onPath("memcached"))
        let programs = folder.folderPath + "/programs"
        try FileManager.default.createDirectory(atPath: programs, withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: programs + "/memcached", withDestinationPath: memcached)
        let program = try Program(
            "spiral",
            ["cures", "--ports", "128", "--only", "proxy-unix", "--json", folder.path],
            searchPath: programs
        )
        let end = program.wait()
        let text = try program.text
        #expect(end == .status(0), "\(text)")
        #expect(
            text.contains(
                "not played: proxy-unix: twemproxy is not installed; install it with 'apt-get install nutcracker'"
            )
        )
        let result = try CuresResult(json: Array(try folder.contents.utf8))
        #expect(result.cures.map(\.verdict) == [.nothing, .unavailable])
        #expect(result.runs.compactMap(\.measurement).allSatisfy { $0.roomMilliseconds > 0 })
    }

    @Test(
        "where nobody may make a network namespace it says so, and ends with 3",
        .requires("unshare", package: "util-linux"),
        .enabled("needs user namespaces") {
            var child = try ChildProcess("/bin/sh", ["-c", "unshare -Ur true"], output: 2)
            return eventually { child.poll() != nil } && child.poll() == .status(0)
        }
    )
    func refused() throws {
        let program = try Program.path("spiral")
        let script = "echo 0 > /proc/sys/user/max_net_namespaces; \(program) cures --only limit 2>&1; echo status $?"
        let text = try output("unshare -Ur sh -c '\(script)'")
        #expect(text.contains("each cure needs a network namespace: not permitted"), "\(text)")
        #expect(text.hasSuffix("'spiral doctor' says what to do\nstatus 3\n"), "\(text)")
    }
}
