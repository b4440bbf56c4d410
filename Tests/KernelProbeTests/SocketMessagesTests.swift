import Glibc
import POSIX
import TestSupport
import Testing

@testable import KernelProbe

/// Answers of sock_diag as bytes, those among them that no kernel is easily brought to give.
@Suite("sock_diag answers")
struct SocketMessagesTests {
    /// NLM_F_DUMP_INTR in linux/netlink.h
    private let dumpInterrupted: CInt = 0x10

    private func message(_ type: CInt, _ body: [UInt8], flags: CInt = 0) -> [UInt8] {
        var bytes: [UInt8] = []
        for value in [UInt32(16 + body.count), UInt32(type) | UInt32(flags) << 16, 0, 0] {
            withUnsafeBytes(of: value) { bytes += $0 }
        }
        return bytes + body
    }

    /// A struct inet_diag_msg from 127.0.0.1:40000 to 127.0.0.2:80.
    private func socket(state: UInt8 = 1, expires: UInt32 = 0) -> [UInt8] {
        var body = [UInt8](repeating: 0, count: 72)
        body[0] = UInt8(AF_INET)
        body[1] = state
        (body[4], body[5], body[6], body[7]) = (0x9c, 0x40, 0, 80)
        (body[8], body[11], body[24], body[27]) = (127, 1, 127, 2)
        withUnsafeBytes(of: expires) { body.replaceSubrange(52..<56, with: $0) }
        return body
    }

    private func read(_ bytes: [UInt8]) throws -> (messages: SocketMessages, sockets: [ListedSocket]) {
        var sockets: [ListedSocket] = []
        let messages = try bytes.withUnsafeBytes { try SocketMessages.read($0, asked: .both) { sockets.append($0) } }
        return (messages, sockets)
    }

    private func error(of bytes: [UInt8]) -> SystemCallError? {
        #expect(throws: SystemCallError.self) { try read(bytes) }
    }

