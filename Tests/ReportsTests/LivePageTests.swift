import Glibc
import HTTP
import HTTPTypes
import POSIX
import PostRecords
import Results
import TestSupport
import Testing

@testable import Reports

/// A run in the browser while it is played.
@Suite("Live page", .requiresNamespaces, .requiresMemcached, .timeLimit(.minutes(3)))
struct LivePageTests {
    private static let scenario = """
        scenario: short-incident
        environment: {ports: 256, posts: 3000}
        settings: {log-mode: metrics}
        clients:
          heavy: uris=2000,rate=2/s
        phases:
          - {name: stage, duration: 2m, clients: [heavy], expect: [lookups.hits > 0]}
        """

    /// Plays an incident that goes on until somebody ends it.
    private func withRun(
        _ arguments: [String] = [],
        _ body: (Program, SocketAddress, TemporaryFile) throws -> Void
    ) throws {
        let file = try TemporaryFile()
        _ = try Descriptor.creating(file.path).writeAll(Array(Self.scenario.utf8))
        let json = try TemporaryFile()
        let program = try Program(
            "spiral",
            ["run", file.path, "--live", "127.0.0.1:0", "--json", json.path] + arguments
        )
        defer {
            program.send(SIGTERM)
            // Killed before it has ended, it would leave its folder.
            _ = program.wait()
        }
        var address: SocketAddress?
        let says = try eventually {
            let line = try program.text.split(separator: "\n").first { $0.hasPrefix("live: http://") }
            address = line.flatMap { SocketAddress(text: String($0.dropFirst(13).prefix { $0 != "/" })) }
            return address != nil
        }
        let text = try program.text
        try #require(says, "\(text)")
        try body(program, address!, json)
    }

    @Test(
        "in a browser the charts move, a click on rotate stops the errors, and at the end it is the report",
        .slow,
        .requires("chromium", package: "chromium")
    )
    func rotateInBrowser() throws {
        try withRun { program, address, json in
            let browser = try Browser()
            try browser.open("http://\(address)/")
            let errors = "(run.timeline.at(-1).errorsPerSecond.EADDRINUSE ?? 0)"
            #expect(browser.becomesTrue("\(errors) > 0"))
            #expect(
                browser.becomesTrue(
                    "document.querySelector('#ports [data-series=\"ports in use by one address\"]').dataset.max === '256'"
                )
            )
            #expect(try browser.value(of: "document.getElementById('figures').innerText").contains(" of 256"))
            #expect(browser.becomesTrue("document.querySelector('[data-value=none]').ariaPressed === 'true'"))

            _ = try browser.value(of: "document.querySelector('[data-value=rotate]').click()")
            #expect(browser.becomesTrue("document.querySelector('[data-value=rotate]').ariaPressed === 'true'"))
            #expect(browser.becomesTrue("\(errors) === 0 && run.timeline.at(-1).dialsPerSecond > 100"))
            // And they stay away.
            let seen = try #require(Int(try browser.value(of: "run.timeline.length")))
            #expect(browser.becomesTrue("run.timeline.length > \(seen + 6)"))
            #expect(
                try browser.value(
                    of:
                        "run.timeline.slice(\(seen)).reduce((sum, one) => sum + (one.errorsPerSecond.EADDRINUSE ?? 0), 0)"
                ) == "0"
            )

            _ = try browser.value(of: "document.getElementById('end').click()")
            #expect(browser.becomesTrue("document.querySelector('#verdict b').textContent === 'all expectations held'"))
            #expect(program.wait() == .status(0))
            let result = try RunResult(json: Array(try json.contents.utf8))
            #expect(result.events.contains { $0.text == "dialer = rotate, by hand" && $0.byHand == true })
            let peak = result.timeline.map(\.timeWait).max() ?? 0
            let drawn = "document.querySelector('[data-series=\"TIME_WAIT, all addresses\"]').dataset.max"
            #expect(try browser.value(of: drawn) == "\(peak)")
            #expect(browser.console.isEmpty, "\(browser.console)")
        }
    }

    @Test("what cannot be done is refused with a reason, the run goes on, and a stranger's page gets nothing")
    func refusals() throws {
        try withRun { program, address, _ in
            func ask(
                _ method: HTTPRequest.Method,
                _ path: String,
                fields: HTTPFields = [:],
                _ body: String = ""
            ) throws -> Client.Answer {
                var client = try Client(to: address, timeout: .seconds(10))
                return try client.send(method, path, fields: fields, body: Array(body.utf8))
            }
            func text(_ answer: Client.Answer) -> String { String(decoding: answer.body, as: UTF8.self) }

            let unknown = try ask(.patch, "/settings", #"{"limt": "none"}"#)
            #expect(unknown.status == 400)
            #expect(text(unknown).contains("'limt' is not a setting"))
            #expect(try ask(.patch, "/settings", #"{"log-sink": "file:/proc/none/x"}"#).status == 400)
            #expect(try ask(.patch, "/settings", "limit").status == 400)
            let changed = try ask(.patch, "/settings", #"{"max-idle": 7}"#)
            #expect(text(changed).contains("\"max-idle\" : 7"))
            #expect(try ask(.get, "/nothing").status == 404)
            #expect(try ask(.post, "/next", fields: [.origin: "http://example.org"]).status == 403)

            let socket = try Socket.connected(to: address, timeout: .seconds(10))
            _ = try socket.descriptor.write(Array("GET / HTTP/1.1\r\nHost: example.org\r\n\r\n".utf8)[...])
            #expect(String(decoding: try socket.descriptor.readSome(upTo: 1000), as: UTF8.self).contains(" 403 "))
            #expect(program.poll() == nil)
        }
    }

    @Test("with a token, nobody is served without it")
    func token() throws {
        try withRun(["--live-token", "open-sesame"]) { _, address, _ in
            func status(_ path: String, _ fields: HTTPFields = [:]) throws -> Int {
                var client = try Client(to: address, timeout: .seconds(10))
                return try client.send(.get, path, fields: fields).status
            }
            let statuses = try [
                status("/"), status("/settings?token=open-sesamE"), status("/?token=open-sesame"),
                status("/settings", [.authorization: "Bearer open-sesame"]),
            ]
            #expect(statuses == [401, 401, 200, 200])
        }
    }

    @Test(
        "an address that cannot be served is refused before anything is started",
        arguments: [
            (["--live", "0.0.0.0:0"], "is not loopback"), (["--live", "here"], "is not HOST:PORT"),
            (["--live", "127.0.0.1:0", "--live-token", "short"], "a token has 8 or more"),
            (["--live-token", "long-enough"], "--live-token needs --live"),
        ]
    )
    func badAddress(arguments: [String], says: String) throws {
        let program = try Program("spiral", ["run", "by-hand"] + arguments)
        #expect(program.wait() == .status(2))
        #expect(try program.text.contains(says))
    }
}
