internal import Glibc

/// An IPv4 address, four octets in reading order.
package struct IPv4Address: Sendable, Hashable, CustomStringConvertible {
    /// The address as a number: 127.0.0.1 is 0x7f000001.
    package var value: UInt32

    package init(value: UInt32) {
        self.value = value
    }

    /// Reads dotted decimal, as in `127.32.0.1`; nil for anything else.
    package init?(text: String) {
        let octets = text.split(separator: ".", omittingEmptySubsequences: false)
        guard octets.count == 4 else { return nil }
        var value: UInt32 = 0
        for octet in octets {
            guard octet.allSatisfy({ ("0"..."9").contains($0) }), octet.count <= 3, let number = UInt8(octet) else {
                return nil
            }
            value = value << 8 | UInt32(number)
        }
        self.value = value
    }

    package static let loopback = IPv4Address(value: 0x7f00_0001)

    package var isLoopback: Bool { value >> 24 == 127 }

    /// As `struct in_addr` holds it.
    package var networkOrder: UInt32 { value.bigEndian }

    package var description: String {
        "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
    }
}

/// Where a socket listens or connects to.
package enum SocketAddress: Sendable, Hashable, CustomStringConvertible {
    case ipv4(IPv4Address, port: UInt16)
    /// Of an address that is not IPv4's in IPv6 form.
    case ipv6(IPAddress, port: UInt16)
    case unix(path: String)

    /// An address of either family and its port.
    package init(_ endpoint: IPEndpoint) {
        if let address = endpoint.address.ipv4 {
            self = .ipv4(address, port: endpoint.port)
        } else {
            self = .ipv6(endpoint.address, port: endpoint.port)
        }
    }

    /// Reads `HOST:PORT` with a dotted address or `localhost`, `[ADDRESS]:PORT` with one of IPv6, or `unix:/path`; nil for
    /// anything else.
    package init?(text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            // sun_path holds 108 bytes with its final zero (unix(7)).
            guard path.hasPrefix("/"), path.utf8.count < 108 else { return nil }
            self = .unix(path: path)
            return
        }
        let name = "localhost:"
        let numeric = text.hasPrefix(name) ? "\(IPv4Address.loopback):\(text.dropFirst(name.count))" : text
        guard let endpoint = IPEndpoint(text: numeric) else { return nil }
        self.init(endpoint)
    }

    /// Address and port; nil of a unix socket.
    package var endpoint: IPEndpoint? {
        switch self {
        case .ipv4(let address, let port): IPEndpoint(IPAddress(address), port: port)
        case .ipv6(let address, let port): IPEndpoint(address, port: port)
        case .unix: nil
        }
    }

    package var port: UInt16? {
        switch self {
        case .ipv4(_, let port), .ipv6(_, let port): port
        case .unix: nil
        }
    }

    /// AF_INET, AF_INET6 or AF_UNIX.
    var family: CInt {
        switch self {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    package var isLoopback: Bool {
        switch self {
        case .ipv4(let address, _): address.isLoopback
        case .ipv6(let address, _): address.isLoopback
        case .unix: true
        }
    }

    package var description: String {
        switch self {
        case .ipv4(let address, let port): "\(address):\(port)"
        case .ipv6(let address, let port): "\(IPEndpoint(address, port: port))"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// Calls `body` with the C form of the address.
    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        switch self {
        case .ipv4(let address, let port):
            var inet = sockaddr_in()
            inet.sin_family = sa_family_t(AF_INET)
            inet.sin_port = port.bigEndian
            inet.sin_addr.s_addr = address.networkOrder
            return withUnsafePointer(to: &inet) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        case .ipv6(let address, let port):
            var inet = sockaddr_in6()
            inet.sin6_family = sa_family_t(AF_INET6)
            inet.sin6_port = port.bigEndian
            withUnsafeMutableBytes(of: &inet.sin6_addr) { octets in
                octets.storeBytes(of: address.high.bigEndian, as: UInt64.self)
                octets.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            return withUnsafePointer(to: &inet) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
                }
            }
        case .unix(let path):
            var unix = sockaddr_un()
            unix.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &unix.sun_path) { $0.copyBytes(from: path.utf8) }
            return withUnsafePointer(to: &unix) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
        }
    }

    /// Of the kernel's form; nil for a family other than IPv4's and IPv6's.
    init?(_ storage: sockaddr_storage) {
        let endpoint: IPEndpoint? = withUnsafeBytes(of: storage) { bytes in
            switch CInt(storage.ss_family) {
            case AF_INET:
                let inet = bytes.loadUnaligned(as: sockaddr_in.self)
                let address = IPv4Address(value: UInt32(bigEndian: inet.sin_addr.s_addr))
                return IPEndpoint(IPAddress(address), port: UInt16(bigEndian: inet.sin_port))
            case AF_INET6:
                let inet = bytes.loadUnaligned(as: sockaddr_in6.self)
                return IPEndpoint(IPAddress(inet.sin6_addr), port: UInt16(bigEndian: inet.sin6_port))
            default: return nil
            }
        }
        guard let endpoint else { return nil }
        self.init(endpoint)
    }
}
