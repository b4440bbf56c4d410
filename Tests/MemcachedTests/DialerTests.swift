import Memcached
import POSIX
import Testing
import Units

@Suite("Dialers")
struct DialerTests {
    @Test(
        "a dialer reads its text and writes it back",
        arguments: [
            "kernel", "bind:127.32.0.1", "bind:fd00:5::1", "rotate", "rotate:127.5.0.0/16", "rotate:fd00:5:91::/64",
            "rotate:fc00::/16", "rotate-destination",
        ]
    )
    func roundTrip(text: String) throws {
        #expect(try Dialer(text: text).description == text)
    }

    @Test(
        "a text that is no dialer is refused",
        arguments: [
            "", "bind", "bind:", "bind:localhost", "bind:127.0.0.256", "bind:0.0.0.0", "bind:::", "Rotate", "rotate:",
            "rotate:127.0.0.1", "rotate:127.0.0.1/8", "rotate:127.0.0.0/31", "rotate:0.0.0.0/0", "rotate:fd00::1/64",
            "rotate:fd00::/127", "rotate:fd00::/-1", "rotate:fd00::/064", "rotate:FD00::/64", "rotate:fd00:0::/64",
            "rotate:[fd00::]/64", "rotate:::ffff:127.0.0.0/104", "rotate:fd00::/64/2", "rotate:224.0.0.0/8",
            "rotate:ff02::/64", "rotate:fe80::/64", "bind:fe80::1", "bind:ff02::1", "bind:255.255.255.255",
            "bind:239.1.1.1",
            "rotate:::/64",
        ]
    )
    func refused(text: String) {
        #expect(throws: UnitTextError.self) { try Dialer(text: text) }
    }

    @Test("rotate draws from all of 127.0.0.0/8 but its first and last address, each part alike")
    func rotateIsUniform() {
        let draws = 64_000
        var generator = SplitMix64(seed: .random(in: 0...UInt64.max))
        var perPart = [Int](repeating: 0, count: 64)
        for _ in 0..<draws {
            let (source, destination) = Dialer.rotate.nextRoute(using: &generator)
            #expect(destination == nil)
            guard let value = source?.ipv4?.value, IPv4Address.usableLoopback.contains(value) else {
                Issue.record("\(String(describing: source)) is not usable")
                continue
            }
            // 64 equal parts of the 24 bits below 127.
            perPart[Int((value & 0xff_ffff) >> 18)] += 1
        }
        // Chi-squared with 63 degrees of freedom: above 131 once in a million runs.
        let expected = Double(draws) / 64
        let chiSquared = perPart.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
        #expect(chiSquared < 131)
    }

    @Test("rotate draws the neighbours of the incident's address, whose ports rest, but never that address")
    func rotateLeavesOneOut() {
        /// Draws that pass slowly over the incident's address.
        struct Sweep: RandomNumberGenerator {
            var value: UInt64
            mutating func next() -> UInt64 {
                defer { value += 64 }
                return value
            }
        }
        let incident = IPv4Address(value: 0x7f20_0001)
        // 2^32 values of the generator for 2^24 addresses: 256 for each.
        var generator = Sweep(value: UInt64(0x20_0000 - 8) << 8)
        var drawn: Set<UInt32> = []
        for _ in 0..<64 {
            drawn.insert(IPv4Address.randomLoopback(except: incident, using: &generator).value)
        }
        #expect(drawn.contains(incident.value - 1))
        #expect(drawn.contains(incident.value + 1))
        #expect(!drawn.contains(incident.value))
    }

    @Test("the usable addresses are all that a connection can come from")
    func usableAddresses() {
        #expect(IPv4Address.usableLoopback.count == 16_777_214)
        #expect(!IPv4Address.usableLoopback.contains(0x7f00_0000))
        #expect(!IPv4Address.usableLoopback.contains(0x7fff_ffff))
    }

    @Test("an error is worded and named by what the kernel said")
    func errorWords() {
        let server = SocketAddress.ipv4(.loopback, port: 11211)
        let bind = MemcachedError(.bind, errno: 98, source: IPAddress(IPv4Address(value: 0x7f20_0001)), server: server)
        #expect(bind.name == "EADDRINUSE")
        #expect(bind.description == "dial tcp 127.32.0.1:0->127.0.0.1:11211: bind: address already in use")
        let timeout = MemcachedError.timeout(after: .milliseconds(500), server: server)
        #expect(timeout.name == "ETIMEDOUT")
        #expect(timeout.description == "memcached 127.0.0.1:11211: no answer within 500ms")
        #expect(MemcachedError(.receive, code: .connectionFailure, server: server, detail: "EOF").name == "EOF")
    }

    @Test(
        "libmemcached's version is compared by its numbers",
        arguments: [("1.1.4", true), ("1.10.0", true), ("1.0.18", false), ("1.1.3", false), ("2.0", true)]
    )
    func version(text: String, isNew: Bool) {
        #expect(LibraryVersion.isNew(text) == isNew)
    }
}
