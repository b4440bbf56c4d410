import POSIX
import Testing
import Units

@Suite("Address prefixes")
struct AddressPrefixTests {
    @Test(
        "a prefix reads its text and writes it back, and knows how many hosts it has",
        arguments: [
            ("127.0.0.0/8", 16_777_214), ("127.5.0.0/30", 2), ("10.1.2.0/24", 254), ("fd00:5:91::/64", .max),
            ("fd00::/16", .max), ("fd00::/126", 2), ("fd00:0:0:1::/112", 65_534), ("fd00::/65", .max),
            ("fd00::/66", 1 << 62 - 2),
        ] as [(String, Int)]
    )
    func roundTrip(text: String, hosts: Int) throws {
        let prefix = try #require(AddressPrefix(text: text))
        #expect(prefix.description == text)
        #expect(prefix.hosts == hosts)
    }

    @Test(
        "what is no prefix is refused, and so are bits beyond it and another way to write it",
        arguments: [
            "", "/", "fd00::", "fd00::/", "fd00::/127", "fd00::/15", "fd00::/+64", "fd00::/64 ", "fd00::1/64",
            "127.0.0.1/8",
            "127.0.0.0/31", "127.0.0.0/7", "0.0.0.0/0", "::/0", "fd00:0::/64", "FD00::/64", "[fd00::]/64",
            "::ffff:127.0.0.0/104", "127.0.0.0/8/8",
        ]
    )
    func refused(text: String) {
        #expect(AddressPrefix(text: text) == nil)
    }

    @Test(
        "hosts are drawn from all of it, and neither its first nor its last address",
        arguments: [
            "127.5.0.0/30", "127.5.8.0/29", "10.0.0.0/8", "fd00::/126", "fd00:1::/120", "fd00:2::/64", "fd00:3::/48",
        ]
    )
    func hosts(text: String) throws {
        let prefix = try #require(AddressPrefix(text: text))
        var generator = SplitMix64(seed: 1)
        var drawn: Set<IPAddress> = []
        for _ in 0..<2000 { drawn.insert(prefix.randomHost(using: &generator)) }
        #expect(drawn.allSatisfy { prefix.contains($0) && $0 != prefix.first })
        if prefix.hosts < 300 {
            #expect(drawn.count == prefix.hosts, "each is drawn, and no other")
        } else {
            #expect(drawn.count > 1990, "and few twice")
            // Half of them have each bit.
            let odd = drawn.count { $0.low & 1 == 1 }
            #expect((800...1200).contains(odd))
            if prefix.length < 64, prefix.family == .ipv6 { #expect(Set(drawn.map(\.high)).count > 1900) }
        }
        #expect(!prefix.contains(IPAddress(high: 0xfe80 << 48, low: 1)))
    }
}
