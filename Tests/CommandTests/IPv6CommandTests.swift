import Glibc
import HTTP
import HTTPTypes
import LoadGenerator
import POSIX
import TestSupport
import Testing
import Text

/// The programs over IPv6, as over IPv4.
@Suite("IPv6", .timeLimit(.minutes(1)), .requiresNamespaces, .requiresIPv6)
struct IPv6CommandTests {
    @Test("a server serves, is steered and is loaded over IPv6")
    func all() throws {
        try inNetworkNamespace {
            let memcached = try RealMemcached()
            defer { withExtendedLifetime(memcached) {} }
            let server = try Program(
                "spiral-server",
                ["--log-mode", "off", "--dialer", "kernel", "--listen", "[::1]:8080", "--admin-listen", "[::1]:8081"]
            )
            let admin = SocketAddress.ipv6(.ipv6Loopback, port: 8081)
            let serves = eventually { (try? Client(to: admin, timeout: .seconds(5))) != nil }
            let text = try server.text
            try #require(serves, "\(text)")
            let isSaid = try eventually { try server.text.contains("serving [::1]:8080, admin [::1]:8081") }
            #expect(isSaid)
            let json = try TemporaryFile()
            // By address, and by a name of which the first address has nobody.
            for target in ["http://[::1]:8080", "http://localhost:8080"] {
                let load = try Program(
                    "spiral-load",
                    [
                        "--target", target, "--client", "a:uris=3,rate=50/s", "--duration", "200ms", "--posts", "100",
                        "--json",
                        json.path, "--header", "x-atlantis-caller:",
                    ]
                )
                let exit = load.wait()
                let said = try load.text
                #expect(exit == .status(0) || said.contains("ran out of processor time"), "\(said)")
                let result = try JSONText.decode(LoadResult.self, from: Array(try json.contents.utf8))
                #expect(result.answered == 10)
                #expect(result.target == "http://[::1]:8080/bsky.Service/GetPostRecords")
            }
            var client = try Client(to: admin, timeout: .seconds(10))
            let changed = try client.send(.patch, "/admin/settings", body: Array("{\"limit\":\"request:4\"}".utf8))
            #expect(changed.status == 200)
            let top = try Program("spiral", ["top", "--admin", "[::1]:8081", "--count", "1"])
            #expect(top.wait() == .status(0))
            // Who does not say its name is its address.
            let callers = try top.text
            #expect(callers.contains("::1"), "\(callers)")
            let nobody = try Program(
                "spiral-load",
                [
                    "--target", "http://[::1]:8082", "--client", "a:uris=1,rate=50/s", "--duration", "100ms", "--posts",
                    "100",
                ]
            )
            #expect(nobody.wait() == .status(1))
            #expect(try nobody.text.contains("is a server listening on [::1]:8082?"))
            let elsewhere = try Program(
                "spiral-load",
                ["--target", "http://[::1]:8080", "--client", "a:uris=1,rate=50/s", "--source", "fd00:9::1"]
            )
            #expect(elsewhere.wait() == .status(2))
            #expect(try elsewhere.text.contains("--source: it is not of this machine"))
            server.send(SIGTERM)
            #expect(server.wait() == .status(0))
        }
    }

    @Test("where IPv6 is off, or runs out of ports, that is what is said")
    func off() throws {
        try inNetworkNamespace(ports: 40) {
            let client = ["--client", "a:uris=1,burst=100/10s", "--duration", "50ms", "--posts", "100"]
            let server = try ScriptedServer(port: 8080, on: .ipv6Loopback) { request in
                sleepThread(for: .milliseconds(300))
                return .answer(ScriptedServer.records(request.uris))
            }
            defer { server.end() }
            let few = try Program("spiral-load", client + ["--target", "http://[::1]:8080"])
            #expect(few.wait() == .status(3))
            let text = try few.text
            #expect(
                text.contains(
                    "warning: 100 batches are in flight at once, each on a connection, and there are 40 ephemeral"
                )
            )
            #expect(
                text.contains("fd00::/64") && text.contains("the generator ran out of ephemeral ports: 60 batches"),
                "\(text)"
            )
            try Descriptor.writing("/proc/sys/net/ipv6/conf/all/disable_ipv6").writeAll(Array("1".utf8))
            let off = try Program("spiral-load", client + ["--target", "http://[::1]:8080"])
            #expect(off.wait() == .status(3))
            let said = try off.text
            #expect(said.contains("--target: this machine has no address to reach it from: "), "\(said)")
            let listener = try Program("spiral-server", ["--listen", "[::1]:8080"])
            #expect(listener.wait() == .status(3))
            #expect(try listener.text.contains("--listen: cannot bind [::1]:8080"))
        }
    }
}
