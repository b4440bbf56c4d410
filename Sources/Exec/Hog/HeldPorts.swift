internal import Glibc
package import POSIX
internal import Units

/// Ports held by this process, so that nobody else gets them.
package struct HeldPorts: ~Copyable {
    /// How ports are held.
    package enum Form: String, Sendable, CaseIterable {
        /// A socket bound to each: given back when this process ends, however it does.
        case bound
        /// A connection in TIME_WAIT on each, as exhaustion leaves them: given back by the kernel within 60 s.
        case timeWait = "time-wait"
    }

    private static let timeWait = Duration.seconds(60)
    private let form: Form
    /// Nil for all addresses of both families.
    private let source: IPv4Address?
    /// What holds each port: a descriptor, or -1 for a TIME_WAIT, and since when.
    private var held: [UInt16: (descriptor: CInt, since: MonotonicInstant)] = [:]
    /// Where connections are made to that are to be in TIME_WAIT.
    private var listener: CInt = -1
    private var listenerPort: UInt16 = 0

    /// - Throws: ``SystemCallError`` when there is no port outside the range to connect to.
    package init(_ form: Form, of source: IPv4Address?, outside range: ClosedRange<Int>) throws(SystemCallError) {
        self.form = form
        self.source = source
        guard form == .timeWait else { return }
        let address = source ?? .loopback
        for port in (1024...65535).reversed() where !range.contains(port) {
            guard let made = Self.socket(AF_INET) else { break }
            guard
                RawSocketAddress(address, port: UInt16(port), family: AF_INET).call(Glibc.bind, on: made.rawValue) == 0,
                listen(made.rawValue, 16) == 0
            else { continue }
            listener = made.release()
            listenerPort = UInt16(port)
            return
        }
        throw SystemCallError("bind", on: "\(address)", errno: EADDRINUSE)
    }

    deinit {
        if listener >= 0 { close(listener) }
        for entry in held.values where entry.descriptor >= 0 { close(entry.descriptor) }
    }

    package var count: Int { held.count }

    /// Whether a port is free: it could be bound at this moment.
    package static func isFree(_ port: UInt16, of source: IPv4Address?) -> Bool {
        guard let socket = bound(to: port, of: source) else { return false }
        socket.close()
        return true
    }

    /// Takes those of the ports that can be had; those held go on being so.
    package mutating func take(_ ports: some Sequence<UInt16>) {
        for port in ports {
            if let entry = held[port] {
                guard form == .timeWait, MonotonicInstant.now - entry.since > Self.timeWait else { continue }
                held[port] = nil
            }
            guard let socket = Self.bound(to: port, of: form == .timeWait ? source ?? .loopback : source) else {
                continue
            }
            switch form {
            case .bound: held[port] = (socket.release(), .now)
            case .timeWait: if leaveInTimeWait(socket) { held[port] = (-1, .now) }
            }
        }
    }

    /// Connects, and closes from this side first.
    private func leaveInTimeWait(_ socket: consuming Descriptor) -> Bool {
        let address = RawSocketAddress(source ?? .loopback, port: listenerPort, family: AF_INET)
        guard address.call(Glibc.connect, on: socket.rawValue) == 0 else { return false }
        let accepted = accept(listener, nil, nil)
        guard accepted >= 0 else { return false }
        socket.close()
        close(accepted)
        return true
    }

    /// A socket bound to a port of an address, or of all addresses; nil when it is taken.
    private static func bound(to port: UInt16, of source: IPv4Address?) -> Descriptor? {
        if let source { return socket(AF_INET, RawSocketAddress(source, port: port, family: AF_INET)) }
        // One socket of both families where there is IPv6.
        if let six = socket(AF_INET6, RawSocketAddress(anyPort: port, family: AF_INET6)) { return six }
        guard errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT else { return nil }
        return socket(AF_INET, RawSocketAddress(anyPort: port, family: AF_INET))
    }

    /// A socket bound to an address; nil, with errno, when that is not possible.
    private static func socket(_ family: CInt, _ address: RawSocketAddress) -> Descriptor? {
        guard let made = socket(family) else { return nil }
        if family == AF_INET6 { CallWorker.set(made.rawValue, CInt(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
        let error = address.call(Glibc.bind, on: made.rawValue)
        guard error != 0 else { return .some(made) }
        made.close()
        errno = error
        return nil
    }

    private static func socket(_ family: CInt) -> Descriptor? {
        let raw = Glibc.socket(family, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        return raw < 0 ? nil : Descriptor(owning: raw)
    }
}
