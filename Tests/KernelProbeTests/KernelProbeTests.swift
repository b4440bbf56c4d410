import Glibc
import POSIX
import TestSupport
import Testing

@testable import KernelProbe

@Suite("Kernel probe")
struct KernelProbeTests {
    /// What `ss` counts, in the calling thread's namespace.
    private func ss(_ filter: String) throws -> Int {
        let text = try ChildProcess.output(of: "/bin/sh", ["-c", "ss -Htan \(filter) | wc -l"])
        return try #require(Int(text.filter(\.isNumber)))
    }

    @Test("sockets are counted as ss counts them", .requiresNamespaces)
    func agreesWithSS() throws {
        try inNetworkNamespace {
            let listener = try Socket.listening(on: .ipv4(.loopback, port: 4000), backlog: 100)
            let other = try Socket.listening(on: .ipv4(.loopback, port: 4001), backlog: 100)
            var open: [SocketBox] = []
            for index in 0..<30 {
                let source = IPv4Address(value: 0x7f00_0001 + UInt32(index % 3))
                open.append(
                    SocketBox(
                        try .connected(to: .ipv4(.loopback, port: 4000), from: IPAddress(source), timeout: .seconds(1))
                    )
                )
                let accepted = try listener.accept()
                // A third are closed, dialling side first: they rest in TIME_WAIT.
                if index < 10 {
                    open.removeLast()
                    _ = consume accepted
                } else if let accepted {
                    open.append(SocketBox(accepted))
                }
            }
            open.append(SocketBox(try .connected(to: .ipv4(.loopback, port: 4001), timeout: .seconds(1))))

            let counts = try SocketDiagnostics.survey(towardsPort: 4000)
            #expect([counts.established, counts.timeWait, counts.other] == [20, 10, 0])
            #expect(counts.sourceCount == 3)
            #expect(counts.busiestSources(9).map(\.ports) == [10, 10, 10])
            #expect(try ss("state established dport = 4000") == counts.established)
            #expect(try ss("state time-wait dport = 4000") == counts.timeWait)
            let one = IPv4Address(value: 0x7f00_0002)
            let ofOne = try SocketDiagnostics.survey(towardsPort: 4000, from: one)
            #expect(try ss("state established dport = 4000 src \(one)") == ofOne.established)
            #expect(try ss("state time-wait dport = 4000 src \(one)") == ofOne.timeWait)
            #expect(try SocketDiagnostics.survey(towardsPort: nil).established == ss("state established"))
            _ = consume other
        }
    }

    @Test("TCP counters are nstat's, and the socket summary is ss's", .requiresNamespaces)
    func countersAgree() throws {
        try inNetworkNamespace {
            let listener = try Socket.listening(on: .ipv4(.loopback, port: 4000), backlog: 100)
            for _ in 0..<25 {
                // The dialling side closes first.
                do { _ = try Socket.connected(to: .ipv4(.loopback, port: 4000), timeout: .seconds(1)) }
                _ = try listener.accept()
            }
            let counters = try TCPCounters.current()
            let nstat = try ChildProcess.output(of: "/bin/sh", ["-c", "nstat -asz"]).split(separator: "\n")
                .map { $0.split(separator: " ") }
            for name in [
                "TcpActiveOpens", "TcpOutRsts", "TcpExtTW", "TcpExtTCPTimeWaitOverflow", "TcpExtListenOverflows",
            ] {
                let row = try #require(nstat.first { $0[0] == name[...] })
                #expect(counters[name] == Int(row[1]), "\(name)")
            }
            #expect(counters["TcpActiveOpens"] == 25)
            let summary = try SocketSummary.current()
            #expect(try summary.timeWait == ss("state time-wait"))
            #expect(summary.timeWait == 25)
        }
    }

