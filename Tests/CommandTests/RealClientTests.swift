import HTTP
import HTTPTypes
import LoadGenerator
import Memcached
import POSIX
import TestSupport
import Testing
import Text

@testable import PostRecords

/// Clients that others wrote, as their users call them.
@Suite("Real clients", .slow, .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(4)))
struct RealClientTests {
    private static let url = "http://\(RunningServer.address)\(RunningServer.path)"

    /// Runs a test with a server whose cache has posts, whose URIs lie in a file one a line, and as requests in JSON.
    private func withPosts(
        _ count: Int,
        _ arguments: [String] = [],
        _ body: (RunningServer, _ uris: String, _ few: String, _ all: String) throws -> Void
    ) throws {
        let files = try (TemporaryFile(), TemporaryFile(), TemporaryFile())
        let workload = Workload(seed: 6, count: count)
        try Descriptor.creating(files.0.path).writeAll(Array(workload.uris.joined(separator: "\n").utf8))
        try Descriptor.creating(files.1.path).writeAll(JSONText.encodeLine(["uris": Array(workload.uris.prefix(3))]))
        try Descriptor.creating(files.2.path).writeAll(JSONText.encodeLine(["uris": workload.uris]))
        try RunningServer.during(["--limit", "request:64", "--dialer", "kernel", "--max-idle", "64"] + arguments) {
            try Preload.run(workload, into: ServerList([$0.memcached.address]))
            try body($0, files.0.path, files.1.path, files.2.path)
        }
    }

    /// What a command line printed, to standard output and error.
    private func run(_ command: String) throws -> String {
        try ChildProcess.output(of: "/bin/sh", ["-c", "(\(command)) 2>&1"])
    }

    /// Runs a script of the folder Clients with Python, and reads what it says of each case.
    private func cases<Case: Decodable>(
        of script: [UInt8],
        _ uris: String,
        as type: Case.Type = Case.self
    ) throws -> [Case] {
        let file = try TemporaryFile()
        try Descriptor.creating(file.path).writeAll(script)
        let said = try run(
            "env -u http_proxy -u HTTP_PROXY -u ALL_PROXY \(PythonClients.python) \(file.path) "
                + "http://\(RunningServer.address) \(uris)"
        )
        return try said.split(separator: "\n").map { line in
            do {
                return try JSONText.decode(type, from: Array(line.utf8))
            } catch {
                Issue.record("\(said)")
                throw error
            }
        }
    }

    @Test("connect-python, with its defaults and without compression: proto, JSON and gRPC", .requiresPythonClients)
    func connectPython() throws {
        struct Case: Decodable {
            var `case`: String
            var records: Int?, meta: Int?, found: Int?
            var code: String?, message: String?
        }
        try withPosts(15_000) { _, uris, _, _ in
            let cases: [Case] = try cases(of: PackageResources.connect_client_py, uris)
            #expect(cases.count == 38)
            for said in cases {
                let words = said.case.split(separator: ", ").dropFirst().joined(separator: ", ")
                let codes = [
                    "unknown method": "unimplemented", "no uris": "invalid_argument", "bad key": "invalid_argument",
                    "too many uris": "resource_exhausted", "out of time": "deadline_exceeded",
                ]
                if let code = codes[words] {
                    #expect(said.code == code, "\(said)")
                } else {
                    let count = words.hasSuffix("many") ? 15_000 : 3
                    #expect([said.records, said.meta, said.found] == [count, count, count], "\(said)")
                }
            }
        }
    }

    @Test("aiohttp and httpx: large and small, in pieces, compressed, and after a HEAD", .requiresPythonClients)
    func pythonClients() throws {
        struct Case: Decodable {
            var `case`: String
            var status: Int
            var found: Int?
        }
        try withPosts(15_000) { _, uris, _, _ in
            let cases: [Case] = try cases(of: PackageResources.http_clients_py, uris)
            #expect(cases.count == 33)
            let refused = ["head": 404, "get": 405, "options": 405, "wrong": 400]
            for said in cases {
                let words = String(said.case.split(separator: ", ")[1])
                #expect(said.status == refused[words] ?? 200, "\(said)")
                let found = refused[words] != nil ? nil : words == "many" ? 15_000 : words == "pieces" ? 300 : 3
                #expect(said.found == found, "\(said)")
            }
        }
    }