    @Test("a socket's ends, state and time left in TIME_WAIT are read")
    func sockets() throws {
        let read = try read(
            message(20, socket()) + message(20, socket(state: 6, expires: 59_000)) + message(3, [0, 0, 0, 0])
        )
        #expect(read.messages == SocketMessages(isLast: true, isInterrupted: false))
        #expect(
            read.sockets.map { "\($0.local) \($0.remote)" }
                == Array(repeating: "127.0.0.1:40000 127.0.0.2:80", count: 2)
        )
        #expect(read.sockets.map(\.timeWaitLeft) == [0, 59_000])
    }

    @Test("FIN_WAIT2 that no process has any more comes back as TIME_WAIT does, and is not reused")
    func finWait2() throws {
        var kept = socket(state: TCPState.finWait2.rawValue, expires: 30_000)
        // One that a process has: its expiry is another timer's.
        let own = socket(state: TCPState.finWait2.rawValue, expires: 200)
        kept[2] = 3
        let sockets = try read(message(20, kept) + message(20, own)).sockets
        let holds = sockets.map { SocketHold(state: $0.state, timeWaitLeft: $0.timeWaitLeft) }
        #expect(holds.map(\.left) == [30_000, nil])
        #expect(holds.map(\.isOpen) == [false, true])
        #expect(holds.map(\.state) == [TCPState.finWait2.rawValue, TCPState.finWait2.rawValue])
        #expect(holds.map(\.isTimeWait) == [false, false])
        let timeWait = SocketHold(state: TCPState.timeWait.rawValue, timeWaitLeft: 60_000)
        #expect(timeWait < holds[0] && holds[0] < holds[1])
        #expect(timeWait.isTimeWait && timeWait.left == 60_000)

        var settings = NamespaceSettings(range: PortRange(lowestPort: 32768, highestPort: 61000))
        (settings.twReuse, settings.twReuseDelay) = (1, .seconds(1))
        var table = SocketTable()
        for socket in sockets { table.add(socket) }
        let row = try #require(PortUse(table, settings, taken: .now).rows.first)
        #expect([row.open, row.timeWait, row.reusable] == [1, 1, 0])
    }

    @Test("link-local addresses are each interface's own; others are the same on all")
    func interfaces() throws {
        func sources(_ address: [UInt8], on interface: UInt8) throws -> IPAddress {
            var body = socket()
            body[0] = UInt8(AF_INET6)
            body.replaceSubrange(8..<24, with: address)
            body.replaceSubrange(40..<44, with: [interface, 0, 0, 0])
            return try #require(try read(message(20, body)).sockets.first).local.address
        }
        let linkLocal: [UInt8] = [0xfe, 0x80] + [UInt8](repeating: 0, count: 13) + [1]
        let global: [UInt8] = [0xfd, 0] + linkLocal.dropFirst(2)
        #expect(try sources(linkLocal, on: 1) != sources(linkLocal, on: 200))
        #expect(try sources(linkLocal, on: 200).description == "fe80::1%200")
        #expect(try sources(linkLocal, on: 1).description == "fe80::1%lo")
        #expect(try sources(linkLocal, on: 7).anywhere == IPAddress(text: "fe80::1"))
        #expect(try sources(global, on: 1) == sources(global, on: 2))
        #expect(try sources(global, on: 2).description == "fd00::1")
    }

    @Test("a table that changed while it was listed is noticed, on any message of the answer")
    func interrupted() throws {
        #expect(try read(message(20, socket(), flags: dumpInterrupted)).messages.isInterrupted)
        #expect(
            try read(message(3, [0, 0, 0, 0], flags: dumpInterrupted)).messages
                == .init(isLast: true, isInterrupted: true)
        )
        #expect(try !read(message(20, socket())).messages.isInterrupted)
    }

    @Test("the kernel's refusals keep their numbers, at the start and in the midst of a list")
    func refused() {
        let none = error(of: message(2, withUnsafeBytes(of: -ENOENT) { Array($0) }))
        #expect(none?.name == "ENOENT")
        #expect(none?.description == "sock_diag TCP: no such file or directory")
        let ended = error(of: message(20, socket()) + message(3, withUnsafeBytes(of: -ENOMEM) { Array($0) }))
        #expect(ended?.name == "ENOMEM")
    }

    @Test("a kernel that lists no sockets, and one that may not be asked, have a sentence each")
    func explanations() {
        let missing = SocketDiagnostics.explanation(
            of: SystemCallError("sock_diag", on: "TCP over IPv4", errno: ENOENT)
        )
        #expect(
            missing.contains("sock_diag TCP over IPv4: no such file or directory")
                && missing.contains("modprobe tcp_diag")
        )
        let forbidden = SocketDiagnostics.explanation(
            of: SystemCallError("socket", on: "netlink sock_diag", errno: EPERM)
        )
        #expect(forbidden.contains("a sandbox forbids netlink"))
        let other = SocketDiagnostics.explanation(of: SystemCallError("sock_diag", errno: ENOMEM))
        #expect(other == "the kernel does not list its sockets: sock_diag: cannot allocate memory")
    }

    @Test("a datagram cut short is an error and no socket")
    func cut() {
        let whole = message(20, socket())
        for length in [17, 40, whole.count - 1] { #expect(error(of: Array(whole[..<length]))?.name == "EBADMSG") }
        #expect(error(of: message(20, Array(socket()[..<60])))?.name == "EBADMSG")
        var endless = whole
        endless.replaceSubrange(0..<4, with: [0, 0, 0, 0])
        #expect(error(of: endless)?.name == "EBADMSG")
    }

    @Test("each family alone adds up to both at once", .requiresNamespaces)
    func families() throws {
        try inNetworkNamespace {
            let listener = try PlainSocket.listening(on: IPEndpoint(text: "[::]:4000")!)
            let ends = ["127.0.0.1:4000", "[::1]:4000", "127.0.0.1:4000"].map { IPEndpoint(text: $0)! }
            let open = try ends.enumerated().map { try PlainConnection($1, at: listener, mapped: $0 == 2) }
            func listed(_ family: SocketRequest.Family) throws -> [ListedSocket] {
                var sockets: [ListedSocket] = []
                let request = SocketRequest(family: family, states: SocketRequest.connected, destinationPort: 4000)
                _ = try SocketDiagnostics.dump(request) { sockets.append($0) }
                return sockets
            }
            #expect(try listed(.one(AF_INET)).count == 1)
            #expect(try listed(.one(AF_INET6)).count == 2)
            #expect(try listed(.both).count == 3)
            _ = open
        }
    }
}

