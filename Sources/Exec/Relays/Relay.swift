internal import CLinux
internal import Glibc
internal import POSIX
internal import Synchronization
internal import Units

/// Joins the connections of a listener to ones it makes itself, byte by byte, each direction on a thread of its own.
///
/// An end of one side is passed on as an end, with the other direction left open; a reset as a reset. Connections
/// beyond ``limit`` wait in the listener's queue.
final class Relay: Sendable {
    /// Joined connections at once, of one relay.
    static let limit = 256
    private static let stackBytes = 192 << 10
    private static let chunk = 64 << 10
    private static let connectTimeout = Duration.seconds(10)

    private let listener: Socket
    private let open = Atomic<Int>(0)
    private let connect: @Sendable () throws(SystemCallError) -> Descriptor

    /// - Parameters:
    ///   - listener: in the one namespace.
    ///   - connect: makes a connection in the other, blocking.
    init(_ listener: consuming Socket, connect: @escaping @Sendable () throws(SystemCallError) -> Descriptor) {
        self.listener = listener
        self.connect = connect
    }

    /// Starts it, for as long as the process lives.
    /// - Throws: ``SystemCallError``
    func start() throws(SystemCallError) {
        try Thread(name: "relay") { [self] in
            while true {
                var ready = pollfd(fd: listener.rawValue, events: Int16(POLLIN), revents: 0)
                if open.load(ordering: .acquiring) < Self.limit, poll(&ready, 1, -1) == 1, (try? acceptOne()) != nil {
                    continue
                }
                // As many as there may be, or out of descriptors or threads for now.
                sleepThread(for: .milliseconds(10))
            }
        }.detach()
    }

    private func acceptOne() throws(SystemCallError) {
        guard let accepted = try listener.accept() else { return }
        let near = try Descriptor.duplicate(of: accepted.rawValue)
        Self.setBlocking(near.rawValue)
        let pair = Pair(near, self)
        // Connecting may take long: the next ones do not wait for it.
        try Thread(name: "relay-there", stackBytes: Self.stackBytes) { [self] in
            defer { withExtendedLifetime(pair) {} }
            do throws(SystemCallError) {
                let far = pair.join(try connect())
                try Thread(name: "relay-back", stackBytes: Self.stackBytes) {
                    withExtendedLifetime(pair) { Self.carry(from: far, to: pair.near.rawValue) }
                }.detach()
                Self.carry(from: pair.near.rawValue, to: far)
            } catch {
                Self.reset(pair.near.rawValue)
            }
        }.detach()
    }

    /// Two joined connections, closed when both directions have ended.
    private final class Pair: Sendable {
        let near: Descriptor
        private let far = Mutex<CInt>(-1)
        private let relay: Relay

        init(_ near: consuming Descriptor, _ relay: Relay) {
            self.near = near
            self.relay = relay
            relay.open.add(1, ordering: .relaxed)
        }

        deinit {
            far.withLock { if $0 >= 0 { close($0) } }
            relay.open.subtract(1, ordering: .releasing)
        }

        /// Takes over the connection to the other side, and returns its number.
        func join(_ other: consuming Descriptor) -> CInt {
            let raw = other.release()
            far.withLock { $0 = raw }
            return raw
        }
    }

    /// Carries one direction to its end, and passes the end on.
    private static func carry(from source: CInt, to target: CInt) {
        withUnsafeTemporaryAllocation(byteCount: chunk, alignment: 16) { space in
            while true {
                let count = read(source, space.baseAddress!, space.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    if count < 0 { reset(target) } else { _ = shutdown(target, CInt(SHUT_WR)) }
                    return
                }
                var sent = 0
                while sent < count {
                    let written = send(target, space.baseAddress! + sent, count - sent, CInt(MSG_NOSIGNAL))
                    if written < 0, errno == EINTR { continue }
                    guard written > 0 else { return reset(source) }
                    sent += written
                }
            }
        }
    }

    /// Makes the close of a connection a reset, and ends the wait of who reads from it.
    private static func reset(_ descriptor: CInt) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        _ = shutdown(descriptor, CInt(SHUT_RD))
    }

    static func setBlocking(_ descriptor: CInt) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK)
        var one: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
    }

    /// Connects a non-blocking socket, up to the timeout, and makes it blocking.
    /// - Throws: ``SystemCallError``
    static func connect(_ socket: CInt, to address: SocketAddress) throws(SystemCallError) {
        guard case .ipv4(let host, let port) = address else { return }
        var error = RawSocketAddress(host, port: port, family: AF_INET).call(Glibc.connect, on: socket)
        if error == EINPROGRESS {
            var ready = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
            let count = poll(&ready, 1, CInt(connectTimeout.inMilliseconds))
            var length = socklen_t(MemoryLayout<CInt>.size)
            if count == 1 { getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) } else { error = ETIMEDOUT }
        }
        guard error == 0 else { throw SystemCallError("connect", on: address.description, errno: error) }
        setBlocking(socket)
    }
}
