internal import CLinux
internal import Glibc
internal import POSIX
internal import Testbed

/// The relays of a room: those listeners that belong outside are opened before it is entered.
struct Relays: ~Copyable {
    /// Where the relays' own connections into the room come from, so that the ports of 127.0.0.1 are the program's.
    private static let source = IPv4Address(value: 0x7f4d_4d4d)
    private static let backlog: CInt = 1024

    private var published: [(listener: CInt, port: UInt16)] = []
    private let links: [LinkText]

    /// - Throws: ``TestbedError`` when a port is taken, or nobody is there to be linked to.
    init(publish: [PublishText], links: [LinkText]) throws(TestbedError) {
        self.links = links
        for port in publish {
            do {
                let listener = try Socket.listening(on: port.outside, backlog: Self.backlog)
                published.append((try Descriptor.duplicate(of: listener.rawValue).release(), port.insidePort))
            } catch {
                throw TestbedError(
                    "--publish: \(port.outside) cannot be listened on (\(SystemCallError.text(of: error.errno)))"
                )
            }
        }
        for link in links {
            do {
                _ = try Socket.connected(to: link.outside, timeout: .seconds(5))
            } catch {
                throw TestbedError(
                    "--link: nobody answers on \(link.outside) (\(SystemCallError.text(of: error.errno)))"
                )
            }
        }
    }

    /// Starts them, from within the room.
    /// - Parameter keeper: makes the sockets outside.
    /// - Throws: ``TestbedError``
    consuming func start(_ keeper: Keeper?) throws(TestbedError) {
        do {
            for (listener, port) in published {
                try Relay(Socket(adopting: Descriptor(owning: listener))) { () throws(SystemCallError) in
                    try Self.connectInside(port)
                }.start()
            }
            guard let keeper else { return }
            for link in links {
                try Relay(try Self.listenInside(link.insidePort)) { () throws(SystemCallError) in
                    let socket = try keeper.socket()
                    try Relay.connect(socket.rawValue, to: link.outside)
                    return socket
                }.start()
            }
        } catch {
            throw TestbedError("a relay cannot be started: \(error)")
        }
    }

    /// On all addresses of both families: nothing but the room's programs is there, and they may say localhost, or
    /// rotate destinations.
    private static func listenInside(_ port: UInt16) throws(SystemCallError) -> Socket {
        var failure = SystemCallError("socket", errno: EAFNOSUPPORT)
        for family in [AF_INET6, AF_INET] {
            let raw = Glibc.socket(
                family,
                CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue),
                0
            )
            guard raw >= 0 else { continue }
            let socket = Descriptor(owning: raw)
            CallWorker.set(raw, SOL_SOCKET, SO_REUSEADDR, 1)
            if family == AF_INET6 { CallWorker.set(raw, CInt(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
            var error = RawSocketAddress(anyPort: port, family: family).call(Glibc.bind, on: raw)
            if error == 0, listen(raw, backlog) != 0 { error = errno }
            if error == 0 { return Socket(adopting: socket) }
            failure = SystemCallError("bind", on: "port \(port)", errno: error)
        }
        throw failure
    }

    private static func connectInside(_ port: UInt16) throws(SystemCallError) -> Descriptor {
        let raw = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
        guard raw >= 0 else { throw SystemCallError("socket", errno: errno) }
        let socket = Descriptor(owning: raw)
        CallWorker.set(raw, CInt(IPPROTO_IP), LINUX_IP_BIND_ADDRESS_NO_PORT, 1)
        let error = RawSocketAddress(source, port: 0, family: AF_INET).call(Glibc.bind, on: raw)
        guard error == 0 else { throw SystemCallError("bind", on: "\(source)", errno: error) }
        try Relay.connect(raw, to: .ipv4(.loopback, port: port))
        return socket
    }
}
