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
          small: uris=1..5,rate=5/s,slo=1s
          heavy: uris=2000,closed=1
        phases:
          - {name: stage, duration: 10m, clients: [small, heavy], by-hand: [heavy], expect: [lookups.hits > 0]}
        """

    /// Plays an incident that goes on until somebody ends it.
    /// - Parameter name: a scenario that comes with Spiral; nil for a small one.
    private func withRun(
        _ arguments: [String] = [],
        of name: String? = nil,
        _ body: (Program, SocketAddress, TemporaryFile) throws -> Void
    ) throws {
        let file = try TemporaryFile()
        _ = try Descriptor.creating(file.path).writeAll(Array(Self.scenario.utf8))
        let json = try TemporaryFile()
        let program = try Program(
            "spiral",
            ["run", name ?? file.path, "--live", "127.0.0.1:0", "--json", json.path] + arguments
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
        "in a browser the room sees health, the incident, and each click's cure; at the end the page is the report",
        .slow,
        .requires("chromium", package: "chromium")
    )
    func stage() throws {
        try withRun { program, address, json in
            let browser = try Browser()
            try browser.open("http://\(address)/")
            func click(_ id: String) throws {
                _ = try browser.value(of: "document.getElementById('\(id)').click()")
            }
            let last = "run.timeline.at(-1)"
            let failing = "Object.values(\(last).errorsPerSecond).reduce((a, b) => a + b, 0)"
            /// Whether so many samples in a row, from now on or later, are as they should be.
            func settles(_ condition: String, samples: Int = 4) throws -> Bool {
                let seen = try #require(Int(try browser.value(of: "run.timeline.length")))
                return browser.becomesTrue(
                    "(() => { const later = run.timeline.slice(\(seen)).slice(-\(samples)); "
                        + "return later.length === \(samples) && later.every((point) => \(condition)); })()",
                    within: .seconds(60)
                )
            }
            let clean = "Object.values(point.errorsPerSecond).every((rate) => rate === 0)"

            // Healthy to begin with: the heavy caller waits to be asked.
            #expect(browser.becomesTrue("run !== null && \(last).clients.small.answered > 0"))
            #expect(try browser.value(of: "run.timeline.every((point) => \(clean))") == "true")
            #expect(try browser.value(of: "String(sending.heavy)") == "false")

            try click("send-batch")
            #expect(browser.becomesTrue("run.events.some((event) => event.text === 'one batch of heavy')"))
            try click("heavy-loop")
            #expect(browser.becomesTrue("\(failing) > 0 && \(last).portsInUse >= 256"))
            #expect(browser.becomesTrue("document.getElementById('figures').innerText.includes('of 256')"))
            #expect(browser.becomesTrue("document.getElementById('figures').innerText.includes('EADDRINUSE')"))
            #expect(browser.becomesTrue("\(last).batchesPending > 0"))
            #expect(browser.becomesTrue("document.querySelector('#stage svg [data-series=\"in TIME_WAIT\"]') !== null"))

            try click("workaround")
            #expect(browser.becomesTrue("document.getElementById('workaround').ariaPressed === 'true'"))
            #expect(try settles("\(clean) && point.clients.heavy !== undefined"), "the workaround heals")
            #expect(browser.becomesTrue("\(last).timeWait > 256"))

            try click("fix")
            #expect(browser.becomesTrue("document.getElementById('fix').ariaPressed === 'true'"))
            #expect(
                try settles("\(clean) && point.dialsPerSecond === 0 && point.lookupsPerSecond > 0"),
                "the fix heals"
            )
            // One address again, whose ports are all in TIME_WAIT: nothing is opened, so nothing fails.
            try click("one-address")
            #expect(browser.becomesTrue("settings.dialer === 'bind:127.32.0.1'"))
            #expect(try settles("\(clean) && point.lookupsPerSecond > 0"), "it stays healed")
            #expect(try browser.value(of: "document.getElementById('caption').innerText.length > 20") == "true")

            try click("fresh-ports")
            #expect(browser.becomesTrue("settings.dialer === 'bind:127.32.0.2'"))
            try click("restart-server")
            #expect(browser.becomesTrue("run.events.some((event) => event.kind === 'restart')", within: .seconds(40)))
            try click("heavy-loop")
            #expect(browser.becomesTrue("sending.heavy === false"))

            try click("end")
            #expect(browser.becomesTrue("document.getElementById('verdict') !== null", within: .seconds(60)))
            #expect(program.wait() == .status(0))
            let result = try RunResult(json: Array(try json.contents.utf8))
            #expect(result.events.contains { $0.text == "dialer = rotate, by hand" && $0.byHand == true })
            #expect(
                try browser.value(of: "document.querySelectorAll('#timewait tr[data-at]').length")
                    == "\(Set(result.timeline.map(\.portsAt)).count)"
            )
            #expect(browser.console.isEmpty, "\(browser.console)")
        }
    }

    @Test(
        "with the real load the room sees the incident heal: after the click no lookup is without a port",
        .slow,
        .requires("chromium", package: "chromium")
    )
    func realLoad() throws {
        try withRun(of: "by-hand") { program, address, json in
            let browser = try Browser()
            try browser.open("http://\(address)/")
            let heavy = "clients['new-service']"
            #expect(browser.becomesTrue("run !== null && run.timeline.length > 0"))
            // Keys do what buttons do, as the chart alone fills the screen.
            func press(_ key: String) throws {
                _ = try browser.value(
                    of: "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '\(key)', bubbles: true}))"
                )
            }
            try press("f")
            #expect(try browser.value(of: "getComputedStyle(document.querySelector('.controls')).display") == "none")
            try press("1")
            #expect(
                browser.becomesTrue(
                    "run.timeline.some((point) => point.errorsPerSecond.EADDRINUSE > 0 && point.\(heavy)?.answered > 0)",
                    within: .seconds(60)
                )
            )
            try press("3")
            #expect(browser.becomesTrue("run.events.some((event) => event.text === 'limit = request:64, by hand')"))
            #expect(
                browser.becomesTrue(
                    "run.timeline.slice(-4).every((point) => point.dialsPerSecond === 0 && point.lookupsPerSecond > 0)",
                    within: .seconds(60)
                )
            )
            try press("Escape")
            #expect(try browser.value(of: "document.body.classList.contains('full')") == "false")
            #expect(
                browser.becomesTrue("document.getElementById('figures').innerText.includes('lookups that failed\\n0%')")
            )
            _ = try browser.value(of: "document.getElementById('end').click()")
            #expect(browser.becomesTrue("document.getElementById('verdict') !== null", within: .seconds(60)))
            #expect(program.wait() == .status(0))

            let result = try RunResult(json: Array(try json.contents.utf8))
            let fixed = try #require(result.events.first { $0.text == "limit = request:64, by hand" }).at
            let after = result.timeline.filter { $0.at > fixed }
            // The sample that the click fell into is of both, and a line of the log may be written after it.
            #expect(after.dropFirst(2).allSatisfy { ($0.errorsPerSecond["EADDRINUSE"] ?? 0) == 0 })
            #expect(after.contains { ($0.clients["new-service"]?.complete ?? 0) > 0 })
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
            let page = try ask(.get, "/")
            #expect(page.fields[.contentSecurityPolicy] == "frame-ancestors 'none'", "no site shows it as its own")
            #expect(page.fields[HTTPField.Name("X-Frame-Options")!] == "DENY")
            for (path, body) in [
                ("/orders", "{}"), ("/orders", #"{"client": "small", "send": "loop"}"#),
                ("/orders", #"{"client": "heavy", "send": "all"}"#), ("/faults", #"{"do": "explode server"}"#),
                ("/faults", #"{"do": "set limit none"}"#),
            ] {
                let refused = try ask(.post, path, body)
                #expect(refused.status == 400 && text(refused).contains("message"), "\(path) \(body)")
            }
            #expect(text(try ask(.get, "/stage/ports")).contains("<svg "))
            #expect(text(try ask(.get, "/stage/none-such")).contains("<svg "))
            #expect(text(try ask(.get, "/charts")).contains("<figure id=\"ports\""))
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
