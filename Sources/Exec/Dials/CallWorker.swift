internal import CLinux
internal import Glibc
internal import POSIX
internal import Units

/// Makes single calls for the command, for one thread of the ``Interceptor``.
struct CallWorker: ~Copyable {
    private let listener: CInt
    private var generator: SplitMix64
    private var threads = ThreadDescriptors()

    init(listener: CInt) {
        self.listener = listener
        generator = SplitMix64(seed: .random(in: 0 ... .max))
    }

    /// A call on a TCP socket, looked into.
    struct Examined {
        /// A duplicate of the program's descriptor, to be closed by ``CallWorker/release(_:)``.
        let descriptor: CInt
        /// What the program handed over.
        let address: RawSocketAddress
        /// What the socket is bound to so far.
        let local: RawSocketAddress
    }

    enum Examination {
        case socket(Examined)
        /// Another family, another protocol, or arguments for the kernel to refuse.
        case notOurs
        /// A call that may be one, of a process that cannot be looked into.
        case unseen
    }

    mutating func examine(_ call: linux_notification) -> Examination {
        guard call.address_length >= 2 else { return .notOurs }
        let size = min(Int(call.address_length), MemoryLayout<sockaddr_in6>.size)
        var failure: CInt = 0
        let address: RawSocketAddress? = withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { space in
            let count = linux_read_memory(call.thread, call.address, space.baseAddress!, size)
            if count < 0 { failure = errno }
            return count == size ? RawSocketAddress(UnsafeRawBufferPointer(space)) : nil
        }
        guard let address else { return failure == EPERM || failure == EACCES ? .unseen : .notOurs }
        guard let copy = threads.copy(call.descriptor, of: call.thread) else {
            return errno == EPERM || errno == EACCES ? .unseen : .notOurs
        }
        // The number was the thread's when the call was handed over; now it is known to be still.
        guard linux_call_is_waiting(listener, call.identifier) != 0, Self.isTCP(copy.rawValue),
            let local = RawSocketAddress(localOf: copy.rawValue)
        else { return .notOurs }
        return .socket(Examined(descriptor: copy.release(), address: address, local: local))
    }

    func release(_ socket: Examined) {
        close(socket.descriptor)
    }

    /// Whether the socket has a connection, is getting one, or holds the error of one that failed: then connect() is
    /// a question about that.
    func isUnderWay(_ socket: Examined) -> Bool {
        if socket.local.endpoint.port != 0 {
            var start = linux_tcp_start_info()
            if linux_tcp_start(socket.descriptor, &start) == 0, start.state != LINUX_TCP_CLOSE.rawValue { return true }
        }
        var ready = pollfd(fd: socket.descriptor, events: 0, revents: 0)
        return poll(&ready, 1, 0) == 1 && ready.revents & Int16(POLLERR) != 0
    }

    /// How far a dial came.
    struct Dial {
        enum Progress {
            case ended(DialAccount.Outcome)
            case pending
        }
        var progress: Progress
        /// What the program is told: 0 or an errno. Of a pending dial EINPROGRESS, or 0 for one that blocks.
        var answer: CInt
        var source: IPEndpoint?
        var destination: IPEndpoint
        var isRouted = true
        var isInjected = false
    }

    /// Makes a dial.
    mutating func dial(_ socket: Examined, _ policy: DialPolicy) -> Dial {
        let asked = socket.address.endpoint
        if let errno = policy.fault(of: .connect, using: &generator) {
            return failed(.connect, errno, from: nil, to: asked, isInjected: true)
        }
        let route = policy.route(to: asked, from: socket.local.endpoint, using: &generator)
        prepare(socket.descriptor, policy)
        if let source = route.source {
            if let errno = policy.fault(of: .bind, using: &generator) {
                return failed(.bind, errno, from: nil, to: asked, isInjected: true)
            }
            let address = RawSocketAddress(source, port: 0, family: socket.local.family)
            let error = address.call(Glibc.bind, on: socket.descriptor)
            guard error == 0 else {
                return failed(.bind, error, from: IPEndpoint(IPAddress(source), port: 0), to: asked)
            }
        }
        var address = socket.address
        if let destination = route.destination {
            address = RawSocketAddress(destination, port: asked.port, family: socket.address.family)
        }
        var dial = connect(socket.descriptor, to: address)
        dial.isRouted = route.isApplied
        return dial
    }

