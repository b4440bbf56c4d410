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
                    SocketBox(try .connected(to: .ipv4(.loopback, port: 4000), from: source, timeout: .seconds(1)))
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

            let counts = try SocketDiagnostics.count(towardsPort: 4000)
            #expect(counts == SocketCounts(established: 20, timeWait: 10, other: 0))
            #expect(try ss("state established dport = 4000") == counts.established)
            #expect(try ss("state time-wait dport = 4000") == counts.timeWait)
            let one = IPv4Address(value: 0x7f00_0002)
            let ofOne = try SocketDiagnostics.count(towardsPort: 4000, from: one)
            #expect(try ss("state established dport = 4000 src \(one)") == ofOne.established)
            #expect(try ss("state time-wait dport = 4000 src \(one)") == ofOne.timeWait)
            #expect(try SocketDiagnostics.countAll().established == ss("state established"))
            _ = consume other
        }
    }

    private final class SocketBox {
        let socket: Socket
        init(_ socket: consuming Socket) { self.socket = socket }
    }

    @Test("the port budget is the range's arithmetic")
    func portBudget() {
        let budget = PortBudget(lowestPort: 32768, highestPort: 60999)
        #expect(budget.ports == 28_232)
        #expect(abs(budget.sustainableDialsPerSecond - 470.53) < 0.01)
        #expect(budget.timeToExhaustion(dialsPerSecond: 470) == nil)
        #expect(budget.timeToExhaustion(dialsPerSecond: 28_232) == .seconds(1))
    }

    @Test("the budget is read from the namespace's own range", .requiresNamespaces)
    func currentBudget() throws {
        let narrowed = try inNetworkNamespace(ports: 100) { try PortBudget.current() }
        #expect(narrowed == PortBudget(lowestPort: 32768, highestPort: 32867))
        let own = try PortBudget.current()
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
