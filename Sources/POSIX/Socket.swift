internal import CLinux
internal import Glibc

/// A stream socket with one owner.
package struct Socket: ~Copyable, Sendable {
    package let descriptor: Descriptor

    package var rawValue: CInt { descriptor.rawValue }

    private init(_ family: CInt, nonBlocking: Bool) throws(SystemCallError) {
        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | (nonBlocking ? SOCK_NONBLOCK.rawValue : 0))
        descriptor = Descriptor(owning: CInt(try systemCall("socket") { Int(socket(family, type, 0)) }))
    }

    private init(owning raw: CInt) {
        descriptor = Descriptor(owning: raw)
    }

    /// A socket that was opened elsewhere.
    package init(adopting descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// A non-blocking listening socket. Port 0 lets the kernel choose: see ``localAddress()``.
    /// - Parameter backlog: length of the accept queue; the kernel caps it at net.core.somaxconn.
    /// - Throws: ``SystemCallError`` from socket, bind or listen. listen(2)
    package static func listening(on address: SocketAddress, backlog: CInt) throws(SystemCallError) -> Socket {
        let socket = try Socket(address.family, nonBlocking: true)
        try socket.set(SOL_SOCKET, SO_REUSEADDR, 1)
        try systemCall("bind", on: address.description) {
            Int(address.withSockaddr { bind(socket.rawValue, $0, $1) })
        }
        try systemCall("listen", on: address.description) { Int(listen(socket.rawValue, backlog)) }
        return socket
    }

    /// A blocking connected socket, with Nagle's algorithm off.
    /// - Parameters:
    ///   - source: address to bind first where it is of the other's family, or nil for the kernel's choice at connect().
    ///   - timeout: bounds the connect and, from then on, each single read and write.
    /// - Throws: ``SystemCallError``; a connect that takes too long is EINPROGRESS or EAGAIN. socket(7)
    package static func connected(
        to address: SocketAddress,
        from source: IPAddress? = nil,
        timeout: Duration
    ) throws(SystemCallError) -> Socket {
        let socket = try Socket(address.family, nonBlocking: false)
        try socket.setTimeout(timeout)
        try socket.bindSource(source, towards: address)
        try systemCall("connect", on: address.description) {
            Int(address.withSockaddr { connect(socket.rawValue, $0, $1) })
        }
        if address.port != nil { try socket.set(CInt(IPPROTO_TCP), TCP_NODELAY, 1) }
        return socket
    }

    /// A non-blocking socket that is being connected, with Nagle's algorithm off: a write would block until it is, and
    /// fails when it cannot be.
    /// - Parameter source: address to bind first where it is of the other's family, or nil for the kernel's choice at
    ///   connect().
    /// - Throws: ``SystemCallError`` connect(2) EINPROGRESS
    package static func connecting(
        to address: SocketAddress,
        from source: IPAddress? = nil
    ) throws(SystemCallError) -> Socket {
        let socket = try Socket(address.family, nonBlocking: true)
        try socket.bindSource(source, towards: address)
        if address.port != nil { try socket.set(CInt(IPPROTO_TCP), TCP_NODELAY, 1) }
        do {
            try systemCall("connect", on: address.description) {
                Int(address.withSockaddr { connect(socket.rawValue, $0, $1) })
            }
        } catch  where error.errno == EINPROGRESS {
            return socket
        }
        return socket
    }

    /// Finds out whether this machine has an address to reach another from; nothing is sent. connect(2) of a datagram socket
    /// - Parameter source: address to reach it from; nil for the kernel's choice.
    /// - Throws: ``SystemCallError`` from bind, for a source that is not this machine's, or connect.
    package static func checkWay(to address: SocketAddress, from source: IPAddress?) throws(SystemCallError) {
        let type = CInt(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let socket = Socket(owning: CInt(try systemCall("socket") { Int(Glibc.socket(address.family, type, 0)) }))
        try socket.bindSource(source, towards: address)
        try systemCall("connect", on: address.description) {
            Int(address.withSockaddr { connect(socket.rawValue, $0, $1) })
        }
    }

    /// An IPv6 address need not be an interface's own, as long as it is routed here. ipv6(7) IPV6_FREEBIND
    private func bindSource(_ source: IPAddress?, towards address: SocketAddress) throws(SystemCallError) {
        guard let source, source.family == address.endpoint?.address.family else { return }
        if source.family == .ipv6 { try set(CInt(IPPROTO_IPV6), IPV6_FREEBIND, 1) }
        let local = SocketAddress(IPEndpoint(source, port: 0))
        try systemCall("bind", on: local.description) { Int(local.withSockaddr { bind(rawValue, $0, $1) }) }
    }

    /// The next waiting connection as a non-blocking socket, or nil when none waits. accept4(2)
    package func accept() throws(SystemCallError) -> Socket? {
        switch try nonBlockingCall("accept", { Int(linux_accept(rawValue)) }) {
        case .wouldBlock: return nil
        case .done(let raw):
            let socket = Socket(owning: CInt(raw))
            try socket.set(CInt(IPPROTO_TCP), TCP_NODELAY, 1)
            return socket
        }
    }

    /// The address this end is bound to. getsockname(2)
    package func localAddress() throws(SystemCallError) -> SocketAddress {
        try address("getsockname", getsockname)
    }

    /// The address of the other end. getpeername(2)
    package func peerAddress() throws(SystemCallError) -> SocketAddress {
        try address("getpeername", getpeername)
    }

    /// Bounds each read and write, and a connect; zero means no bound. SO_RCVTIMEO, SO_SNDTIMEO in socket(7)
    package func setTimeout(_ timeout: Duration) throws(SystemCallError) {
        let nanoseconds = timeout.components
        var value = timeval(
            tv_sec: Int(nanoseconds.seconds),
            tv_usec: Int(nanoseconds.attoseconds / 1_000_000_000_000)
        )
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            try systemCall("setsockopt") {
                Int(setsockopt(rawValue, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<timeval>.size)))
            }
        }
    }

    /// Ends the sending side: the other end reads to its end. shutdown(2)
    package func finishSending() {
        // It fails only on a connection that is gone already, which is as finished as can be.
        _ = shutdown(rawValue, CInt(SHUT_WR))
    }

    private func set(_ level: CInt, _ option: CInt, _ value: CInt) throws(SystemCallError) {
        var value = value
        try systemCall("setsockopt") {
            Int(setsockopt(rawValue, level, option, &value, socklen_t(MemoryLayout<CInt>.size)))
        }
    }

    private func address(
        _ call: String,
        _ body: (CInt, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
    ) throws(SystemCallError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        try systemCall(call) {
            withUnsafeMutablePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Int(body(rawValue, $0, &length)) }
            }
        }
        guard let address = SocketAddress(storage) else { throw SystemCallError(call, errno: EAFNOSUPPORT) }
        return address
    }
}
