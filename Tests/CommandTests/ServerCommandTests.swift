import Glibc
import HTTP
import HTTPTypes
import LoadGenerator
import Memcached
import POSIX
import SwiftProtobuf
import TestSupport
import Testing
import Text
import Units

@testable import PostRecords

/// spiral-server as its users meet it.
@Suite("spiral-server", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(2)))
struct ServerCommandTests {
    private static let address = SocketAddress.ipv4(.loopback, port: 8080)
    private static let adminAddress = SocketAddress.ipv4(.loopback, port: 8081)
    private static let path = "/bsky.Service/GetPostRecords"
    private static let json: HTTPFields = [.contentType: "application/json"]

    /// Runs a server beside a real memcached in a namespace of their own.
    private func withServer(
        _ arguments: [String] = [],
        descriptorLimit: UInt64? = nil,
        _ body: (RealMemcached, Program) throws -> Void
    ) throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            let server = try Program(
                "spiral-server",
                ["--log-mode", "off"] + arguments,
                descriptorLimit: descriptorLimit
            )
            let serves = eventually { (try? Client(to: Self.adminAddress, timeout: .seconds(5))) != nil }
            let text = try server.text
            try #require(serves, "\(text)")
            try body(memcached, server)
            server.send(SIGTERM)
            #expect(server.wait() == .status(0))
        }
    }

    private func ask(
        _ uris: [String],
        path: String = Self.path,
        _ codec: Codec = .json
    ) throws -> Bsky_GetPostRecordsResponse {
        var client = try Client(to: Self.address, timeout: .seconds(30))
        var request = Bsky_GetPostRecordsRequest()
        request.uris = uris
        let body: [UInt8] = try codec == .json ? request.jsonUTF8Bytes() : request.serializedBytes()
        let answer = try client.send(.post, path, fields: [.contentType: codec.contentType], body: body)
        try #require(answer.status == 200)
        #expect(answer.fields[.contentType] == codec.contentType)
        return try codec.decode(answer.body)
    }

    private func admin(_ method: HTTPRequest.Method, _ path: String, _ body: String = "") throws -> Client.Answer {
        var client = try Client(to: Self.adminAddress, timeout: .seconds(5))
        return try client.send(method, path, body: Array(body.utf8))
    }

    private func counters() throws -> CounterSnapshot {
        try JSONText.decode(CounterSnapshot.self, from: try admin(.get, "/admin/counters").body)
    }

    @Test("it answers each URI in its place, from cache and store alike, under both names", arguments: Codec.allCases)
    func answers(codec: Codec) throws {
        try withServer { memcached, _ in
            let workload = Workload(seed: 2, count: 50)
            try Preload.run(workload, into: ServerList([memcached.address]))
            let uris = workload.uris + postURIs(50, seed: 3)
            for path in [Self.path, "/bsky.Service/GetPostRecord"] {
                let response = try ask(uris, path: path, codec)
                #expect(response.records.count == 100)
                #expect(response.meta.count == 100)
                for (uri, record) in zip(uris, response.records) {
                    #expect(record == SyntheticPost.make(for: uri).record)
                }
            }
            let counted = try counters()
            #expect(counted.lookups.hits == 150)
            #expect(counted.lookups.misses == 50)
            #expect(counted.writeBacks.ok == 50)
            #expect(try #require(counted.lanes) >= 2)
            #expect(try memcached.statistic("get_hits") == 150)
            #expect(try memcached.statistic("get_misses") == 50)
        }
    }

    @Test("bad input is answered with Connect's error in JSON, and the server goes on serving")
    func badInput() throws {
        try withServer { _, _ in
            let cases: [(body: String, type: String, path: String, status: Int, code: String)] = [
                ("{\"uris\":", "application/json", Self.path, 400, "invalid_argument"),
                ("[]", "application/json", Self.path, 400, "invalid_argument"),
                ("{\"uris\":[1]}", "application/json", Self.path, 400, "invalid_argument"),
                ("{\"uris\":[]}", "application/json", Self.path, 400, "invalid_argument"),
                ("{}", "application/json", Self.path, 400, "invalid_argument"),
                ("{\"uris\":[\"a b\"]}", "application/json", Self.path, 400, "invalid_argument"),
                ("{\"uris\":[\"\"]}", "application/json", Self.path, 400, "invalid_argument"),
                ("{}", "text/plain", Self.path, 415, "unimplemented"),
                ("", "application/proto", Self.path, 400, "invalid_argument"),
                ("{\"uris\":[]}", "application/proto", Self.path, 400, "invalid_argument"),
                ("{}", "application/json", "/nowhere", 404, "unimplemented"),
            ]
            struct Problem: Decodable { var code: String, message: String }
            for item in cases {
                var client = try Client(to: Self.address, timeout: .seconds(5))
                let answer = try client.send(
                    .post,
                    item.path,
                    fields: [.contentType: item.type],
                    body: Array(item.body.utf8)
                )
                #expect(answer.status == item.status, "\(item)")
                let problem = try JSONText.decode(Problem.self, from: answer.body)
                #expect(problem.code == item.code)
                #expect(!problem.message.contains("\n"))
                #expect(try ask(postURIs(3)).records.count == 3)
            }
            var client = try Client(to: Self.address, timeout: .seconds(30))
            let huge = [UInt8](repeating: 32, count: 100 << 20)
            let answer = try client.send(.post, Self.path, fields: Self.json, body: huge)
            #expect(answer.status == 413)
            #expect(try ask(postURIs(3)).records.count == 3)
        }
    }

    @Test("methods: HEAD is answered where GET is, without a body; others are told what there is")
    func methods() throws {
        try withServer { _, _ in
            for (address, method, path, status, allow) in [
                (Self.address, HTTPRequest.Method.get, Self.path, 405, "POST"),
                (Self.address, .head, Self.path, 405, "POST"), (Self.address, .options, Self.path, 405, "POST"),
                (Self.address, .head, "/x", 404, nil), (Self.adminAddress, .head, "/healthz", 200, nil),
                (Self.adminAddress, .head, "/metrics", 200, nil), (Self.adminAddress, .get, "/healthz", 200, nil),
                (Self.adminAddress, .post, "/healthz", 405, "GET, HEAD"),
                (Self.adminAddress, .delete, "/admin/settings", 405, "GET, HEAD, PATCH"),
                (Self.adminAddress, .options, "/admin/settings", 405, "GET, HEAD, PATCH"),
            ] {
                var client = try Client(to: address, timeout: .seconds(5))
                let answer = try client.send(method, path)
                #expect(answer.status == status, "\(method) \(path)")
                #expect(answer.fields[.allow] == allow)
                #expect(answer.body.isEmpty == (method == .head))
                // The answer ends where it says, or this would be read in the middle of it.
                #expect(try client.send(.get, "/x").status == 404)
            }
            // A body of unknown length cannot be told from the next request.
            let socket = try Socket.connected(to: Self.address, timeout: .seconds(5))
            let head = "POST \(Self.path) HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\r\n"
            try socket.descriptor.writeAll(Array(head.utf8))
            let answer = String(decoding: try socket.descriptor.readToEnd(), as: UTF8.self)
            #expect(answer.hasPrefix("HTTP/1.1 411 "))
            #expect(answer.contains("\r\nConnection: close\r\n"))
        }
    }

    @Test("the admin listener serves no other site's page; all may ask for its health")
    func strangers() throws {
        try withServer { _, _ in
            func status(_ request: String, body: String = "") throws -> String {
                let socket = try Socket.connected(to: Self.adminAddress, timeout: .seconds(5))
                let end = "\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
                try socket.descriptor.writeAll(Array((request + end + body).utf8))
                let answer = String(decoding: try socket.descriptor.readToEnd(), as: UTF8.self)
                return String(answer.dropFirst(9).prefix(3))
            }
            let patch = "PATCH /admin/settings HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example"
            let rebound = try status(patch, body: #"{"max-idle":7}"#)
            #expect(rebound == "403")
            let reset = "POST /admin/counters HTTP/1.1\r\nHost: 127.0.0.1:8081\r\nContent-Type: text/plain\r\nOrigin: "
            #expect(try status(reset + "http://evil.example") == "403")
            #expect(try status(reset + "http://127.0.0.1:8081") == "200")
            #expect(try status("GET /metrics HTTP/1.1\r\nHost: evil.example") == "403")
            #expect(try status("GET /healthz HTTP/1.1\r\nHost: evil.example") == "200")
        }
    }

    @Test("off loopback the admin listener wants the token of a file")
    func adminToken() throws {
        let refused = try Program("spiral-server", ["--admin-listen", "0.0.0.0:8081"])
        #expect(refused.wait() == .status(2))
        #expect(try refused.text.contains("add --admin-token-file"))
        let file = try TemporaryFile()
        try Descriptor.creating(file.path).writeAll(Array("open-sesame\n".utf8))
        try withServer(["--admin-listen", "0.0.0.0:8081", "--admin-token-file", file.path]) { _, _ in
            #expect(try admin(.get, "/healthz").status == 200)
            let answer = try admin(.get, "/metrics")
            #expect(answer.status == 401)
            #expect(answer.fields[.wwwAuthenticate] == "Bearer")
            var client = try Client(to: Self.adminAddress, timeout: .seconds(5))
            #expect(try client.send(.get, "/metrics", fields: [.authorization: "Bearer open-sesame"]).status == 200)
            let top = try Program("spiral", ["top", "--count", "1", "--admin-token-file", file.path])
            #expect(top.wait() == .status(0))
            let stranger = try Program("spiral", ["top", "--count", "1"])
            #expect(stranger.wait() == .status(3))
        }
    }

    @Test("a failed lookup leaves its own place empty and nobody else's")
    func failedLookups() throws {
        try withServer { memcached, _ in
            let uris = postURIs(100)
            #expect(try ask(uris).records.allSatisfy { !$0.cid.isEmpty })
            memcached.terminate()
            let response = try ask(uris)
            #expect(response.records == Array(repeating: Bsky_Record(), count: 100))
            #expect(response.meta.count == 100)
            let errors = try counters().lookups.errors
            #expect(errors.values.reduce(0, +) == 100)
            #expect(errors["ECONNREFUSED"] ?? 0 > 0, "\(errors)")
        }
    }

    @Test("settings change while it runs: all of a document, or on a mistake none of it")
    func settings() throws {
        try withServer { _, _ in
            let changed = try admin(.patch, "/admin/settings", #"{"limit":"request:8","max-idle":8,"dialer":"rotate"}"#)
            #expect(changed.status == 200)
            #expect(String(decoding: changed.body, as: UTF8.self).contains("\"limit\" : \"request:8\""))
            _ = try admin(.post, "/admin/counters")
            _ = try ask(postURIs(500))
            let counted = try counters()
            #expect(counted.inFlightPeak <= 8)
            #expect(counted.idleConnections <= 8)

            for wrong in [
                #"{"limit":"request:16","speed":1}"#, #"{"limit":"request:16","max-idle":"many"}"#, "{", "[]", "",
            ] {
                #expect(try admin(.patch, "/admin/settings", wrong).status == 400)
            }
            let sink = #"{"limit":"request:16","log-sink":"file:/nonexistent/x"}"#
            #expect(try admin(.patch, "/admin/settings", sink).status == 400)
            let now = String(decoding: try admin(.get, "/admin/settings").body, as: UTF8.self)
            #expect(now.contains("\"limit\" : \"request:8\""))
            #expect(now.contains("\"log-sink\" : \"stderr\""))
        }
    }

    @Test("health and metrics are served, and metrics agree with the counters")
    func metrics() throws {
        try withServer { _, _ in
            #expect(try admin(.get, "/healthz").body == Array("ok\n".utf8))
            _ = try ask(postURIs(30))
            let text = String(decoding: try admin(.get, "/metrics").body, as: UTF8.self)
            #expect(text.contains("spiral_lookups_total{outcome=\"miss\",call=\"\",error=\"\"} 30\n"))
            let counted = try counters()
            #expect(counted.lookups.misses == 30)
            let dials = "spiral_dials_total{dialer=\"bind\",outcome=\"ok\",call=\"\",error=\"\"} \(counted.dials.ok)\n"
            #expect(text.contains(dials))
            #expect(try admin(.delete, "/metrics").status == 405)
            #expect(try admin(.get, "/").status == 404)
        }
    }

    @Test("each error is a line of JSON in the log, as the incident's was")
    func errorLog() throws {
        let file = try TemporaryFile()
        try withServer(["--log-mode", "blocking", "--log-sink", "file:\(file.path)"]) { memcached, _ in
            memcached.terminate()
            _ = try ask(postURIs(20))
            struct Line: Decodable {
                var time: String, level: String, msg: String, uri: String, error: String, client: String
            }
            let lines = try file.contents.split(separator: "\n")
            #expect(lines.count == 20)
            #expect(try counters().logLines.written == 20)
            for line in lines {
                let parsed = try JSONText.decode(Line.self, from: Array(line.utf8))
                #expect(parsed.level == "ERROR")
                #expect(parsed.msg == "failed to get post cache item")
                #expect(parsed.error.contains("127.0.0.1:11211"))
            }
        }
    }

    @Test("it uses at most 16 threads with many callers at once", .slow)
    func threads() throws {
        try withServer(["--dialer", "rotate", "--store-latency", "20ms"]) { _, _ in
            let load = try Load(
                [.init(ClientSpec(name: "many", uris: 1...200, rate: .init(perSecond: 40)))],
                .init(.init(to: Target(address: Self.address, path: Endpoint.path)), timeout: .seconds(10)),
                Workload(seed: 1, count: 1000)
            )
            try load.start(for: .seconds(2))
            var most = 0
            let ended = try eventually(within: .seconds(30)) {
                most = max(most, try counters().threads)
                return load.isOver
            }
            #expect(ended)
            let result = load.recorders[0].result
            #expect(result.ok == 80, "\(result)")
            #expect(most <= 16)
        }
    }

    @Test("a memcached behind a Unix socket is looked up like any other")
    func unixSocket() throws {
        try inNetworkNamespace {
            let folder = try TemporaryFile()
            let socket = folder.path
            let path = try #require(Program.onPath("memcached"))
            let memcached = try ChildProcess(path, ["-u", "root", "-s", socket], output: 2)
            let server = try Program("spiral-server", ["--memcached", "unix:\(socket)"])
            let serves = eventually { (try? Client(to: Self.adminAddress, timeout: .seconds(5))) != nil }
            try #require(serves)
            #expect(try ask(postURIs(200)).records.allSatisfy { !$0.cid.isEmpty })
            #expect(try counters().lookups.misses == 200)
            #expect(try counters().writeBacks.ok == 200)
            _ = try ask(postURIs(200))
            #expect(try counters().lookups.hits == 200)
            server.send(SIGTERM)
            #expect(server.wait() == .status(0))
            _ = consume memcached
        }
    }

    @Test("a server that has no descriptor left for a dial goes on serving", .slow)
    func outOfDescriptors() throws {
        let arguments = ["--dialer", "rotate", "--lookup-timeout", "3s", "--store", "off"]
        try withServer(arguments, descriptorLimit: 300) { memcached, _ in
            memcached.send(SIGSTOP)
            let response = try ask(postURIs(2000))
            memcached.send(SIGCONT)
            #expect(response.records.count == 2000)
            // For three seconds all that dials may have was taken, and the admin page still answers.
            let counted = try counters()
            #expect(counted.lookups.errors.keys.sorted() == ["EMFILE", "ETIMEDOUT"])
            #expect(counted.lookups.errors["ETIMEDOUT"]! > 200)
            #expect(counted.lookups.errors["ETIMEDOUT"]! < 300 - 32)
        }
    }

    @Test("a batch that is too large, or a caller that asks for too much at once, is told so, and others are served")
    func guards() throws {
        let arguments = ["--max-batch", "500", "--max-per-caller", "600", "--lookup-timeout", "3s", "--store", "off"]
        try withServer(arguments) { memcached, _ in
            func status(_ count: Int, as caller: String) throws -> (status: Int, text: String) {
                var client = try Client(to: Self.address, timeout: .seconds(30))
                let body = JSONText.encode(["uris": postURIs(count)])
                let fields: HTTPFields = [.contentType: "application/json", CallerName.header: caller]
                let answer = try client.send(.post, Self.path, fields: fields, body: body)
                return (answer.status, String(decoding: answer.body, as: UTF8.self))
            }
            #expect(try status(500, as: "heavy").status == 200)
            let large = try status(501, as: "heavy")
            #expect(large.status == 429)
            #expect(large.text.contains("\"code\" : \"resource_exhausted\""))
            #expect(large.text.contains("a batch of 501 URIs is too large; ask for 500 or fewer at once"))

            // One batch is held up; a second one of the same caller would make it 700.
            memcached.send(SIGSTOP)
            let held = try Socket.connected(to: Self.address, timeout: .seconds(30))
            let body = JSONText.encode(["uris": postURIs(350)])
            let head =
                "POST \(Self.path) HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\(CallerName.header): heavy\r\n"
                + "Content-Length: \(body.count)\r\n\r\n"
            try held.descriptor.writeAll(Array(head.utf8) + body)
            let isHeld = eventually { (try? counters().inFlight) == 350 }
            #expect(isHeld)
            let more = try status(350, as: "heavy")
            #expect(more.status == 429)
            #expect(more.text.contains("700 URIs of caller 'heavy' are on their way, and 600 may be"))
            memcached.send(SIGCONT)
            #expect(String(decoding: try held.descriptor.readSome(upTo: 1000), as: UTF8.self).contains(" 200 "))
            #expect(try status(350, as: "heavy").status == 200)
            #expect(try counters().refusals == ["max-batch": 1, "max-per-caller": 1])

            #expect(try admin(.patch, "/admin/settings", #"{"max-batch": 0}"#).status == 200)
            #expect(try status(501, as: "other").status == 200)
        }
    }
}
