import Testing

@testable import POSIX

@Suite("Socket addresses")
struct SocketAddressTests {
    @Test(
        "an address is read in both families, and written as it was read",
        arguments: [
            ("127.0.0.1:80", "127.0.0.1:80"), ("localhost:8080", "127.0.0.1:8080"), ("[::1]:8080", "[::1]:8080"),
            ("[::]:0", "[::]:0"), ("[0:0::1]:65535", "[::1]:65535"), ("unix:/tmp/x", "unix:/tmp/x"),
            // The kernel gives both their ports from one range.
            ("[::ffff:127.0.0.1]:80", "127.0.0.1:80"),
        ]
    )
    func reads(text: String, written: String) {
        #expect(SocketAddress(text: text)?.description == written)
    }

    @Test(
        "what is neither is none",
        arguments: [
            "", ":", "80", "::1:80", "::1", "[::1]", "[::1]80", "[::1]:", "[::1]:65536", "[::1]:-1", "[::1]:+80",
            "127.0.0.1:+80", "127.0.0.1:", "[127.0.0.1]:80", "[::1:80", "::1]:80", "[[::1]]:80", "[]:80",
            "[fe80::1%lo]:80", "[::g]:80", "localhost", "localhost:", "localhost:x", "[localhost]:80",
        ]
    )
    func refuses(text: String) {
        #expect(SocketAddress(text: text) == nil)
    }

    @Test("localhost is loopback of both families, whatever files say; a name nobody knows has no address")
    func names() {
        for name in ["localhost", "LOCALHOST", "localhost.", "a.localhost"] {
            #expect(NameLookup.addresses(of: name).map(\.description) == ["127.0.0.1", "::1"], "\(name)")
        }
        #expect(NameLookup.addresses(of: "127.0.0.9").map(\.description) == ["127.0.0.9"])
        #expect(NameLookup.addresses(of: "no-such-host.invalid").isEmpty)
    }

    @Test("a socket tells its ends in both families", arguments: ["127.0.0.1:0", "[::1]:0"])
    func ends(text: String) throws {
        let listener: Socket
        do {
            listener = try Socket.listening(on: #require(SocketAddress(text: text)), backlog: 1)
        } catch let error as SystemCallError where ["EADDRNOTAVAIL", "EAFNOSUPPORT"].contains(error.name) {
            return
        }
        let address = try listener.localAddress()
        #expect(address.port != 0 && address.isLoopback)
        let client = try Socket.connected(to: address, timeout: .seconds(5))
        #expect(try client.peerAddress() == address)
        var accepted = try listener.accept()
        while accepted == nil { accepted = try listener.accept() }
        #expect(try accepted!.peerAddress() == client.localAddress())
        try Socket.checkWay(to: address, from: nil)
    }

    @Test("of an address that is not this machine's it is known before anything is sent")
    func ways() throws {
        let other = IPAddress(IPv4Address(value: 0xc000_0201))
        let error = #expect(throws: SystemCallError.self) {
            try Socket.checkWay(to: .ipv4(.loopback, port: 80), from: other)
        }
        #expect(error?.call == "bind" && error?.name == "EADDRNOTAVAIL")
    }
}
