internal import CLinux
internal import Glibc
package import POSIX

/// TCP sockets by state.
package struct SocketCounts: Sendable, Equatable {
    package var established = 0
    package var timeWait = 0
    /// In every state but the two above and LISTEN.
    package var other = 0
}

/// Asks the kernel for sockets over netlink, as `ss` does, of the calling thread's network
/// namespace. sock_diag(7)
package enum SocketDiagnostics {
    /// Counts the sockets connected, connecting or closing towards a port: the dialling side only.
    /// - Parameter source: count only those from this address; nil counts all.
    /// - Throws: ``SystemCallError``
    package static func count(
        towardsPort port: UInt16,
        from source: IPv4Address? = nil
    ) throws(SystemCallError) -> SocketCounts {
        try count(filter: filter(port: port), from: source)
    }

    /// Counts all IPv4 TCP sockets but listening ones.
    /// - Throws: ``SystemCallError``
    package static func countAll() throws(SystemCallError) -> SocketCounts {
        try count(filter: [], from: nil)
    }

    private static func count(
        filter: [inet_diag_bc_op],
        from source: IPv4Address?
    ) throws(SystemCallError) -> SocketCounts {
        let raw = socket(AF_NETLINK, CInt(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), NETLINK_SOCK_DIAG)
        guard raw >= 0 else { throw SystemCallError("socket", on: "netlink", errno: errno) }
        let netlink = Descriptor(owning: raw)
        let request = request(filter: filter)
        _ = try netlink.write(request[...])

        var counts = SocketCounts()
        var space = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let result = space.withUnsafeMutableBytes { space in
                Result { () throws(SystemCallError) in
                    guard case .done(let count) = try netlink.read(into: space) else { return false }
                    return try add(UnsafeRawBufferPointer(rebasing: space[..<count]), from: source, to: &counts)
                }
            }
            if try result.get() { return counts }
        }
    }

    /// Counts one datagram of answers.
    /// - Returns: whether it was the last.
    private static func add(
        _ datagram: UnsafeRawBufferPointer,
        from source: IPv4Address?,
        to counts: inout SocketCounts
    ) throws(SystemCallError) -> Bool {
        let headerSize = MemoryLayout<nlmsghdr>.size
        var offset = 0
        while offset + headerSize <= datagram.count {
            let header = datagram.loadUnaligned(fromByteOffset: offset, as: nlmsghdr.self)
            switch CInt(header.nlmsg_type) {
            case NLMSG_DONE: return true
            case NLMSG_ERROR:
                let error = datagram.loadUnaligned(fromByteOffset: offset + headerSize, as: CInt.self)
                throw SystemCallError("sock_diag", errno: -error)
            default:
                let message = datagram.loadUnaligned(fromByteOffset: offset + headerSize, as: inet_diag_msg.self)
                let isCounted = source.map { $0.networkOrder == message.id.idiag_src.0 } ?? true
                switch UInt32(message.idiag_state) {
                case _ where !isCounted: break
                case LINUX_TCP_ESTABLISHED.rawValue: counts.established += 1
                case LINUX_TCP_TIME_WAIT.rawValue: counts.timeWait += 1
                default: counts.other += 1
                }
            }
            // Messages begin at multiples of four (NLMSG_ALIGN in netlink(3)).
            offset += (Int(header.nlmsg_len) + 3) & ~3
        }
        return false
    }

    private static func request(filter: [inet_diag_bc_op]) -> [UInt8] {
        var query = inet_diag_req_v2()
        query.sdiag_family = UInt8(AF_INET)
        query.sdiag_protocol = UInt8(IPPROTO_TCP)
        query.idiag_states = ~(1 << LINUX_TCP_LISTEN.rawValue)
        var body = withUnsafeBytes(of: &query) { Array($0) }
        if !filter.isEmpty {
            let bytecode = filter.withUnsafeBytes { Array($0) }
            var attribute = rtattr(
                rta_len: UInt16(MemoryLayout<rtattr>.size + bytecode.count),
                rta_type: UInt16(INET_DIAG_REQ_BYTECODE)
            )
            body += withUnsafeBytes(of: &attribute) { Array($0) } + bytecode
        }
        var header = nlmsghdr()
        header.nlmsg_len = UInt32(MemoryLayout<nlmsghdr>.size + body.count)
        header.nlmsg_type = UInt16(SOCK_DIAG_BY_FAMILY)
        header.nlmsg_flags = UInt16(NLM_F_REQUEST | NLM_F_DUMP)
        return withUnsafeBytes(of: &header) { Array($0) } + body
    }

    /// The kernel's own filter language, so that it sends only what is counted: destination port
    /// at least and at most `port`. A jump past the end rejects; each comparison takes two words.
    private static func filter(port: UInt16) -> [inet_diag_bc_op] {
        func compare(_ code: Int, reject: UInt16) -> [inet_diag_bc_op] {
            [
                inet_diag_bc_op(code: UInt8(code), yes: 8, no: reject),
                inet_diag_bc_op(code: UInt8(INET_DIAG_BC_NOP), yes: 0, no: port),
            ]
        }
        return compare(Int(INET_DIAG_BC_D_GE), reject: 20) + compare(Int(INET_DIAG_BC_D_LE), reject: 12)
    }
}
