import FanOut
import Glibc
import HTTPTypes
import POSIX
import PostRecords
import Telemetry
import TestSupport
import Testbed
import Testing
import Text

@testable import HTTP

/// Where a server's error lines may go, at its start and while it serves.
@Suite("Log sinks", .requiresNamespaces, .timeLimit(.minutes(2)))
struct LogSinkTests {
    private static let adminAddress = SocketAddress.ipv4(.loopback, port: 8081)
    private let file: TemporaryFile
    private var folder: String { file.folderPath }

    init() throws {
        file = try TemporaryFile()
    }

    private func admin(_ method: HTTPRequest.Method, _ path: String, _ body: String = "") throws -> (Int, String) {
        var client = try Client(to: Self.adminAddress, timeout: .seconds(20))
        let answer = try client.send(method, path, body: Array(body.utf8))
        return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }

    private func change(_ sink: String) throws -> (Int, String) {
        try admin(.patch, "/admin/settings", "{\"log-sink\": \"\(sink)\"}")
    }

    private func serves() -> Bool {
        eventually { (try? Client(to: Self.adminAddress, timeout: .seconds(5))) != nil }
    }

    @Test("over HTTP lines go to the files named at the start only, and to no link or pipe")
    func allowed() throws {
        try inNetworkNamespace {
            let (first, second, link, pipe) = (folder + "/1", folder + "/2", folder + "/link", folder + "/pipe")
            try #require(symlink(file.path, link) == 0 && mkfifo(pipe, 0o600) == 0)
            let allowed = [second, link, pipe].flatMap { ["--allow-log-file", $0] }
            let server = try Program("spiral-server", ["--log-sink", "file:\(first)"] + allowed)
            try #require(serves())
            for (path, reason) in [(link, "it is a link"), (pipe, "nobody reads"), (file.path, "--allow-log-file")] {
                let (status, text) = try change("file:\(path)")
                #expect(status == 400)
                #expect(text.contains(reason), "\(text)")
            }
            #expect(access(file.path, F_OK) != 0)
            for sink in ["file:\(second)", "stderr", "file:\(first)", "pipe:64KiB/s"] {
                #expect(try change(sink).0 == 200)
            }
            server.send(SIGTERM)
            #expect(server.wait() == .status(0))
        }
    }

    @Test("a server whose log is a pipe that nobody reads does not start, and says why in a line")
    func pipeAtStart() throws {
        try #require(mkfifo(file.path, 0o600) == 0)
        let server = try Program("spiral-server", ["--log-sink", "file:\(file.path)"])
        #expect(server.wait() == .status(2))
        let text = try server.text
        #expect(text.split(separator: "\n").count == 1)
        #expect(text.contains("--log-sink: cannot open \(file.path): it is a pipe that nobody reads"), "\(text)")
    }

    @Test("a file on a mount whose server is dead holds up nobody, neither at the start nor later", .slow)
    func deadMount() throws {
        try inNetworkNamespace {
            try #require(mkdir(folder + "/dead", 0o700) == 0)
            let log = folder + "/dead/log"
            // A file system that nobody serves: whatever is opened on it is waited for without end. fuse(4)
            let mount = """
                exec 3<>/dev/fuse && mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 dead \(folder)/dead \
                || exit 99
                """
            func run(_ arguments: String) throws -> ChildProcess {
                let program = try Executables.sibling("spiral-server")
                let output = try Descriptor.creating(folder + "/output")
                let command = "\(mount); exec \(program) \(arguments)"
                return try ChildProcess("/usr/bin/unshare", ["-m", "/bin/sh", "-c", command], output: output.rawValue)
            }
            var refused = try run("--log-sink file:\(log)")
            _ = eventually(within: .seconds(20)) { refused.poll() != nil }
            // This machine has no such file systems.
            if refused.poll() == .status(99) { return }
            #expect(refused.poll() == .status(2))
            let text = try Program.contents(of: folder + "/output")
            #expect(text.contains("--log-sink: cannot open \(log): it took longer than 2s"), "\(text)")

            var server = try run("--allow-log-file \(log)")
            try #require(serves())
            // Without waiting for the answer.
            let held = try Socket.connected(to: Self.adminAddress, timeout: .seconds(20))
            let body = "{\"log-sink\": \"file:\(log)\"}"
            let head =
                "PATCH /admin/settings HTTP/1.1\r\nHost: localhost:8081\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
            try held.descriptor.writeAll(Array((head + body).utf8))
            for path in ["/metrics", "/admin/settings", "/healthz", "/metrics"] {
                #expect(try admin(.get, path).0 == 200)
            }
            let answer = String(decoding: try held.descriptor.readSome(upTo: 1000), as: UTF8.self)
            #expect(answer.contains(" 400 ") && answer.contains("it took longer than 2s"), "\(answer)")
            server.send(SIGTERM)
            let ended = eventually(within: .seconds(20)) { server.poll() != nil }
            #expect(ended)
            #expect(server.poll() == .status(0))
        }
    }

    @Test("the guards a server is started with hold before its admin page is asked for")
    func guardsAtStart() async throws {
        var guards = RequestGuards()
        guards.maxBatch = 3
        let log = try ErrorLog(mode: .off, sink: .standardError)
        let engine = try FanOutEngine.make([.ipv4(.loopback, port: 1)])
        let endpoint = Endpoint(Service(engine: engine, log: log, guards: guards))
        let request = Request(
            head: HTTPRequest(
                method: .post,
                scheme: nil,
                authority: "localhost",
                path: Endpoint.path,
                headerFields: [.contentType: "application/json"]
            ),
            body: JSONText.encode(["uris": postURIs(4)])
        )
        #expect(await endpoint.respond(to: request).head.status.code == 429)
        engine.stop()
    }
}
