import Glibc
import HTTP
import HTTPTypes
import KernelProbe
import POSIX
import Reports
import TestSupport
import Testbed
import Testing
import Text

/// `spiral ports` against sockets of the test's own.
@Suite("spiral ports", .requiresNamespaces, .timeLimit(.minutes(2)))
struct PortsCommandTests {
    private let loopback = IPAddress(.loopback)

    /// Runs it to its end.
    private func ports(_ arguments: [String], endsWith status: Int32 = 0) throws -> String {
        let program = try Program("spiral", ["ports"] + arguments)
        let exit = program.wait()
        let text = try program.text
        #expect(exit == .status(status), "\(arguments): \(text)")
        return text
    }

    private func document(_ arguments: [String] = []) throws -> PortDocument {
        let text = try ports(["--once", "--json", "-"] + arguments)
        #expect(text.split(separator: "\n").count == 1)
        return try JSONText.decode(PortDocument.self, from: Array(text.utf8))
    }

    /// Connections to as many ports as are named, from 4000 on.
    private func connections(
        _ counts: [Int],
        _ port: PlainSocket.Port = .unbound,
        mapped: Bool = false
    ) throws -> [PlainConnection] {
        try counts.enumerated().flatMap { index, count in
            let destination = IPEndpoint(loopback, port: 4000 + UInt16(index))
            let listener = try PlainSocket.listening(on: destination)
            return try (0..<count).map { _ in try PlainConnection(destination, at: listener, port, mapped: mapped) }
        }
    }

    @Test("IPv4-mapped and IPv6 sockets are seen, each in its family's row")
    func families() throws {
        try inNetworkNamespace(ports: 256) {
            let mapped = try connections([100], mapped: true)
            let end = IPEndpoint(text: "[::1]:4444")!
            let listener = try PlainSocket.listening(on: end)
            let pure = try (0..<60).map { _ in try PlainConnection(end, at: listener) }
            let document = try document()
            #expect(document.rows.map(\.family) == ["ipv4", "ipv6"])
            #expect(document.rows.map(\.destination) == ["127.0.0.1:4000", "[::1]:4444"])
            #expect(document.rows.map(\.inUse) == [100, 60])
            #expect(document.rows.map(\.capacity) == [256, 256])
            _ = (mapped, pure)
        }
    }

    @Test("a document has the namespace's settings, rates from two looks, and its schema; each look is a line", .slow)
    func documents() throws {
        try inNetworkNamespace(ports: 256) {
            try Sysctl.write("net.ipv4.ip_local_reserved_ports", "32768-32799")
            try Sysctl.write("net.ipv4.tcp_tw_reuse", "0")
            let open = try connections([20, 10], .bound(IPAddress(text: "127.32.0.1")!))
            let text = try ports(["--count", "2", "--interval", "300ms", "--json", "-"])
            let documents = try text.split(separator: "\n").map {
                try JSONText.decode(PortDocument.self, from: Array($0.utf8))
            }
            #expect(documents.map(\.schema) == ["spiral-ports/2", "spiral-ports/2"])
            let namespace = documents[0].namespace
            #expect(namespace.range == [32768, 33023])
            #expect(namespace.reserved == "32768-32799")
            #expect([namespace.capacity, namespace.twReuse, namespace.boundPorts] == [224, 0, 30])
            for row in documents.flatMap(\.rows) {
                #expect(row.sourceInUse == 30)
                #expect([row.connectsPerSecond, row.secondsLeft] == [0, nil])
                #expect([row.state, row.free] as [AnyHashable] == [PortState.steady, 194])
            }
            // Absent is null, and there all the same.
            #expect(text.contains("\"secondsLeft\":null"))
            let file = try TemporaryFile()
            _ = try ports(["--once", "--to", "4001", "--json", file.path])
            let narrowed = try JSONText.decode(PortDocument.self, from: Array(try file.contents.utf8))
            #expect(narrowed.rows.map(\.inUse) == [10])
            #expect([narrowed.totals.rows, narrowed.totals.inUse] == [2, 30])
            _ = open
        }
    }

    @Test(
        "a file for JSON keeps what it has until there is a first line, and source addresses are named when asked for",
        .slow
    )
    func files() throws {
        try inNetworkNamespace(ports: 64) {
            let open = try connections([3, 2], .bound(IPAddress(text: "127.32.0.1")!))
            let file = try TemporaryFile()
            try Descriptor.creating(file.path).writeAll(Array("old and longer than nothing\n".utf8))
            _ = try ports(["--pid", "999999999", "--once", "--json", file.path], endsWith: 3)
            #expect(try file.contents == "old and longer than nothing\n")
            _ = try ports(["--once", "--json", file.path])
            let written = try file.contents
            #expect(written.hasPrefix("{") && written.hasSuffix("}\n"))
            #expect(try ports(["--once", "--sources"]).contains("\n    127.32.0.1 5\n"))
            _ = open
        }
    }

