import HTTPTypes
import POSIX
import TestSupport
import Testing

@testable import HTTP

@Suite("Access")
struct AccessRuleTests {
    private func status(
        _ rule: AccessRule,
        host: String?,
        origin: String? = nil,
        path: String = "/",
        authorization: String? = nil
    ) -> Int {
        var head = HTTPRequest(method: .patch, scheme: nil, authority: host, path: path)
        head.headerFields[.origin] = origin
        head.headerFields[.authorization] = authorization
        return rule.refusal(of: Request(head: head, body: []))?.status.code ?? 200
    }

    @Test(
        "without a token, only what asks by an address of loopback is served, and no other site's page",
        arguments: [
            ("127.0.0.1:8081", nil, 200), ("localhost", nil, 200), ("LOCALHOST:1", nil, 200), ("127.5.6.7", nil, 200),
            ("127.0.0.1:8081", "http://127.0.0.1:8081", 200), ("localhost:8081", "http://localhost:8081", 200),
            ("[::1]:8081", nil, 200), ("[::1]", nil, 200), ("[::1]:8081", "http://[::1]:8081", 200),
            ("[::ffff:127.0.0.1]:1", nil, 200), ("[::2]:8081", nil, 403), ("[::1].evil.example", nil, 403),
            ("[::1]evil", nil, 403), ("[::1", nil, 403), ("::1", nil, 403), ("[127.0.0.1]", nil, 403),
            ("[::1]:8081", "http://[::2]:8081", 403), ("[]", nil, 403),
            (nil, nil, 403), ("", nil, 403), ("evil.example", nil, 403), ("evil.example", "http://evil.example", 403),
            ("127.0.0.1.evil.example", nil, 403), ("192.168.0.1", nil, 403),
            ("127.0.0.1:8081", "http://evil.example", 403),
            ("127.0.0.1:8081", "null", 403), ("127.0.0.1:8081", "https://127.0.0.1:8081", 403),
            ("127.0.0.1:8081", "http://127.0.0.1:8082", 403), ("127.0.0.1:8081", "", 403),
        ] as [(String?, String?, Int)]
    )
    func loopback(host: String?, origin: String?, expected: Int) throws {
        let rule = try #require(AccessRule(for: .ipv4(.loopback, port: 8081), token: nil))
        #expect(status(rule, host: host, origin: origin) == expected)
    }

    @Test("with a token, only what carries it is served, however it asks for it")
    func token() throws {
        let token = try AccessToken("open-sesame")
        let rule = try #require(AccessRule(for: .ipv4(IPv4Address(value: 0), port: 8081), token: token))
        #expect(status(rule, host: "a.example", authorization: "Bearer open-sesame") == 200)
        #expect(status(rule, host: "a.example", authorization: "bearer  open-sesame ") == 200)
        #expect(status(rule, host: "a.example", path: "/?x=1&token=open-sesame") == 200)
        for wrong in ["", "open-sesam", "open-sesame1", "open-sesamE", "OPEN-SESAME"] {
            #expect(status(rule, host: "127.0.0.1", authorization: "Bearer \(wrong)") == 401)
            #expect(status(rule, host: "127.0.0.1", path: "/?token=\(wrong)") == 401)
        }
        #expect(status(rule, host: "127.0.0.1") == 401)
        #expect(status(rule, host: "127.0.0.1", authorization: "Basic open-sesame") == 401)
        let elsewhere = status(rule, host: "a.example", origin: "http://b.example", authorization: "Bearer open-sesame")
        #expect(elsewhere == 403)
    }

    @Test("an address off loopback has no rule without a token")
    func addresses() {
        #expect(AccessRule(for: .ipv4(IPv4Address(value: 0), port: 8081), token: nil) == nil)
        #expect(AccessRule(for: .ipv4(IPv4Address(value: 0xc0a8_0001), port: 8081), token: nil) == nil)
        // All addresses of both families, and one of a network.
        for address in [IPAddress(high: 0, low: 0), IPAddress(high: 0xfd00 << 48, low: 1)] {
            #expect(AccessRule(for: .ipv6(address, port: 8081), token: nil) == nil)
        }
        #expect(AccessRule(for: .ipv6(.ipv6Loopback, port: 8081), token: nil) != nil)
    }

    @Test("a token is read from a file's first line, and refused where it is none")
    func files() throws {
        let file = try TemporaryFile()
        func read(_ text: String) throws -> String {
            try Descriptor.creating(file.path).writeAll(Array(text.utf8))
            return try AccessToken.read(from: file.path).text
        }
        #expect(try read("open-sesame\n") == "open-sesame")
        #expect(try read("open-sesame") == "open-sesame")
        #expect(try read("open-sesame\r\nmore") == "open-sesame")
        for wrong in ["", "short", "with a blank", "open\u{e9}sesame", String(repeating: "a", count: 5000)] {
            #expect(throws: AccessToken.Problem.self) { try read(wrong) }
        }
        let missing = #expect(throws: AccessToken.Problem.self) { try AccessToken.read(from: "/nonexistent") }
        #expect(missing?.description.contains("no such file") == true)
    }
}