@Suite("Addresses and ports")
struct AddressTests {
    @Test(
        "an address is written in its shortest form, a mapped one as the IPv4 address it is",
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("::ffff:127.0.0.1", "127.0.0.1"), ("[::1]", "::1"),
            ("2001:DB8:0:0::1", "2001:db8::1"), ("::", "::"), ("0.0.0.0", "0.0.0.0"),
        ]
    )
    func addresses(_ text: String, _ shortest: String) throws {
        let address = try #require(IPAddress(text: text))
        #expect(address.description == shortest)
        #expect(IPAddress(text: shortest) == address)
        #expect(address.family == (shortest.contains(":") ? .ipv6 : .ipv4))
    }

    @Test(
        "what is no address or end is none",
        arguments: ["", "1", "127.1", "127.0.0.1:80", "::1]", "fe80::1%lo", "x::"]
    )
    func noAddress(_ text: String) {
        #expect(IPAddress(text: text) == nil)
    }

    @Test("ends have brackets where colons could be mistaken")
    func endpoints() {
        #expect(IPEndpoint(text: "[::1]:80")?.description == "[::1]:80")
        #expect(IPEndpoint(text: "[::ffff:10.0.0.1]:80")?.description == "10.0.0.1:80")
        for text in ["::1:80", "10.0.0.1", "10.0.0.1:x", "10.0.0.1:65536", ":80"] {
            #expect(IPEndpoint(text: text) == nil)
        }
    }

    @Test("loopback and wildcard are known of both families")
    func kinds() {
        #expect(["127.9.9.9", "::1", "::ffff:127.0.0.1"].allSatisfy { IPAddress(text: $0)!.isLoopback })
        #expect(["0.0.0.0", "::", "::ffff:0.0.0.0"].allSatisfy { IPAddress(text: $0)!.isWildcard })
        #expect(["10.0.0.1", "::2", "fe80::1"].allSatisfy { !IPAddress(text: $0)!.isLoopback })
    }

    @Test("a list of ports is read and written as the kernel does")
    func portSets() throws {
        let set = try #require(PortSet(text: "8080,40000-40002,65535\n"))
        #expect(set.count == 5)
        #expect(set.text == "8080,40000-40002,65535")
        #expect(PortSet(text: "")?.count == 0)
        for text in ["x", "1-", "70000", "5-4"] { #expect(PortSet(text: text) == nil) }
        let range = PortRange(lowestPort: 40000, highestPort: 40009, reserved: set)
        #expect([range.ports, range.reservedCount] == [7, 3])
        #expect(abs(range.sustainableDialsPerSecond - 7.0 / 60) < 1e-9)
    }

    @Test("TIME_WAIT ports are taken again after the setting's delay, or at the clock's next second")
    func reuse() {
        let now = MonotonicInstant(nanoseconds: 5_300_000_000)
        #expect([1000, 1001].map { TimeWaitReuse.after(.seconds(1)).allows(age: $0, at: now) } == [false, true])
        #expect(
            [200, 299, 301, 1500].map { TimeWaitReuse.nextSecond.allows(age: $0, at: now) } == [
                false, false, true, true,
            ]
        )
        #expect(!TimeWaitReuse.never.allows(age: 59_000, at: now))
        var settings = NamespaceSettings(range: PortRange(lowestPort: 1, highestPort: 2))
        let (loopback, remote) = (IPAddress(.loopback), IPAddress(text: "10.0.0.1")!)
        #expect(settings.reuse(from: loopback, to: remote) == .never)
        settings.twReuse = 2
        #expect(settings.reuse(from: remote, to: loopback) == .nextSecond)
        #expect(settings.reuse(from: remote, to: remote) == .never)
        settings.twReuse = 1
        settings.twReuseDelay = .seconds(2)
        #expect(settings.reuse(from: remote, to: remote) == .after(.seconds(2)))
        settings.timestamps = false
        #expect(settings.reuse(from: remote, to: remote) == .never)
    }

    @Test("a namespace's settings are its own, and one this kernel lacks is none", .requiresNamespaces)
    func settings() throws {
        try inNetworkNamespace(ports: 100) {
            for (name, value) in [
                ("ip_local_reserved_ports", "32770-32779"), ("tcp_tw_reuse", "1"), ("tcp_max_tw_buckets", "4096"),
                ("tcp_timestamps", "0"),
            ] { try Sysctl.write("net.ipv4.\(name)", value) }
            let settings = try NamespaceSettings.current()
            #expect(settings.range.ports == 90)
            #expect(settings.range.reserved.text == "32770-32779")
            #expect([settings.twReuse, settings.maxTimeWaitBuckets] == [1, 4096])
            #expect(settings.timestamps == false)
            #expect(
                (try? Sysctl.read("net.ipv4.tcp_tw_reuse_delay")).map { Int($0) }
                    == settings.twReuseDelay.map { Int($0.components.seconds) * 1000 }
            )
        }
    }
}
