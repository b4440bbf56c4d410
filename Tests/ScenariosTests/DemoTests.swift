import Forecast
import Glibc
import KernelProbe
import LoadGenerator
import POSIX
import PostRecords
import Results
import TestSupport
import Testing
import Text

@testable import Scenarios

/// The demo from beginning to end, and what it leaves behind.
@Suite("Demo", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(4)))
struct DemoTests {
    /// The processes whose command line contains a text.
    private func processes(containing text: String) throws -> [String] {
        // The brackets keep the search from finding itself.
        let pattern = "[\(text.prefix(1))]\(text.dropFirst())"
        let text = try ChildProcess.output(of: "/bin/sh", ["-c", "pgrep -af '\(pattern)' || true"])
        return text.split(separator: "\n").map { String($0) }
    }

    @Test("it reproduces the incident and heals it, and its figures agree with each other", .slow)
    func reproducesAndHeals() throws {
        let json = try TemporaryFile()
        let rangeBefore = try Sysctl.read("net.ipv4.ip_local_port_range")
        let own = try TemporaryFile()
        let demo = try Program("spiral", ["demo", "--quick", "--json", json.path], temporaryFolder: own.folderPath)
        let exit = demo.wait(within: .seconds(180))
        let text = try demo.text
        #expect(exit == .status(0), "\(text)")

        let result = try JSONText.decode(RunResult.self, from: Array(try json.contents.utf8))
        #expect(result.verdict.pass)
        #expect(result.phases.map(\.name) == ["healthy", "incident", "band-aid", "pool", "fix"])
        for phase in result.phases {
            // Every URI the clients sent is one lookup, and each has one outcome.
            #expect(phase.lookups.total == phase.clients.reduce(0) { $0 + $1.uris }, "\(phase.name)")
            #expect(phase.lookups.hits == phase.clients.reduce(0) { $0 + $1.records.found }, "\(phase.name)")
            #expect(phase.clients.allSatisfy { $0.ok == $0.batches && $0.failed == 0 }, "\(phase.name)")
            #expect(phase.logLines.written == phase.lookups.failed, "\(phase.name)")
            #expect(phase.portsCapacity == 1024)
        }
        let incident = result.phases[1]
        // One more source address has all its ports: those of this one were dialled once each.
        #expect(result.phases[0].dials.ok + incident.dials.ok == 1024)
        #expect(incident.lookups.errors["EADDRINUSE"] == incident.dials.failed)
        #expect(text.contains("bind: address already in use"))
        // The machine's own network is as it was.
        #expect(try Sysctl.read("net.ipv4.ip_local_port_range") == rangeBefore)
        #expect(try processes(containing: own.folderPath).isEmpty)
    }

    @Test("Ctrl-C ends it at any moment and leaves no process and no folder", .slow, arguments: [50, 400, 1500, 6000])
    func interrupted(milliseconds: Int) throws {
        let own = try TemporaryFile()
        let demo = try Program("spiral", ["demo"], temporaryFolder: own.folderPath)
        sleepThread(for: .milliseconds(milliseconds))
        demo.send(SIGINT)
        let exit = demo.wait(within: .seconds(15))
        // Before the demo has begun to listen for it, the signal itself ends it.
        #expect(exit == .status(1) || exit == .signal(SIGINT), "\(String(describing: exit))")
        #expect(try processes(containing: own.folderPath).isEmpty)
        #expect(try ChildProcess.output(of: "/bin/ls", [own.folderPath]) == "")
    }

    @Test("killed outright, it still leaves no process: the kernel ends them with it")
    func killed() throws {
        let own = try TemporaryFile()
        let demo = try Program("spiral", ["demo"], temporaryFolder: own.folderPath)
        let started = try eventually(within: .seconds(20)) {
            try processes(containing: "--log-sink file:\(own.folderPath)").count == 1
        }
        #expect(started, "the server must have been there to be gone")
        demo.send(SIGKILL)
        #expect(demo.wait() == .signal(SIGKILL))
        let gone = try eventually { try processes(containing: own.folderPath).isEmpty }
        #expect(gone)
    }
}

@Suite("Doctor")
struct DoctorTests {
    @Test("the prediction is the port budget's arithmetic")
    func prediction() throws {
        let budget = PortRange(lowestPort: 32768, highestPort: 60999)
        func prediction(_ clients: String...) throws -> Finding {
            let specs = try clients.map { try ClientSpec(text: $0) }
            let findings = Doctor(clients: specs, portRange: budget, network: .host).examine()
            return try #require(findings.last)
        }
        // 98 dials ten times a second are 980 a second: 28,232 ports last 28.8 s.
        #expect(try prediction("a:uris=100,rate=10/s").value == "the ports run out after 28.8 s")
        // 470.5 a second are sustained.
        #expect(try prediction("a:uris=49,rate=10/s").value == "the ports never run out")
        #expect(try prediction("a:uris=30000,rate=1/m").value == "the ports run out with the first batch of a")
    }

    @Test("a range of which all is reserved is a bad finding")
    func reserved() throws {
        let ports = 40_000...40_009 as ClosedRange<UInt16>
        let budget = PortRange(lowestPort: 40_000, highestPort: 40_009, reserved: PortSet([ports]))
        let client = try ClientSpec(text: "a:uris=100,rate=10/s")
        let findings = Doctor(clients: [client], portRange: budget, network: .host).examine()
        let finding = try #require(findings.first { $0.name == "ports" })
        #expect(finding.value == "0 (all of 40000-40009 are in ip_local_reserved_ports)")
        #expect(finding.level == .bad)
        #expect(findings.last?.value == "the ports run out at once")
    }

    @Test("every finding says what it means, and every bad one what to do")
    func findings() throws {
        let findings = Doctor(clients: [], portRange: nil, network: .namespace).examine()
        let names = findings.map(\.name)
        for name in ["memcached", "libmemcached", "nofile", "ports", "tcp_tw_reuse", "somaxconn", "TIME_WAIT here"] {
            #expect(names.contains(name))
        }
        #expect(findings.allSatisfy { !$0.meaning.isEmpty })
        #expect(findings.filter { $0.level == .bad }.allSatisfy { !$0.advice.isEmpty })
    }
}