    @Test("a survey names every state and the ports each source address holds, as ss lists them", .requiresNamespaces)
    func surveys() throws {
        try inNetworkNamespace(ports: 200) {
            let listener = try Socket.listening(on: .ipv4(.loopback, port: 4000), backlog: 200)
            for index in 0..<60 {
                let source = IPv4Address(value: 0x7f00_0005 + UInt32(index % 2))
                do {
                    _ = try Socket.connected(
                        to: .ipv4(.loopback, port: 4000),
                        from: IPAddress(source),
                        timeout: .seconds(1)
                    )
                }
                // Left in the accept queue, the server's side stays in CLOSE-WAIT and ours in FIN-WAIT-2.
                if index % 3 == 0 { _ = try listener.accept() }
            }
            // The other side may take 40 ms to acknowledge that we closed.
            let settled = try eventually { try SocketDiagnostics.survey(towardsPort: 4000)[.finWait2] == 40 }
            #expect(settled)
            let survey = try SocketDiagnostics.survey(towardsPort: 4000)
            for (state, name) in [
                (TCPState.timeWait, "time-wait"), (.finWait2, "fin-wait-2"), (.established, "established"),
            ] {
                let listed = try ss("state \(name) dport = 4000")
                #expect(survey[state] == listed, "\(name)")
            }
            #expect(survey.total == 60)
            #expect(survey.byState.reduce(0) { $0 + $1.sockets } == 60)
            #expect(survey.portsInUse == 30)
            for (address, ports) in survey.busiestSources(9) {
                #expect(try ss("dport = 4000 src \(address)") == ports)
            }
        }
    }

    @Test("a process's descriptors, their limit and its sockets are /proc's")
    func descriptors() throws {
        let open = try (0..<20).map { _ in SocketBox(try Socket.listening(on: .ipv4(.loopback, port: 0), backlog: 1)) }
        let status = try ProcessStatus.read()
        #expect(status.descriptorLimit == DescriptorLimit.current.soft)
        let inodes = try ProcessStatus.socketInodes(of: getpid())
        #expect(inodes.count >= open.count)
        #expect(status.openDescriptors >= inodes.count)
        // What tests before this one left to threads may close meanwhile.
        let agrees = try eventually {
            let now = try ProcessStatus.read().openDescriptors
            let listed = try ChildProcess.output(of: "/bin/sh", ["-c", "ls /proc/\(getpid())/fd | wc -l"])
            // The shell's own pipe to us is open while it looks.
            return abs((Int(listed.filter(\.isNumber)) ?? 0) - now) <= 2
        }
        #expect(agrees)
    }

    private final class SocketBox {
        let socket: Socket
        init(_ socket: consuming Socket) { self.socket = socket }
    }

    @Test("the port budget is the range's arithmetic")
    func portBudget() {
        let budget = PortRange(lowestPort: 32768, highestPort: 60999)
        #expect(budget.ports == 28_232)
        #expect(abs(budget.sustainableDialsPerSecond - 470.53) < 0.01)
    }

    @Test("the budget is read from the namespace's own range", .requiresNamespaces)
    func currentBudget() throws {
        let narrowed = try inNetworkNamespace(ports: 100) { try PortRange.current() }
        #expect(narrowed == PortRange(lowestPort: 32768, highestPort: 32867))
        let own = try PortRange.current()
        #expect(own != narrowed)
    }

    @Test("a process's threads and memory are the kernel's figures")
    func processStatus() throws {
        let before = try ProcessStatus.read()
        #expect(before.residentBytes > 1 << 20)
        #expect(try ProcessStatus.read(1).threads >= 1)
        #expect(throws: SystemCallError.self) { try ProcessStatus.read(Int32.max) }
    }

    @Test("a setting that this kernel does not have is reported by name")
    func missingSysctl() {
        let error = #expect(throws: SystemCallError.self) { try Sysctl.read("net.ipv4.no_such_setting") }
        #expect(error?.name == "ENOENT")
        #expect(error?.description == "open /proc/sys/net/ipv4/no_such_setting: no such file or directory")
    }
}
