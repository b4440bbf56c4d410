internal import CLinux
internal import Glibc
package import POSIX

/// Asks the kernel for sockets over netlink, as `ss` does, of the calling thread's network
/// namespace. sock_diag(7)
package enum SocketDiagnostics {
    /// Surveys the sockets connected, connecting or closing towards a port: the dialling side only.
    /// - Parameters:
    ///   - port: nil for all TCP sockets but listening ones, both sides of each connection.
    ///   - source: only those from this address; nil for all.
    ///   - budget: the ephemeral range, to tell the ports that count against it; nil reads the present one.
    /// - Throws: ``SystemCallError``
    package static func survey(
        towardsPort port: UInt16?,
        from source: IPv4Address? = nil,
        budget: PortBudget? = nil
    ) throws(SystemCallError) -> SocketSurvey {
        let budget = if let budget { budget } else { try PortBudget.current() }
        var survey = SocketSurvey()
        try dump(towardsPort: port) { message in
            let address = message.id.idiag_src.0
            guard source.map({ $0.networkOrder == address }) ?? true else { return }
            let port = Int(UInt16(bigEndian: message.id.idiag_sport))
            let isEphemeral = port >= budget.lowestPort && port <= budget.highestPort
            survey.add(state: message.idiag_state, source: address, isEphemeral: isEphemeral)
        }
        return survey
    }

    /// Destinations of the sockets with these inode numbers, those with the most sockets first.
    /// - Throws: ``SystemCallError``
    package static func destinations(
        ofInodes inodes: Set<UInt32>
    ) throws(SystemCallError) -> [(address: SocketAddress, sockets: Int)] {
        var destinations: [SocketAddress: Int] = [:]
        try dump(towardsPort: nil) { message in
            guard inodes.contains(message.idiag_inode) else { return }
            let host = IPv4Address(value: UInt32(bigEndian: message.id.idiag_dst.0))
            destinations[.ipv4(host, port: UInt16(bigEndian: message.id.idiag_dport)), default: 0] += 1
        }
        return destinations.sorted { ($0.value, "\($1.key)") > ($1.value, "\($0.key)") }
            .map { ($0.key, $0.value) }
    }

    /// Calls `body` for each socket but listening ones.
    private static func dump(
        towardsPort port: UInt16?,
        _ body: (inet_diag_msg) -> Void
    ) throws(SystemCallError) {
        let raw = socket(AF_NETLINK, CInt(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), NETLINK_SOCK_DIAG)
        guard raw >= 0 else { throw SystemCallError("socket", on: "netlink", errno: errno) }
        let netlink = Descriptor(owning: raw)
        let request = request(filter: port.map { filter(port: $0) } ?? [])
        _ = try netlink.write(request[...])

        var space = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let result = space.withUnsafeMutableBytes { space in
                Result { () throws(SystemCallError) in
                    guard case .done(let count) = try netlink.read(into: space) else { return false }
                    let datagram = UnsafeRawBufferPointer(rebasing: space[..<count])
                    return try read(datagram, body)
                }
            }
            if try result.get() { return }
        }
    }

    /// Reads one datagram of answers.
    /// - Returns: whether it was the last.
    private static func read(
        _ datagram: UnsafeRawBufferPointer,
        _ body: (inet_diag_msg) -> Void
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
            default: body(datagram.loadUnaligned(fromByteOffset: offset + headerSize, as: inet_diag_msg.self))
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
