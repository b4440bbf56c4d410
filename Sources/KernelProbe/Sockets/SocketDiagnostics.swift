internal import CLinux
internal import Glibc
package import POSIX

/// Asks the kernel for TCP sockets over netlink, as `ss` does, of the calling thread's network namespace. The kernel
/// walks the whole machine's table for each answer and passes over other namespaces' sockets. sock_diag(7)
///
/// A BPF iterator over TCP (Linux 5.9, BTF, CAP_BPF and CAP_PERFMON) walks the same table: 24 bytes of each socket took it
/// 1.2 ms for 10,000 sockets in TIME_WAIT and 21 to 23 ms for 58,600, netlink's 96 bytes 1.4 and 21 ms (Linux 6.18). The
/// walk is the cost, so it is not worth a program that has to be loaded by root.
package enum SocketDiagnostics {
    /// Answers cut short by changes to the kernel's table are asked for again so many times.
    private static let attempts = 3

    /// The sockets that dial, or dialled, from ephemeral ports, and those that hold such a port otherwise.
    /// - Parameters:
    ///   - range: the ports looked at.
    ///   - boundOnly: whether sockets count that took a port with bind() and are not connected. They stand in a
    ///     table of their own, which costs about as much again.
    /// - Throws: ``SystemCallError``
    package static func table(of range: PortRange, boundOnly: Bool = true) throws(SystemCallError) -> SocketTable {
        let states =
            SocketRequest.connected | SocketRequest.listening | (boundOnly ? SocketRequest.boundOnly : 0)
        var request = SocketRequest(family: .both, states: states)
        request.sourcePorts = UInt16(range.lowestPort)...UInt16(range.highestPort)
        return try collect(request, into: SocketTable.init) { $0.add($1) }
    }

    /// Surveys the sockets connected, connecting or closing towards a port: the dialling side only.
    /// - Parameters:
    ///   - port: nil for all TCP sockets but listening ones, both sides of each connection.
    ///   - source: only those from this address; nil for all.
    /// - Throws: ``SystemCallError``
    package static func survey(
        towardsPort port: UInt16?,
        from source: IPAddress? = nil
    ) throws(SystemCallError) -> SocketSurvey {
        let range = try PortRange.current()
        var request = SocketRequest(family: .both, states: SocketRequest.connected)
        request.destinationPort = port
        return try collect(request, into: SocketSurvey.init) { survey, socket in
            guard source.map({ $0 == socket.local.address }) ?? true else { return }
            survey.add(
                state: socket.state,
                source: socket.local.address,
                isEphemeral: range.usable.contains(socket.local.port)
            )
        }
    }

    package static func survey(
        towardsPort port: UInt16?,
        from source: IPv4Address
    ) throws(SystemCallError) -> SocketSurvey {
        try survey(towardsPort: port, from: IPAddress(source))
    }

    /// TIME_WAIT sockets of a local port: of one that is listened on, those of connections that this end closed first.
    /// - Throws: ``SystemCallError``
    package static func timeWait(atPort port: UInt16) throws(SystemCallError) -> Int {
        var request = SocketRequest(family: .both, states: SocketRequest.connected)
        request.sourcePorts = port...port
        return try collect(request, into: { 0 }) { count, socket in
            if socket.state == TCPState.timeWait.rawValue { count += 1 }
        }
    }

    /// Destinations of the sockets with these inode numbers, those with the most sockets first. Sockets that were
    /// accepted are nobody's destinations: their port is one that is listened on.
    /// - Throws: ``SystemCallError``
    package static func destinations(
        ofInodes inodes: Set<UInt32>
    ) throws(SystemCallError) -> [(endpoint: IPEndpoint, sockets: Int)] {
        let request = SocketRequest(family: .both, states: SocketRequest.connected | SocketRequest.listening)
        let found = try collect(request, into: OwnSockets.init) { own, socket in
            if socket.state == TCPState.listen.rawValue {
                own.listeners.add(socket)
            } else if inodes.contains(socket.inode) {
                own.connected.append((socket.local, socket.remote))
            }
        }
        var destinations: [IPEndpoint: Int] = [:]
        for (local, remote) in found.connected where !found.listeners.accept(at: local) {
            destinations[remote, default: 0] += 1
        }
        return destinations.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.map { ($0.key, $0.value) }
    }

    private struct OwnSockets {
        var connected: [(local: IPEndpoint, remote: IPEndpoint)] = []
        var listeners = Listeners()
    }

    /// Why the kernel did not list its sockets, and what to do.
    package static func explanation(of error: SystemCallError) -> String {
        switch error.errno {
        case ENOENT, EPROTONOSUPPORT, EAFNOSUPPORT, EOPNOTSUPP:
            "this kernel lists no sockets (\(error)); it needs sock_diag: modprobe tcp_diag, or CONFIG_INET_DIAG"
        case EPERM, EACCES: "the kernel may not be asked for sockets here (\(error)); a sandbox forbids netlink"
        default: "the kernel does not list its sockets: \(error)"
        }
    }

    /// Adds each socket of an answer up, from the beginning again when the kernel says its table changed meanwhile.
    /// After ``attempts`` the last answer has to do: it lacks or repeats a few sockets at most.
    private static func collect<Value>(
        _ request: SocketRequest,
        into start: () -> Value,
        _ add: (inout Value, ListedSocket) -> Void
    ) throws(SystemCallError) -> Value {
        var families: [SocketRequest.Family] = [.both]
        var attempt = 1
        while true {
            var value = start()
            var isInterrupted = false
            do throws(SystemCallError) {
                for family in families {
                    var request = request
                    request.family = family
                    if try dump(request, { add(&value, $0) }) { isInterrupted = true }
                }
            } catch  where error.isUnknownRequest && families.count == 1 {
                // A kernel that no longer has the older request is asked for each family.
                families = [.one(AF_INET)] + (hasIPv6 ? [.one(AF_INET6)] : [])
                continue
            }
            if !isInterrupted || attempt == attempts { return value }
            attempt += 1
        }
    }

    private static var hasIPv6: Bool { access("/proc/net/if_inet6", F_OK) == 0 }

    /// Calls `body` for each socket the kernel lists.
    /// - Returns: whether the list may be incomplete.
    static func dump(
        _ request: SocketRequest,
        _ body: (ListedSocket) -> Void
    ) throws(SystemCallError) -> Bool {
        let raw = socket(AF_NETLINK, CInt(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), NETLINK_SOCK_DIAG)
        guard raw >= 0 else { throw SystemCallError("socket", on: "netlink sock_diag", errno: errno) }
        let netlink = Descriptor(owning: raw)
        _ = try netlink.write(request.bytes[...])

        // The kernel fills 32 KiB at a time. netlink_dump() in net/netlink/af_netlink.c
        let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 8)
        defer { space.deallocate() }
        var isInterrupted = false
        while true {
            guard case .done(let count) = try netlink.read(into: space), count > 0 else { continue }
            let datagram = UnsafeRawBufferPointer(rebasing: space[..<count])
            let messages = try SocketMessages.read(datagram, asked: request.family, body)
            isInterrupted = isInterrupted || messages.isInterrupted
            if messages.isLast { return isInterrupted }
        }
    }
}

extension SystemCallError {
    /// Whether the kernel has nobody to answer such a request.
    fileprivate var isUnknownRequest: Bool {
        [ENOENT, EINVAL, EOPNOTSUPP, EAFNOSUPPORT].contains(errno)
    }
}
