internal import CLinux
internal import Glibc
internal import POSIX

/// One socket as sock_diag tells of it. struct inet_diag_msg in linux/inet_diag.h
struct ListedSocket: Equatable {
    var isIPv6Socket: Bool
    var state: UInt8
    var local: IPEndpoint
    var remote: IPEndpoint
    /// Milliseconds until a socket is gone that the kernel keeps on its own account, in TIME_WAIT or FIN_WAIT2; 0 for
    /// others.
    var timeWaitLeft: UInt32
    var inode: UInt32
    /// Of an IPv6 socket that listens or is only bound: whether it leaves IPv4 alone. IPV6_V6ONLY in ipv6(7)
    var isIPv6Only: Bool
}

/// What one datagram of the kernel's answer came to.
struct SocketMessages: Equatable {
    var isLast = false
    /// The kernel found its table changed in a way that can make the list incomplete. NLM_F_DUMP_INTR
    var isInterrupted = false
}

extension SocketMessages {
    private static let headerSize = MemoryLayout<nlmsghdr>.size
    /// Offsets in struct inet_diag_msg.
    private static let messageSize = 72
    private static let timerOffset = 2
    private static let interfaceOffset = 40
    private static let expiresOffset = 52
    private static let inodeOffset = 68
    /// The timer of a socket the kernel keeps after its process is done with it. sock_diag(7)
    private static let timeWaitTimer: UInt8 = 3

    /// Calls `body` for each socket in a datagram.
    /// - Throws: ``SystemCallError`` with the kernel's own number when it refuses, EBADMSG for a datagram cut short.
    static func read(
        _ datagram: UnsafeRawBufferPointer,
        asked family: SocketRequest.Family,
        _ body: (ListedSocket) -> Void
    ) throws(SystemCallError) -> SocketMessages {
        var messages = SocketMessages()
        var offset = 0
        while offset + headerSize <= datagram.count {
            let header = datagram.loadUnaligned(fromByteOffset: offset, as: nlmsghdr.self)
            let length = Int(header.nlmsg_len)
            guard length >= headerSize, offset + length <= datagram.count else { throw cut(family) }
            if CInt(header.nlmsg_flags) & NLM_F_DUMP_INTR != 0 { messages.isInterrupted = true }
            switch CInt(header.nlmsg_type) {
            case NLMSG_DONE:
                // A dump that failed ends with its errno. netlink_dump_done() in net/netlink/af_netlink.c
                if length >= headerSize + 4 {
                    let status = datagram.loadUnaligned(fromByteOffset: offset + headerSize, as: CInt.self)
                    if status < 0 { throw refusal(-status, family) }
                }
                messages.isLast = true
                return messages
            case NLMSG_ERROR:
                guard length >= headerSize + 4 else { throw cut(family) }
                let error = datagram.loadUnaligned(fromByteOffset: offset + headerSize, as: CInt.self)
                throw refusal(-error, family)
            case NLMSG_NOOP: break
            default:
                guard length >= headerSize + messageSize else { throw cut(family) }
                let message = UnsafeRawBufferPointer(rebasing: datagram[(offset + headerSize)..<(offset + length)])
                body(socket(in: message))
            }
            // Messages begin at multiples of four (NLMSG_ALIGN in netlink(3)).
            offset += (length + 3) & ~3
        }
        return messages
    }

    private static func socket(in message: UnsafeRawBufferPointer) -> ListedSocket {
        let isIPv6 = message[0] == UInt8(AF_INET6)
        func port(_ offset: Int) -> UInt16 {
            UInt16(bigEndian: message.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
        }
        let interface = message.loadUnaligned(fromByteOffset: interfaceOffset, as: UInt32.self)
        func address(_ offset: Int) -> IPAddress {
            guard isIPv6 else {
                let value = UInt32(bigEndian: message.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
                return IPAddress(IPv4Address(value: value))
            }
            let high = UInt64(bigEndian: message.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            let low = UInt64(bigEndian: message.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
            let address = IPAddress(high: high, low: low)
            return address.isLinkLocal ? IPAddress(high: high, low: low, zone: interface) : address
        }
        let state = message[1]
        // inet_twsk_diag_fill() in net/ipv4/inet_diag.c
        let isKept = state == UInt8(LINUX_TCP_TIME_WAIT.rawValue) || message[timerOffset] == timeWaitTimer
        let expires = message.loadUnaligned(fromByteOffset: expiresOffset, as: UInt32.self)
        return ListedSocket(
            isIPv6Socket: isIPv6,
            state: state,
            local: IPEndpoint(address(8), port: port(4)),
            remote: IPEndpoint(address(24), port: port(6)),
            timeWaitLeft: isKept ? expires : 0,
            inode: message.loadUnaligned(fromByteOffset: inodeOffset, as: UInt32.self),
            isIPv6Only: isIPv6 && message.count > messageSize && hasAttribute(INET_DIAG_SKV6ONLY, message)
        )
    }

    /// Whether an attribute of one byte is there and not zero. rtnetlink(3)
    private static func hasAttribute(_ type: Int, _ message: UnsafeRawBufferPointer) -> Bool {
        var offset = messageSize
        while offset + 4 <= message.count {
            let length = Int(message.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
            guard length >= 4, offset + length <= message.count else { return false }
            if Int(message.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self)) == type, length >= 5 {
                return message[offset + 4] != 0
            }
            offset += (length + 3) & ~3
        }
        return false
    }

    private static func refusal(_ errno: CInt, _ family: SocketRequest.Family) -> SystemCallError {
        SystemCallError("sock_diag", on: family.name, errno: errno)
    }

    private static func cut(_ family: SocketRequest.Family) -> SystemCallError { refusal(EBADMSG, family) }
}