    private func failed(
        _ call: InterceptedCall,
        _ errno: CInt,
        from source: IPEndpoint?,
        to destination: IPEndpoint,
        isInjected: Bool = false
    ) -> Dial {
        Dial(
            progress: .ended(.failed(call, errno: errno)),
            answer: errno,
            // A connect() that found no port has chosen no address either.
            source: source?.address.isWildcard == true ? nil : source,
            destination: destination,
            isInjected: isInjected
        )
    }

    /// Begins to connect without waiting, whatever the socket is set to, and says what is known then.
    private func connect(_ descriptor: CInt, to address: RawSocketAddress) -> Dial {
        let destination = address.endpoint
        let flags = fcntl(descriptor, F_GETFL)
        let blocks = flags & O_NONBLOCK == 0
        // The flag is the program's as well, but its only user waits for this call.
        if blocks { _ = fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) }
        defer { if blocks { _ = fcntl(descriptor, F_SETFL, flags) } }
        let error = address.call(Glibc.connect, on: descriptor)
        let source = RawSocketAddress(localOf: descriptor)?.endpoint
        guard error == EINPROGRESS else {
            guard error != 0 else {
                return Dial(progress: .ended(.connected), answer: 0, source: source, destination: destination)
            }
            return failed(.connect, error, from: source, to: destination)
        }
        var start = linux_tcp_start_info()
        guard linux_tcp_start(descriptor, &start) == 0, start.state != LINUX_TCP_SYN_SENT.rawValue else {
            return Dial(progress: .pending, answer: blocks ? 0 : EINPROGRESS, source: source, destination: destination)
        }
        guard blocks else {
            let outcome = DialAccount.Outcome(of: start, to: destination)
            return Dial(progress: .ended(outcome), answer: EINPROGRESS, source: source, destination: destination)
        }
        // It is over already: a second call fetches the result, which is the program's.
        let result = address.call(Glibc.connect, on: descriptor)
        guard result != 0 else {
            return Dial(progress: .ended(.connected), answer: 0, source: source, destination: destination)
        }
        return failed(.connect, result, from: source, to: destination)
    }

    /// What a bind() came to.
    struct Bound {
        /// 0 or an errno, for the program.
        var error: CInt
        var source: IPEndpoint
        /// Whether its failure is that of a dial: an address that listens is bound with SO_REUSEADDR, nearly always.
        var isDial: Bool
        var isInjected = false
    }

    /// Binds to port 0 as the program asked, or to the dialer's address.
    mutating func bind(_ socket: Examined, _ policy: DialPolicy) -> Bound {
        let reuses = Self.option(socket.descriptor, SOL_SOCKET, SO_REUSEADDR) != 0
        let asked = socket.address.endpoint
        if let errno = policy.fault(of: .bind, using: &generator) {
            return Bound(error: errno, source: asked, isDial: !reuses, isInjected: true)
        }
        var address = socket.address
        if let source = policy.replacement(forBindTo: asked, reusesAddress: reuses, using: &generator) {
            address = RawSocketAddress(source, port: 0, family: socket.address.family)
        }
        if !reuses { prepare(socket.descriptor, policy) }
        return Bound(
            error: address.call(Glibc.bind, on: socket.descriptor),
            source: address.endpoint,
            isDial: !reuses
        )
    }

    private func prepare(_ descriptor: CInt, _ policy: DialPolicy) {
        if policy.lateBind { Self.set(descriptor, CInt(IPPROTO_IP), LINUX_IP_BIND_ADDRESS_NO_PORT, 1) }
        if let ports = policy.localPorts {
            let range = UInt32(ports.highest) << 16 | UInt32(ports.lowest)
            Self.set(descriptor, CInt(IPPROTO_IP), LINUX_IP_LOCAL_PORT_RANGE, CInt(bitPattern: range))
        }
    }

    /// Lets the kernel make the call as the program did.
    func leave(_ call: linux_notification) {
        _ = linux_continue_call(listener, call.identifier)
    }

    /// Answers the call: 0 or an errno.
    func answer(_ call: linux_notification, _ error: CInt) {
        _ = linux_answer_call(listener, call.identifier, error)
    }

    private static func isTCP(_ descriptor: CInt) -> Bool {
        let value = option(descriptor, SOL_SOCKET, SO_PROTOCOL)
        return value == CInt(IPPROTO_TCP) || value == LINUX_IPPROTO_MPTCP
    }

    private static func option(_ descriptor: CInt, _ level: CInt, _ name: CInt) -> CInt {
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        return getsockopt(descriptor, level, name, &value, &length) == 0 ? value : 0
    }

    static func set(_ descriptor: CInt, _ level: CInt, _ name: CInt, _ value: CInt) {
        var value = value
        setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<CInt>.size))
    }
}
