internal import CConnectHook
internal import Glibc
package import POSIX
package import Units

/// What a dial came to. The request it was made for has been sent only if it is `connected`.
package enum DialResult: ~Copyable {
    case connected(Connection)
    /// The server's accept queue is full. Watch the descriptor for writability, then
    /// ``Dial/resume(_:slot:copying:_:)``.
    case pending(Descriptor, ConnectionSlot?)
    case failed(MemcachedError)
}

/// One dial to one server: the route, and the handle to reach it with.
package struct Dial {
    package var server: Int
    /// The ``Dialer/name`` of the dialer that chose the route.
    package var dialer: String
    package var address: SocketAddress
    package var source: IPAddress?
    package var destination: IPv4Address?
    /// Let connect() choose the port of a bound address: IP_BIND_ADDRESS_NO_PORT in ip(7).
    package var lateBind: Bool
    package var options: SocketOptions

    /// - Parameters:
    ///   - dialer: has addresses of one family; dials to another are left to the kernel.
    ///   - generator: draws the addresses of a dialer that rotates.
    package init(
        server: Int,
        address: SocketAddress,
        dialer: Dialer,
        lateBind: Bool,
        options: SocketOptions = SocketOptions(),
        using generator: inout SplitMix64
    ) {
        self.server = server
        self.address = address
        self.lateBind = lateBind
        self.options = options
        let dialer = dialer.hasAddresses(towards: address) ? dialer : Dialer.kernel
        self.dialer = dialer.name
        (source, destination) = dialer.nextRoute(using: &generator)
    }

    /// Dials as part of sending the first request.
    /// - Parameters:
    ///   - slot: what the pool has for the connection; nil for one that is no pool's.
    ///   - send: sends the request on the new handle, and by that makes libmemcached dial.
    package func start(
        slot: consuming ConnectionSlot? = nil,
        copying template: borrowing Handle,
        _ send: (borrowing Handle) -> ReturnCode
    ) -> DialResult {
        var policy = dial_policy(refuse: false)
        if let source = source?.ipv4 {
            policy.source_address = source.networkOrder
        } else if let source {
            policy.source_ipv6 = (source.high.bigEndian, source.low.bigEndian)
        }
        policy.destination_address = destination?.networkOrder ?? 0
        policy.late_bind = lateBind ? 1 : 0
        options.apply(to: &policy)
        return finish(Handle(copying: template), slot, &policy, send)
    }

    /// Continues a pending dial whose descriptor has become writable.
    package func resume(
        _ pending: consuming Descriptor,
        slot: consuming ConnectionSlot?,
        copying template: borrowing Handle,
        _ send: (borrowing Handle) -> ReturnCode
    ) -> DialResult {
        var error: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(pending.rawValue, SOL_SOCKET, SO_ERROR, &error, &length)
        guard error == 0 else { return .failed(failure(.connect, errno: error)) }
        var policy = dial_policy(refuse: false)
        policy.adopt = pending.release()
        return finish(Handle(copying: template), slot, &policy, send)
    }

    private func finish(
        _ handle: consuming Handle,
        _ slot: consuming ConnectionSlot?,
        _ policy: inout dial_policy,
        _ send: (borrowing Handle) -> ReturnCode
    ) -> DialResult {
        let code = withInstalled(&policy) { send(handle) }
        let unsent = policy.takeUnsent()
        if policy.pending >= 0 { return .pending(Descriptor(owning: policy.pending), slot) }
        // An adopted descriptor that libmemcached never came to ask for.
        if policy.adopt >= 0 { close(policy.adopt) }
        if policy.failed_call != DIAL_CALL_NONE.rawValue {
            let step: MemcachedError.Step =
                switch UInt32(policy.failed_call) {
                case DIAL_CALL_BIND.rawValue: .bind
                case DIAL_CALL_SETSOCKOPT.rawValue: .setsockopt
                case DIAL_CALL_DUP.rawValue, DIAL_CALL_SOCKET.rawValue: .socket
                default: .connect
                }
            return .failed(failure(step, errno: policy.failed_errno))
        }
        guard policy.reached != 0 else {
            return .failed(failure(.socket, code: code, errno: handle.lastErrno))
        }
        guard code == .success else {
            return .failed(failure(.send, code: code, errno: handle.lastErrno))
        }
        handle.slot = slot
        return .connected(Connection(handle: handle, descriptor: policy.descriptor, server: server, unsent: unsent))
    }

    private func failure(_ step: MemcachedError.Step, code: ReturnCode = .errno, errno: CInt) -> MemcachedError {
        var server = address
        if let destination, let port = address.port { server = .ipv4(destination, port: port) }
        return MemcachedError(step, code: code, errno: errno, source: source, server: server)
    }
}
