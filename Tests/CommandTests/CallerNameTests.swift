import Glibc
import HTTP
import HTTPTypes
import POSIX
import PostRecords
import TestSupport
import Testbed
import Testing
import Text

/// Names that callers choose, wherever they are shown.
@Suite("Names of callers", .requiresNamespaces, .timeLimit(.minutes(2)))
struct CallerNameTests {
    private static let caller = HTTPField.Name("x-atlantis-caller")!

    private func isShown(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.isPrintable || $0 == "\n" }
    }

    @Test("however long a caller's name is, and whatever is in it, it is 64 printable bytes of every page and line")
    func bounded() throws {
        let file = try TemporaryFile()
        try inNetworkNamespace {
            // Nobody answers on memcached's port: each lookup is an error line.
            let server = try Program("spiral-server", ["--log-sink", "file:\(file.path)"])
            let adminAddress = SocketAddress.ipv4(.loopback, port: 8081)
            let serves = eventually { (try? Client(to: adminAddress, timeout: .seconds(5))) != nil }
            try #require(serves)
            let marks = String(repeating: "\u{301}", count: 15_000)
            let names = (0..<33).map { "caller\($0)\(marks)" } + ["\u{9b}2J\u{202e}x\u{2028}", "日\u{feff}"]
            for name in names {
                var client = try Client(to: .ipv4(.loopback, port: 8080), timeout: .seconds(20))
                let answer = try client.send(
                    .post,
                    Endpoint.path,
                    fields: [.contentType: "application/json", Self.caller: name],
                    body: JSONText.encode(["uris": postURIs(2) + ["at://\u{9b}2J\u{202e}"]])
                )
                #expect(answer.status == 200)
            }
            var admin = AdminClient(adminAddress)
            let metrics = String(decoding: try admin.call(.get, "/metrics"), as: UTF8.self)
            #expect(metrics.utf8.count < 500_000)
            #expect(isShown(metrics))
            #expect(try admin.clients().clients.allSatisfy { $0.name.utf8.count <= 64 })
            let lines = try file.contents
            #expect(lines.split(separator: "\n").count == 3 * names.count)
            #expect(isShown(lines))
            #expect(lines.contains("at://\\u009b2J\\u202e"))
            server.send(SIGTERM)
            #expect(server.wait() == .status(0))
        }
    }

    /// A server that is no spiral-server, and names callers as it likes.
    private struct RudeAdmin: Responder {
        func respond(to request: Request) async -> Response {
            let client =
                #"{"name": "a\u001b[31m\u009b2J\u202eb\nc", "urisPerSecond": 1, "inFlight": 0, "batches": 1, "uris": 1, "#
                + #""ok": 0, "failed": 1, "unreadable": 0, "errors": {"E\u001b[2J": 1}, "urisPerBatch": 1, "secondsPerBatch": 1}"#
            return Response(.ok, contentType: "application/json", body: Array("{\"clients\": [\(client)]}".utf8))
        }

        func response(to error: RequestError, head: HTTPRequest?) -> Response {
            Response(.badRequest, contentType: "text/plain", body: [])
        }
    }

    /// A web server, which has a page for what it has not.
    private struct OtherService: Responder {
        func respond(to request: Request) async -> Response {
            Response(.notFound, contentType: "text/html", body: Array("<!DOCTYPE html>\n<title>Not here</title>".utf8))
        }

        func response(to error: RequestError, head: HTTPRequest?) -> Response {
            Response(.badRequest, contentType: "text/plain", body: [])
        }
    }

    @Test("spiral top says of another service that it is one, and does not repeat its page")
    func otherService() throws {
        try inNetworkNamespace {
            let other = try Server(
                listeningOn: .ipv4(.loopback, port: 0),
                bounds: ServerBounds(body: 1 << 10),
                responder: OtherService()
            )
            try other.start()
            let top = try Program("spiral", ["top", "--admin", "\(other.address)", "--count", "1"])
            #expect(top.wait() == .status(3))
            let text = try top.text
            #expect(text.contains("is not spiral-server's admin listener: it answers 404 to /debug/clients"), "\(text)")
            #expect(!text.contains("<"))
            _ = other.drain(timeout: .seconds(1))
        }
    }

    @Test("spiral top hands no command of a server's to the terminal")
    func top() throws {
        try inNetworkNamespace {
            let admin = try Server(
                listeningOn: .ipv4(.loopback, port: 0),
                bounds: ServerBounds(body: 1 << 10),
                responder: RudeAdmin()
            )
            try admin.start()
            let top = try Program(
                "spiral",
                ["top", "--admin", "\(admin.address)", "--count", "2", "--interval", "100ms"]
            )
            #expect(top.wait() == .status(0))
            let text = try top.text
            #expect(isShown(text))
            #expect(text.contains("a?[31m?2J?b?c"), "\(text)")
            #expect(text.contains("E?[2J 1"), "\(text)")
            _ = admin.drain(timeout: .seconds(1))
        }
    }
}