    @Test("curl, in each of its ways", .requires("curl", package: "curl"))
    func curl() throws {
        try withPosts(15_000) { _, _, few, all in
            func post(_ options: String, _ file: String) throws -> [String] {
                let said = try run(
                    "curl -sS --noproxy '*' -o /dev/null -w '%{http_code} %{size_download}' \(options) "
                        + "-H 'Content-Type: application/json' --data-binary @\(file) \(Self.url)"
                )
                return said.split(separator: " ").map { String($0) }
            }
            let whole = try post("", all)
            #expect(whole[0] == "200")
            let size = try #require(Int(whole[1]))
            for options in ["-H 'Expect: 100-continue'", "--http1.0", "-H 'Transfer-Encoding: chunked'"] {
                #expect(try post(options, all) == whole, "\(options)")
            }
            #expect(try post("--http2", few)[0] == "200")
            let compressed = try post("--compressed", all)
            #expect(compressed[0] == "200")
            #expect(try #require(Int(compressed[1])) < size * 3 / 4, "it is not compressed")
            #expect(try post("-H 'Content-Encoding: gzip'", few)[0] == "400")
            let packed = "gzip -c \(all) | curl -sS --noproxy '*' --compressed -H 'Content-Encoding: gzip'"
            let unpacked = try run("\(packed) -H 'Content-Type: application/json' --data-binary @- \(Self.url) | wc -c")
            #expect(Int(unpacked.split(separator: "\n")[0]) == size)
            #expect(try run("curl -sS --noproxy '*' -I \(Self.url)").contains("HTTP/1.1 405 "))
        }
    }

    @Test("ab with kept connections", .requires("ab", package: "apache2-utils"))
    func ab() throws {
        try withPosts(3) { _, _, few, _ in
            for options in ["-k", ""] {
                let said = try run("ab -q -s 20 -n 200 -c 4 \(options) -p \(few) -T application/json \(Self.url)")
                let figures = Dictionary(
                    said.split(separator: "\n").compactMap { line -> (String, String)? in
                        let parts = line.split(separator: ":", maxSplits: 1).map { String($0) }
                        return parts.count == 2 ? (parts[0], parts[1].trimmingBlanks()) : nil
                    },
                    uniquingKeysWith: { first, _ in first }
                )
                #expect(figures["Complete requests"] == "200", "\(said)")
                #expect(figures["Failed requests"] == "0", "\(said)")
                #expect(figures["Keep-Alive requests"] == (options == "-k" ? "200" : nil), "\(said)")
                #expect(figures["Non-2xx responses"] == nil, "\(said)")
            }
        }
    }

    @Test("hey", .requires("hey", package: "hey"))
    func hey() throws {
        try withPosts(3) { _, _, few, _ in
            let said = try run("hey -n 200 -c 8 -m POST -T application/json -D \(few) \(Self.url)")
            #expect(said.contains("[200]\t200 responses"), "\(said)")
            #expect(!said.contains("Error distribution"), "\(said)")
        }
    }

    @Test("wrk", .requires("wrk", package: "wrk"))
    func wrk() throws {
        let script = try TemporaryFile()
        try Descriptor.creating(script.path).writeAll(PackageResources.post_lua)
        try withPosts(3) { server, _, few, _ in
            let said = try run("wrk -t 1 -c 8 -d 1s -s \(script.path) \(Self.url) -- \(few)")
            #expect(said.contains("requests in"), "\(said)")
            #expect(!said.contains("Non-2xx"), "\(said)")
            #expect(!said.contains("Socket errors"), "\(said)")
            #expect(try server.counters().batches > 8)
        }
    }

    @Test(
        "slowhttptest: who sends half a request is left, and others are served meanwhile",
        .requires("slowhttptest", package: "slowhttptest")
    )
    func slow() throws {
        try withPosts(3, ["--head-timeout", "3s"]) { server, _, few, _ in
            let slow = try ChildProcess(
                try #require(ProgramPath.onPath("slowhttptest")),
                ["-H", "-c", "300", "-r", "300", "-i", "1", "-l", "8", "-u", "http://\(RunningServer.address)/"],
                output: try Descriptor.writing("/dev/null").rawValue
            )
            let isCrowded = try eventually { try server.hasMetric("spiral_http_connections 300") }
            #expect(isCrowded)
            #expect(try server.admin("/healthz").status == 200)
            let body = try Array(Program.contents(of: few).utf8)
            for _ in 0..<20 { #expect(try server.ask(body).status == 200) }
            let areLeft = try eventually {
                try server.hasMetric("spiral_http_connections_closed_total{reason=\"too-slow\"} 300")
            }
            #expect(areLeft)
            _ = consume slow
        }
    }
}

/// Clients from the Python Package Index, in an environment of their own.
enum PythonClients {
    static let python = ".build/clients/bin/python"
}

extension Trait where Self == ConditionTrait {
    fileprivate static var requiresPythonClients: Self {
        .enabled(
            "needs Python clients: python3 -m venv .build/clients && .build/clients/bin/pip install connect-python aiohttp httpx"
        ) {
            (try? Descriptor.reading(PythonClients.python)) != nil
        }
    }
}
