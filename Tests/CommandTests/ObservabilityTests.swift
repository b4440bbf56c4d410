import Glibc
import HTTP
import HTTPTypes
import KernelProbe
import LoadGenerator
import POSIX
import Reports
import Synchronization
import TestSupport
import Testbed
import Testing
import Text
import Units

@testable import PostRecords

/// What people and their tools see of a running server, against what the kernel and others say.
@Suite("Observing a server", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct ObservabilityTests {
    // Addresses of their own: the incident takes every port of the usual ones.
    private static let address = SocketAddress.ipv4(IPv4Address(value: 0x7f09_0909), port: 8080)
    private static let adminAddress = SocketAddress.ipv4(IPv4Address(value: 0x7f09_0909), port: 8081)
    private static let source = IPv4Address(value: 0x7f04_0404)

    private func withServer(
        _ arguments: [String] = [],
        ports: Int = 1024,
        endsWith exit: ProcessExit = .status(0),
        _ body: (RealMemcached, Program) throws -> Void
    ) throws {
        try inNetworkNamespace(ports: ports) {
            let memcached = try RealMemcached()
            let addresses = ["--listen", "\(Self.address)", "--admin-listen", "\(Self.adminAddress)"]
            let server = try Program("spiral-server", addresses + arguments)
            let serves = eventually { (try? Client(to: Self.adminAddress, timeout: .seconds(5))) != nil }
            let text = try server.text
            try #require(serves, "\(text)")
            try body(memcached, server)
            server.send(SIGTERM)
            #expect(server.wait() == exit)
        }
    }

    private func ask(for count: Int, seed: UInt64 = 7, as caller: String, answers status: Int = 200) throws {
        var client = try Client(to: Self.address, from: Self.source, timeout: .seconds(60))
        let body = JSONText.encode(["uris": postURIs(count, seed: seed)])
        let fields: HTTPFields = [.contentType: "application/json", CallerName.header: caller]
        let answer = try client.send(.post, Endpoint.path, fields: fields, body: body)
        try #require(answer.status == status)
    }

    private func metrics() throws -> String {
        var admin = AdminClient(Self.adminAddress)
        return String(decoding: try admin.call(.get, "/metrics"), as: UTF8.self)
    }

    /// The value of one sample; nil where there is none.
    private func sample(_ name: String, in text: String) -> Double? {
        text.split(separator: "\n").first { $0.hasPrefix(name + " ") }.flatMap { Double($0.dropFirst(name.count + 1)) }
    }

    @Test("ports, TIME_WAIT and descriptors on /metrics are those of ss and /proc, and errors carry call and errno")
    func agreesWithKernel() throws {
        try withServer(["--log-mode", "off"]) { _, server in
            try ask(for: 2000, as: "heavy")
            // The watch has seen the end of the batch when it says what the kernel does.
            var text = ""
            _ = try eventually {
                text = try metrics()
                return sample("spiral_ports_exhaustion_seconds", in: text) == 0
                    && sample("spiral_memcached_sockets{state=\"TIME-WAIT\"}", in: text) ?? 0 > 1000
            }
            func ss(_ filter: String) throws -> Double {
                let text = try ChildProcess.output(of: "/bin/sh", ["-c", "ss -Htan \(filter) dport = 11211 | wc -l"])
                return try #require(Double(text.filter(\.isNumber)))
            }
            #expect(sample("spiral_ports_capacity", in: text) == 1024)
            #expect(try sample("spiral_ports_in_use", in: text) == ss("src 127.32.0.1"))
            #expect(try sample("spiral_memcached_sockets{state=\"TIME-WAIT\"}", in: text) == ss("state time-wait"))
            #expect(try sample("spiral_memcached_sockets{state=\"ESTAB\"}", in: text) == ss("state established"))
            #expect(sample("spiral_ports_exhaustion_seconds", in: text) == 0)

            var admin = AdminClient(Self.adminAddress)
            let counters = try admin.counters(takePeaks: false)
            let failed = "spiral_lookups_total{outcome=\"error\",call=\"bind\",error=\"EADDRINUSE\"}"
            #expect(sample(failed, in: text) == Double(counters.lookups.errors["EADDRINUSE"] ?? 0))
            #expect(counters.lookups.errors["EADDRINUSE"] ?? 0 > 0)
            let dialled = "spiral_dials_total{dialer=\"bind\",outcome=\"ok\",call=\"\",error=\"\"}"
            #expect(sample(dialled, in: text) == Double(counters.dials.ok))

            let status = try ProcessStatus.read(server.identifier)
            #expect(abs((sample("process_open_fds", in: text) ?? 0) - Double(status.openDescriptors)) <= 2)
            #expect(abs((sample("process_threads", in: text) ?? 0) - Double(status.threads)) <= 2)
        }
    }

    @Test("the heavy caller is on top of spiral top within a second of its first batch, and its share adds up")
    func top() throws {
        try withServer(["--log-mode", "off", "--limit", "request:64"]) { _, _ in
            for _ in 0..<5 { try ask(for: 20, as: "appview") }
            try ask(for: 5000, as: "heavy\u{7}" + String(repeating: "x", count: 5000))
            let top = try Program("spiral", ["top", "--admin", "\(Self.adminAddress)", "--count", "1"])
            #expect(top.wait() == .status(0))
            let rows = try top.text.split(separator: "\n")
            try #require(rows.count >= 3)
            // A control character cannot be in a header field; whatever it became, it is not printed.
            #expect(rows[1].hasPrefix("heavy"))
            #expect(rows[1].unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f })
            #expect(rows[2].hasPrefix("appview"))

            var admin = AdminClient(Self.adminAddress)
            // The ports its connections take are looked at each second.
            let hasPorts = eventually {
                (try? admin.clients().ports?.rows.contains { $0.source == "127.32.0.1" && $0.inUse > 0 }) ?? false
            }
            #expect(hasPorts)
            let again = try Program("spiral", ["top", "--admin", "\(Self.adminAddress)", "--count", "1"])
            #expect(again.wait() == .status(0))
            let ports = try again.text.split(separator: "\n").dropFirst(3)
            #expect(ports.first?.hasPrefix("source          destination") == true)
            #expect(ports.contains { $0.hasPrefix("127.32.0.1      127.0.0.1:11211 ") }, "\(ports)")
            let clients = try admin.clients().clients
            #expect(clients.map(\.uris) == [5000, 100])
            #expect(clients.map(\.batches) == [1, 5])
            #expect(clients[0].name.count == 64)
            #expect(clients.map { $0.ok + $0.failed } == [5000, 100])
        }
    }

    @Test("spiral ports shows the process's destination as ss does, and says when the ports run out")
    func ports() throws {
        try withServer(["--log-mode", "off"]) { _, server in
            try ask(for: 700, as: "heavy")
            let file = try TemporaryFile()
            let arguments = [
                "ports", "--pid", "\(server.identifier)", "--to", "11211", "--count", "1", "--json", file.path,
            ]
            let command = try Program("spiral", arguments)
            let exit = command.wait()
            let text = try command.text
            #expect(exit == .status(0), "\(text)")
            let document = try JSONText.decode(PortDocument.self, from: Array(try file.contents.utf8))
            let listed = try ChildProcess.output(
                of: "/bin/sh",
                ["-c", "ss -Htan dport = 11211 src 127.32.0.1 | wc -l"]
            )
            let row = try #require(document.rows.first)
            #expect(row.inUse == Int(listed.filter(\.isNumber)))
            #expect([row.capacity, row.sourceInUse] == [1024, row.inUse])
            #expect(row.source == "127.32.0.1")

            let missing = try Program("spiral", ["ports", "--pid", "999999999", "--count", "1"])
            #expect(missing.wait() == .status(3))
        }
    }

    @Test("blocked writers take threads until the process dies as Go's does, and says so")
    func threadExhaustion() throws {
        let arguments = ["--log-mode", "blocking", "--log-sink", "pipe:1KiB/s", "--log-threads", "300"]
        try withServer(arguments, endsWith: .status(2)) { _, server in
            #expect(throws: (any Error).self) { try ask(for: 5000, as: "heavy") }
            #expect(server.wait() == .status(2))
            let text = try server.text
            #expect(text.contains("fatal: thread exhaustion: 300 threads are blocked writing the log"))
        }
    }

    @Test("with a limit, no more writers block than the limit admits", .slow)
    func limitBoundsWriters() throws {
        let arguments = [
            "--log-mode", "blocking", "--log-sink", "pipe:1KiB/s", "--limit", "request:40", "--log-threads", "300",
        ]
        try withServer(arguments, ports: 16) { _, server in
            let before = try ProcessStatus.read(server.identifier).threads
            // The answer would take minutes; what counts is what happens meanwhile.
            var client = try Client(to: Self.address, from: Self.source, timeout: .seconds(2))
            let body = JSONText.encode(["uris": postURIs(5000)])
            #expect(throws: ClientError.self) {
                try client.send(.post, Endpoint.path, fields: [.contentType: "application/json"], body: body)
            }
            let threads = try ProcessStatus.read(server.identifier).threads
            #expect(threads > before + 20)
            // Besides the 40 writers a few of Dispatch and of the server's own may have started.
            #expect(threads <= before + 40 + 10)
            var admin = AdminClient(Self.adminAddress)
            try admin.change([SettingChange("log-mode", "off"), SettingChange("log-sink", "stderr")])
        }
    }

    @Test("promtool finds nothing to say against /metrics", .requires("promtool", package: "prometheus"))
    func promtool() throws {
        try withServer(["--log-mode", "metrics", "--otlp-endpoint", "http://127.0.0.1:4318"]) { _, _ in
            try ask(for: 2000, as: "heavy \"quoted\" \\ and\u{1}")
            let file = try TemporaryFile()
            let output = try Descriptor.creating(file.path)
            _ = try output.write(Array(try metrics().utf8)[...])
            let said = try ChildProcess.output(
                of: "/bin/sh",
                ["-c", "promtool check metrics < \(file.path) 2>&1; echo status $?"]
            )
            #expect(said == "status 0\n")
        }
    }

    @Test("a Prometheus scrapes it and knows the heavy caller", .slow, .requires("prometheus", package: "prometheus"))
    func prometheus() throws {
        // Prometheus dials without a bind, and finds no port once bind has had them all: so there are more than
        // the lookups and their write-backs can take.
        try withServer(["--log-mode", "off", "--limit", "request:64", "--max-idle", "64"], ports: 20_000) { _, _ in
            try ask(for: 3000, as: "heavy")
            let folder = try RunFolder()
            let configuration = """
                global: {scrape_interval: 1s}
                scrape_configs:
                  - job_name: spiral
                    static_configs: [{targets: ["\(Self.adminAddress)"]}]
                """
            _ = try Descriptor.creating(folder.path + "/p.yml").write(Array(configuration.utf8)[...])
            let log = try Descriptor.creating(folder.path + "/log")
            var prometheus = try ChildProcess(
                try #require(Program.onPath("prometheus")),
                [
                    "--config.file=\(folder.path)/p.yml", "--storage.tsdb.path=\(folder.path)/data",
                    "--web.listen-address=127.9.9.9:9090",
                ],
                output: log.rawValue
            )
            defer { prometheus.terminate(timeout: .seconds(5)) }
            let web = SocketAddress.ipv4(IPv4Address(value: 0x7f09_0909), port: 9090)
            func get(_ path: String) -> String? {
                var client = try? Client(to: web, from: Self.source, timeout: .seconds(2))
                return (try? client?.send(.get, path)).map { String(decoding: $0.body, as: UTF8.self) }
            }
            let query = "/api/v1/query?query=spiral_client_uris_total"
            let found = eventually(within: .seconds(30)) {
                get(query).map { $0.contains("\"client\":\"heavy\"") && $0.contains("\"3000\"") } ?? false
            }
            #expect(found, "\(get(query) ?? "no answer") \(get("/api/v1/targets") ?? "no answer")")
        }
    }

    @Test("the alert rules fire when they should and not otherwise", .requires("promtool", package: "prometheus"))
    func alertRules() throws {
        let said = try ChildProcess.output(
            of: "/bin/sh",
            ["-c", "promtool test rules docker/prometheus/rules_test.yml >/dev/null 2>&1; echo status $?"]
        )
        #expect(said == "status 0\n")
    }

    /// Takes OTLP requests and keeps their bodies.
    private final class Collector: Responder {
        let bodies = Mutex<[[UInt8]]>([])

        func respond(to request: Request) async -> Response {
            guard request.path == "/v1/traces" else { return Response(.notFound, contentType: "text/plain", body: []) }
            bodies.withLock { $0.append(request.body) }
            return Response(.ok, contentType: "application/json", body: Array("{}".utf8))
        }

        func response(to error: RequestError, head: HTTPRequest?) -> Response {
            Response(.badRequest, contentType: "text/plain", body: [])
        }
    }

    private struct Exported: Decodable {
        struct ResourceSpans: Decodable { var scopeSpans: [ScopeSpans] }
        struct ScopeSpans: Decodable { var spans: [Span] }
        struct Span: Decodable {
            var traceId: String, spanId: String, name: String, kind: Int
            var startTimeUnixNano: String, endTimeUnixNano: String
            var attributes: [Attribute]
            var status: [String: Int]
        }
        struct Attribute: Decodable { var key: String, value: [String: String] }
        var resourceSpans: [ResourceSpans]
    }

    @Test("a collector gets one span for each batch, a refused one too, with client, size and errors by name")
    func traces() throws {
        try inNetworkNamespace {
            let collector = Collector()
            let address = SocketAddress.ipv4(IPv4Address(value: 0x7f09_0909), port: 4318)
            let receiver = try Server(listeningOn: address, bounds: ServerBounds(body: 1 << 20), responder: collector)
            try receiver.start()
            let memcached = try RealMemcached()
            let server = try Program(
                "spiral-server",
                [
                    "--listen", "\(Self.address)", "--admin-listen", "\(Self.adminAddress)", "--log-mode", "off",
                    "--otlp-endpoint", "http://\(address)", "--max-batch", "50",
                ]
            )
            let serves = eventually { (try? Client(to: Self.adminAddress, timeout: .seconds(5))) != nil }
            try #require(serves)
            try ask(for: 30, as: "appview")
            memcached.terminate()
            try ask(for: 40, seed: 9, as: "heavy")
            try ask(for: 51, as: "greedy", answers: 429)
            server.send(SIGTERM)
            #expect(server.wait() == .status(0))

            let arrived = eventually { collector.bodies.withLock { $0.joined().count } > 0 }
            let text = try server.text
            #expect(arrived, "\(text)")
            var spans: [Exported.Span] = []
            let complete = try eventually {
                spans = try collector.bodies.withLock { $0 }
                    .flatMap { try JSONText.decode(Exported.self, from: $0).resourceSpans }
                    .flatMap(\.scopeSpans).flatMap(\.spans)
                return spans.count == 3
            }
            try #require(complete)
            func attribute(_ key: String, of span: Exported.Span) -> String? {
                span.attributes.first { $0.key == key }.flatMap { $0.value["stringValue"] ?? $0.value["intValue"] }
            }
            #expect(spans.map { attribute("client.name", of: $0) } == ["appview", "heavy", "greedy"])
            #expect(spans.map { attribute("batch.uris", of: $0) } == ["30", "40", "51"])
            #expect(spans.map { attribute("lookups.failed", of: $0) } == ["0", "40", nil])
            #expect(spans.map { attribute("batch.refused", of: $0) } == [nil, nil, "max-batch"])
            #expect(spans[1].attributes.contains { $0.key.hasPrefix("lookups.errors.E") })
            #expect(spans.map { $0.status["code"] } == [nil, 2, 2])
            for span in spans {
                #expect(span.traceId.count == 32)
                #expect(span.spanId.count == 16)
                let (start, end) = (UInt64(span.startTimeUnixNano) ?? .max, UInt64(span.endTimeUnixNano) ?? 0)
                #expect(end > start)
            }
            _ = receiver.drain(timeout: .seconds(1))
        }
    }

    @Test("a collector that is down costs spans, one line, and no lookup")
    func collectorDown() throws {
        try withServer(["--log-mode", "off", "--otlp-endpoint", "http://127.0.0.1:4318"]) { _, server in
            for _ in 0..<20 { try ask(for: 10, as: "appview") }
            let dropped = try eventually { try sample("spiral_spans_total{outcome=\"dropped\"}", in: metrics()) == 20 }
            #expect(dropped)
            let text = try server.text
            #expect(text.split(separator: "\n").count { $0.contains("--otlp-endpoint") } == 1)
            #expect(text.contains("connection refused"))
        }
    }
}
