internal import Glibc
package import POSIX

/// A TCP socket as any program makes one, of either family; closed with this object.
package final class PlainSocket {
    /// How its local port is chosen.
    package enum Port: Equatable {
        /// By connect(), with the source address the route gives.
        case unbound
        /// By bind() to this address, port 0.
        case bound(IPAddress)
        /// Likewise with SO_REUSEADDR, which lets ip_autobind_reuse share ports.
        case reusing(IPAddress)
        /// By connect(), though the address is bound: IP_BIND_ADDRESS_NO_PORT in ip(7).
        case late(IPAddress)
    }

    private let raw: CInt
    private let isIPv6: Bool

    /// - Parameter mapped: an AF_INET6 socket even for an IPv4 address, as Java, Node and .NET make them.
    private init(for address: IPAddress, mapped: Bool) throws(SystemCallError) {
        isIPv6 = address.family == .ipv6 || mapped
        raw = socket(isIPv6 ? AF_INET6 : AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { throw SystemCallError("socket", errno: errno) }
    }

    deinit {
        Glibc.close(raw)
    }

    /// Connects a socket.
    /// - Throws: ``SystemCallError`` from bind or connect.
    package static func dialling(
        _ destination: IPEndpoint,
        _ port: Port = .unbound,
        mapped: Bool = false
    ) throws(SystemCallError) -> PlainSocket {
        let socket = try PlainSocket(for: destination.address, mapped: mapped)
        switch port {
        case .unbound: break
        case .bound(let address): try socket.bind(to: IPEndpoint(address, port: 0))
        case .reusing(let address):
            try socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
            try socket.bind(to: IPEndpoint(address, port: 0))
        case .late(let address):
            // IP_BIND_ADDRESS_NO_PORT of level IPPROTO_IP counts for sockets of either family.
            try socket.set(CInt(IPPROTO_IP), 24, 1)
            try socket.bind(to: IPEndpoint(address, port: 0))
        }
        let result = socket.withSockaddr(destination) { connect(socket.raw, $0, $1) }
        guard result == 0 else { throw SystemCallError("connect", on: destination.description, errno: errno) }
        return socket
    }

    /// Listens; connections wait in its queue, so that they need nobody to accept them.
    package static func listening(on endpoint: IPEndpoint, onlyIPv6: Bool = false) throws(SystemCallError)
        -> PlainSocket
    {
        let socket = try PlainSocket(for: endpoint.address, mapped: false)
        try socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
        if socket.isIPv6 { try socket.set(CInt(IPPROTO_IPV6), IPV6_V6ONLY, onlyIPv6 ? 1 : 0) }
        try socket.bind(to: endpoint)
        guard listen(socket.raw, 65_535) == 0 else { throw SystemCallError("listen", errno: errno) }
        return socket
    }

    /// A socket with a port that is not connected.
    package static func bound(to endpoint: IPEndpoint) throws(SystemCallError) -> PlainSocket {
        let socket = try PlainSocket(for: endpoint.address, mapped: false)
        try socket.bind(to: endpoint)
        return socket
    }

    /// The next connection from the queue, which must be there.
    fileprivate func accept() -> Descriptor {
        let accepted = Glibc.accept(raw, nil, nil)
        precondition(accepted >= 0, "nobody is in the queue: \(errno)")
        _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
        return Descriptor(owning: accepted)
    }

    private func bind(to endpoint: IPEndpoint) throws(SystemCallError) {
        let result = withSockaddr(endpoint) { Glibc.bind(raw, $0, $1) }
        guard result == 0 else { throw SystemCallError("bind", on: endpoint.description, errno: errno) }
    }

    private func set(_ level: CInt, _ option: CInt, _ value: CInt) throws(SystemCallError) {
        var value = value
        guard setsockopt(raw, level, option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0 else {
            throw SystemCallError("setsockopt", errno: errno)
        }
    }

    private func withSockaddr<Result>(
        _ endpoint: IPEndpoint,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        guard isIPv6 else {
            var inet = sockaddr_in()
            inet.sin_family = sa_family_t(AF_INET)
            inet.sin_port = endpoint.port.bigEndian
            inet.sin_addr.s_addr = endpoint.address.ipv4!.networkOrder
            return withUnsafeBytes(of: &inet) {
                body($0.assumingMemoryBound(to: sockaddr.self).baseAddress!, socklen_t($0.count))
            }
        }
        var inet = sockaddr_in6()
        inet.sin6_family = sa_family_t(AF_INET6)
        inet.sin6_port = endpoint.port.bigEndian
        var octets = (endpoint.address.high.bigEndian, endpoint.address.low.bigEndian)
        withUnsafeMutableBytes(of: &inet.sin6_addr) { to in withUnsafeBytes(of: &octets) { to.copyBytes(from: $0) } }
        return withUnsafeBytes(of: &inet) {
            body($0.assumingMemoryBound(to: sockaddr.self).baseAddress!, socklen_t($0.count))
        }
    }
}

/// Both ends of a connection.
package final class PlainConnection {
    private var client: PlainSocket?
    private var server: Descriptor?

    /// Connects to a listener of this process.
    package init(
        _ destination: IPEndpoint,
        at listener: PlainSocket,
        _ port: PlainSocket.Port = .unbound,
        mapped: Bool = false
    ) throws(SystemCallError) {
        client = try .dialling(destination, port, mapped: mapped)
        server = listener.accept()
    }

    /// Ends it, the dialling end first, which is in TIME_WAIT when this returns: over loopback the kernel answers
    /// before close() does.
    package func close() {
        client = nil
        server = nil
    }

    /// Ends it the other way round: the accepting end is in TIME_WAIT.
    package func closeServerFirst() {
        server = nil
        client = nil
    }
}
