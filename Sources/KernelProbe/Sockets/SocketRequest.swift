internal import CLinux
internal import Glibc
internal import POSIX

/// A question to sock_diag: which TCP sockets the kernel is to list. sock_diag(7)
struct SocketRequest {
    /// Whose sockets, by the family they were made with: an IPv4-mapped address is one of an IPv6 socket.
    enum Family {
        /// Both in one walk through the kernel's table, with the older request, which knows no family.
        /// inet_diag_dump_compat() in net/ipv4/inet_diag.c
        case both
        case one(CInt)

        var name: String {
            switch self {
            case .both: "TCP"
            case .one(let family): family == AF_INET ? "TCP over IPv4" : "TCP over IPv6"
            }
        }
    }

    var family: Family
    /// One bit for each state's number.
    var states: UInt32
    /// Local ports from and to which sockets are wanted; nil for all.
    var sourcePorts: ClosedRange<UInt16>?
    /// Remote port; nil for all.
    var destinationPort: UInt16?

    /// Sockets that are connected, connecting or closing: all but those that listen.
    static let connected: UInt32 = ~(1 << LINUX_TCP_LISTEN.rawValue | boundOnly)
    static let listening: UInt32 = 1 << LINUX_TCP_LISTEN.rawValue
    /// Sockets that took a port with bind() and are not connected: since Linux 6.8, ignored before.
    /// TCP_BOUND_INACTIVE in include/net/tcp_states.h
    static let boundOnly: UInt32 = 1 << 13

    /// The netlink message, for one write.
    var bytes: [UInt8] {
        var body: [UInt8]
        let type: CInt
        switch family {
        case .both:
            var query = inet_diag_req()
            query.idiag_states = states
            body = withUnsafeBytes(of: &query) { Array($0) }
            type = CInt(TCPDIAG_GETSOCK)
        case .one(let family):
            var query = inet_diag_req_v2()
            query.sdiag_family = UInt8(family)
            query.sdiag_protocol = UInt8(IPPROTO_TCP)
            query.idiag_states = states
            body = withUnsafeBytes(of: &query) { Array($0) }
            type = CInt(SOCK_DIAG_BY_FAMILY)
        }
        let filter = filter
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
        header.nlmsg_type = UInt16(type)
        header.nlmsg_flags = UInt16(NLM_F_REQUEST | NLM_F_DUMP)
        return withUnsafeBytes(of: &header) { Array($0) } + body
    }

    /// The kernel's own filter language, so that it sends only what is counted: comparisons that must all hold.
    /// Each takes two words; a jump past the end rejects. inet_diag_bc_run() in net/ipv4/inet_diag.c
    private var filter: [inet_diag_bc_op] {
        var comparisons: [(code: Int, port: UInt16)] = []
        if let sourcePorts {
            comparisons.append((Int(INET_DIAG_BC_S_GE), sourcePorts.lowerBound))
            comparisons.append((Int(INET_DIAG_BC_S_LE), sourcePorts.upperBound))
        }
        if let destinationPort {
            comparisons.append((Int(INET_DIAG_BC_D_GE), destinationPort))
            comparisons.append((Int(INET_DIAG_BC_D_LE), destinationPort))
        }
        return comparisons.enumerated().flatMap { index, comparison in
            let left = UInt16((comparisons.count - index) * 8)
            return [
                inet_diag_bc_op(code: UInt8(comparison.code), yes: 8, no: left + 4),
                inet_diag_bc_op(code: UInt8(INET_DIAG_BC_NOP), yes: 0, no: comparison.port),
            ]
        }
    }
}
