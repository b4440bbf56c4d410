import HTTP
import POSIX
import Testing
import Units

@testable import LoadGenerator

@Suite("Target")
struct TargetURLTests {
    @Test(
        "a target is an address or a name, in both families",
        arguments: [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/d", "127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080/d", "[::1]:8080"),
            ("HTTP://[::1]", "http://[::1]:80/d", "[::1]"), ("[::1]:9/a?b=c#d", "http://[::1]:9/a?b=c", "[::1]:9"),
            ("http://[::ffff:127.0.0.1]:7/", "http://127.0.0.1:7/d", "[::ffff:127.0.0.1]:7"),
            ("localhost:5?x", "http://127.0.0.1:5/?x", "localhost:5"),
        ]
    )
    func reads(text: String, target: String, host: String) throws {
        let url = try TargetURL(text: text, defaultPath: "/d")
        #expect(url.target.description == target)
        #expect(url.host == host)
        #expect(url.addresses.first == url.target.address)
    }

    @Test("a name with addresses of both families keeps both, and a source address leaves one")
    func families() throws {
        let url = try TargetURL(text: "localhost:80", defaultPath: "/")
        #expect(url.addresses.map(\.description) == ["127.0.0.1:80", "[::1]:80"])
        var form = RequestForm(to: url.target, url.addresses)
        let hasIPv6 = form.keep(.ipv6)
        #expect(hasIPv6)
        #expect(form.target.description == "http://[::1]:80/")
        let hasIPv4 = form.keep(.ipv4)
        #expect(!hasIPv4)
        #expect(form.target.description == "http://[::1]:80/")
    }

    @Test(
        "what is none is refused in one line that says why",
        arguments: [
            ("http://::1:8080", "in brackets, as in http://[::1:8080]:8080"), ("::1", "in brackets"),
            ("http://[::1", "write http://HOST:PORT"), ("http://[::1]8080", "write http://HOST:PORT"),
            ("http://[::1]:", "write http://HOST:PORT"), ("http://[::1]:0", "write http://HOST:PORT"),
            ("http://[::1]:99999", "write http://HOST:PORT"), ("http://[::1]:+8", "write http://HOST:PORT"),
            ("http://[fe80::1%25eth0]:80", "has a zone"),
            ("http://[127.0.0.1]:80", "[127.0.0.1] is not an IPv6 address"),
            ("http://[]:80", "is not an IPv6 address"), ("http://a:b:c", "write http://HOST:PORT"),
            ("http://", "write http://HOST:PORT"), ("http://:80", "write http://HOST:PORT"),
            ("http://u:p@127.0.0.1:80", "a user name is not supported"), ("https://[::1]:8080", "TLS"),
            ("http://no-such-host.invalid:80", "no address is known"), ("http://[::1]:80/a b", "%20"),
        ]
    )
    func refuses(text: String, reason: String) {
        let error = #expect(throws: UnitTextError.self) { try TargetURL(text: text, defaultPath: "/") }
        #expect(error?.description.contains(reason) == true, "\(error.map { "\($0)" } ?? "")")
        #expect(error?.description.contains("\n") == false)
    }

    @Test(
        "sources are one address or those of a network in turn, without those that are nobody's",
        arguments: [
            ("127.0.2.1", 1, ["127.0.2.1", "127.0.2.1"]), ("127.1.0.0/30", 2, ["127.1.0.1", "127.1.0.2", "127.1.0.1"]),
            ("127.1.0.5/31", 2, ["127.1.0.4", "127.1.0.5"]), ("127.0.0.0/8", 16_777_214, ["127.0.0.1"]),
            ("fd00::7", 1, ["fd00::7"]), ("[fd00::7]", 1, ["fd00::7"]),
            ("fd00::/126", 3, ["fd00::1", "fd00::2", "fd00::3", "fd00::1"]),
            ("fd00::9/127", 2, ["fd00::8", "fd00::9", "fd00::8"]), ("fd00:0:0:1::5/64", 1 << 24, ["fd00:0:0:1::1"]),
        ]
    )
    func sources(text: String, count: Int, first: [String]) throws {
        var sources = try SourceAddresses(text: text)
        #expect(sources.count == count)
        let taken = first.map { _ in sources.next().description }
        #expect(taken == first)
    }

    @Test(
        "what is no source is refused",
        arguments: [
            "", "/", "127.0.0.1/7", "127.0.0.1/33", "fd00::/63", "fd00::/129", "fd00::/", "fd00::/x", "a",
            "127.0.0.1/8/8",
            "::ffff:127.0.0.0/104", "fe80::1%lo", "127.0.0.1/-8",
        ]
    )
    func badSources(text: String) {
        #expect(throws: UnitTextError.self) { try SourceAddresses(text: text) }
    }

    @Test("of several addresses the first that takes a connection is the load's; a batch asks each once")
    func choice() {
        let (four, six) = (SocketAddress.ipv4(.loopback, port: 1), SocketAddress.ipv6(.ipv6Loopback, port: 1))
        var choice = AddressChoice([four, six])
        #expect(choice.address() == four)
        #expect(choice.hasAnother(after: "ECONNREFUSED", failed: 0))
        #expect(choice.address(after: 1) == six)
        #expect(!choice.hasAnother(after: "ECONNREFUSED", failed: 1))
        #expect(!choice.hasAnother(after: "EMFILE", failed: 0), "another address has no more descriptors")
        choice.take(six)
        #expect(choice.address() == six && choice.address(after: 1) == six)
        #expect(!choice.hasAnother(after: "ECONNREFUSED", failed: 0))
        choice.take(four)
        #expect(choice.address() == six)
        #expect(!AddressChoice([four]).hasAnother(after: "ECONNREFUSED", failed: 0))
    }

    @Test("a start is a moment of the clock on the wall, on the clock that runs evenly; what is over has none")
    func startTime() throws {
        let start = try StartTime(text: "2026-04-06T12:00:00Z")
        let (seconds, now) = (1_775_476_800 as UInt64, MonotonicInstant(nanoseconds: 5_000))
        func instant(_ nanoseconds: UInt64) -> UInt64? {
            start.instant(at: now, nanosecondsSince1970: nanoseconds)?.nanoseconds
        }
        #expect(instant((seconds - 2) * 1_000_000_000) == 2_000_005_000)
        #expect(instant(seconds * 1_000_000_000 - 1) == 5_001)
        #expect(instant(seconds * 1_000_000_000) == nil)
        #expect(instant(.max) == nil)
        #expect(instant(0) == seconds * 1_000_000_000 + 5_000)
        for text in [
            "2026-04-06 12:00:00Z", "2026-04-06T12:00:00", "2026-02-30T00:00:00Z", "2106-02-07T06:28:16Z", "now",
        ] {
            #expect(throws: UnitTextError.self) { try StartTime(text: text) }
        }
        #expect(throws: Never.self) { try StartTime(text: "2106-02-07T06:28:15Z") }
    }
}