    @Test(
        "two destinations of a program that binds nothing have the range each: no share above 100, nothing exhausted",
        .slow
    )
    func perDestination() throws {
        try inNetworkNamespace(ports: 64) {
            try Sysctl.write("net.ipv4.tcp_tw_reuse", "0")
            let open = try connections([60, 50])
            let document = try document()
            #expect(document.rows.map(\.inUse) == [60, 50])
            #expect(document.rows.allSatisfy { $0.state != .exhausted && $0.free == 64 - $0.inUse })
            let lines = try ports(["--once"]).split(separator: "\n")
            #expect(lines.allSatisfy { $0.count <= 80 })
            #expect(lines.contains { $0.contains("127.0.0.1:4000") && $0.contains(" 93 ") })
            _ = open
        }
    }

    @Test(
        "a destination nobody dials is said to be one, with the busiest ones, and what stands in a new dial's way",
        .slow
    )
    func nobody() throws {
        try inNetworkNamespace(ports: 64) {
            let some = try connections([20])
            let text = try ports(["--to", "9998", "--once"])
            #expect(text.contains("nobody dials towards port 9998; the busiest are 127.0.0.1:4000 (20)"))
            #expect(try document(["--to", "9998"]).rows.isEmpty)
            _ = try ports(["--to", "9998", "--once", "--fail-above", "80%"])
            _ = some
        }
        try inNetworkNamespace(ports: 64) {
            #expect(try ports(["--once"]).contains("nobody has dialled anything within the last minute"))
            // All ports are one bound address's: a dial to anywhere fails, though nobody dials there.
            let all = try connections([64], .bound(IPAddress(text: "127.32.0.1")!))
            let listener = try PlainSocket.listening(on: IPEndpoint(loopback, port: 9999))
            let error = #expect(throws: SystemCallError.self) {
                try PlainConnection(IPEndpoint(loopback, port: 9999), at: listener)
            }
            #expect(error?.name == "EADDRNOTAVAIL")
            let text = try ports(["--to", "9999", "--once", "--fail-above", "80%"], endsWith: 1)
            #expect(text.contains("bind() chose 64 ports, all there are: every dial that binds nothing fails"))
            _ = all
        }
    }

    @Test("thresholds end it with 1 and name the row, others with 0", .slow)
    func thresholds() throws {
        try inNetworkNamespace(ports: 100) {
            try Sysctl.write("net.ipv4.tcp_tw_reuse", "0")
            let open = try connections([85])
            let said = try ports(["--once", "--fail-above", "80%"], endsWith: 1)
            #expect(said.contains("127.0.0.1 to 127.0.0.1:4000: 85% of 100 ports are taken, which is above 80%"))
            _ = try ports(["--once", "--fail-above", "90%", "--fail-below", "60s"])
            let listener = try PlainSocket.listening(on: IPEndpoint(loopback, port: 4001))
            let all = try (0..<100).map { _ in try PlainConnection(IPEndpoint(loopback, port: 4001), at: listener) }
            #expect(try ports(["--once", "--fail-below", "60s"], endsWith: 1).contains("no port is left in 0 s"))
            _ = (open, all)
        }
    }

    /// A shell that dials port 4000 and keeps so many connections, or closes each at once and dials again.
    private func dialler(_ script: String) throws -> ChildProcess {
        let null = try Descriptor.writing("/dev/null")
        return try ChildProcess("/bin/bash", ["-c", script], output: null.rawValue)
    }

    @Test("a process is known by what it dials, even when nothing is open whenever it is looked at", .slow)
    func process() throws {
        try inNetworkNamespace(ports: 128) {
            let listener = try PlainSocket.listening(on: IPEndpoint(loopback, port: 4000))
            let other = IPEndpoint(loopback, port: 4001)
            let otherListener = try PlainSocket.listening(on: other)
            let others = try (0..<30).map { _ in try PlainConnection(other, at: otherListener) }
            var keeping = try dialler(
                "for i in 1 2 3 4 5; do exec {fd}<>/dev/tcp/127.0.0.1/4000; done; exec sleep 60"
            )
            defer { keeping.terminate(timeout: .zero) }
            let isThere = try eventually { try document(["--to", "4000"]).rows.first?.inUse == 5 }
            try #require(isThere)
            let kept = try ports(["--pid", "\(keeping.identifier)", "--once"])
            #expect(kept.contains("process \(keeping.identifier) dials 127.0.0.1:4000 (5 open)"))
            #expect(!kept.contains("127.0.0.1:4001"))

            var idle = try dialler("exec sleep 60")
            defer { idle.terminate(timeout: .zero) }
            let text = try ports(["--pid", "\(idle.identifier)", "--once"])
            #expect(text.contains("process \(idle.identifier) had no connection open when looked at"))
            #expect(text.contains("127.0.0.1:4000") && text.contains("127.0.0.1:4001"))
            _ = (listener, others)
        }
    }

    @Test("namespaces of others are entered, by process or name; what cannot be has a sentence of its own", .slow)
    func namespaces() throws {
        try inNetworkNamespace(ports: 128) {
            let open = try connections([33])
            let null = try Descriptor.writing("/dev/null")
            var sleeper = try ChildProcess("/bin/sleep", ["60"], output: null.rawValue)
            defer { sleeper.terminate(timeout: .zero) }
            let inside = sleeper.identifier
            try inNetworkNamespace {
                for arguments in [["--pid", "\(inside)"], ["--netns", "/proc/\(inside)/ns/net"]] {
                    let there = try document(arguments)
                    #expect(there.rows.map(\.inUse) == [33])
                }
                let here = try document()
                #expect(here.rows.isEmpty)
            }
            _ = open
        }
        for (arguments, status, said) in [
            (["--pid", "999999999"], 3, "--pid: there is no process 999999999"),
            (["--netns", "nowhere"], 3, "--netns: there is no network namespace 'nowhere'"),
            (["--netns", "/dev/null"], 3, "--netns: /dev/null is no network namespace"),
            (["--netns", "x", "--pid", "1"], 2, "--pid and --netns: use one of them"),
            (["--to", "0"], 2, "--to: use a port"), (["--from", "host"], 2, "'host' is not an IP address"),
            (["--sort", "size"], 2, "--sort: 'size' is no order; use busiest, used, in-use, rate, left, destination"),
            (["--rows", "5000"], 2, "--rows: use a number from 1 to 1024"),
            (["--fail-above", "80"], 2, "--fail-above: '80' is not a share"),
            (["--fail-below", "60"], 2, "--fail-below: '60' is not a duration"),
            (["--listen", "9151"], 2, "--listen: '9151' is not HOST:PORT"),
            (["--listen", "127.0.0.1:9151", "--once"], 2, "--listen serves until it is ended"),
            (["--once", "--json", "/nonexistent/x"], 2, "--json: cannot open /nonexistent/x"),
        ] as [([String], Int32, String)] {
            let text = try ports(arguments, endsWith: status)
            #expect(text.contains(said), "\(text)")
        }
    }

    @Test("another user's process is told from one that is not there", .requires("setpriv", package: "util-linux"))
    func others() throws {
        let spiral = try Executables.sibling("spiral")
        let said = try ChildProcess.output(
            of: "/bin/sh",
            ["-c", "setpriv --reuid 65534 --clear-groups \(spiral) ports --pid 1 --once 2>&1; echo status $?"]
        )
        // Where that user cannot even start the program, there is nothing to see.
        guard !said.contains("status 126"), !said.contains("status 127") else { return }
        #expect(said.contains("--pid: process 1 is another user's"), "\(said)")
        #expect(said.contains("status 3"))
    }

    @Test("it serves Prometheus what it shows, with rows up to a bound, and gives up an address that is taken", .slow)
    func exporter() throws {
        try inNetworkNamespace(ports: 256) {
            let open = try connections([40, 30, 20])
            let address = SocketAddress.ipv4(IPv4Address(value: 0x7f09_0909), port: 9151)
            let exporter = try Program("spiral", ["ports", "--listen", "\(address)", "--rows", "2"])
            // One connection for all scrapes: theirs are connections, too.
            var client: Client?
            func scrape() -> String {
                if client == nil {
                    client = try? Client(to: address, from: IPv4Address(value: 0x7f04_0404), timeout: .seconds(5))
                }
                let answer = try? client?.send(.get, "/metrics")
                return answer.map { String(decoding: $0.body, as: UTF8.self) } ?? ""
            }
            let first = "{family=\"ipv4\",source=\"127.0.0.1\",destination=\"127.0.0.1:4000\"}"
            let hasRates = eventually { scrape().contains("spiral_ports_connects_per_second\(first)") }
            let saidSoFar = try exporter.text
            try #require(hasRates, "\(saidSoFar)")
            let text = scrape()
            for line in [
                "spiral_ports_in_use\(first) 40", "spiral_ports_capacity\(first) 256", "spiral_ports_free\(first) 215",
                "spiral_ports_connects_per_second\(first) 0", "spiral_ports_exhaustion_seconds\(first) +Inf",
                "spiral_ports_rows{shown=\"no\"} 2", "spiral_ports_up 1",
            ] { #expect(text.contains(line + "\n"), "\(line) in \(text)") }
            #expect(!text.contains("127.0.0.1:4002"))
            #expect(text.contains("\nspiral_ports_sample_age_seconds "))
            #expect(text.contains("spiral_kernel_tcp_events_total{name=\"TcpAttemptFails\"} "))
            if Program.onPath("promtool") != nil {
                let file = try TemporaryFile()
                _ = try Descriptor.creating(file.path).write(Array(text.utf8)[...])
                let said = try ChildProcess.output(
                    of: "/bin/sh",
                    ["-c", "promtool check metrics < \(file.path) 2>&1; echo status $?"]
                )
                #expect(said == "status 0\n")
            }
            let taken = try ports(["--listen", "\(address)"], endsWith: 3)
            #expect(taken.contains("--listen: cannot bind"))
            exporter.send(SIGTERM)
            #expect(exporter.wait() == .status(0))
            _ = open
        }
    }
}
