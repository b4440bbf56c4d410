internal import Glibc
internal import POSIX

/// A socket address in the C form, of IPv4 or IPv6.
struct RawSocketAddress {
    /// Has room for a `sockaddr_in` as well.
    private var storage = sockaddr_in6()
    private(set) var length: socklen_t

    /// Reads what a program handed to the kernel; nil for other families and for too few bytes.
    init?(_ bytes: UnsafeRawBufferPointer) {
        let family = bytes.count >= 2 ? CInt(bytes.loadUnaligned(as: UInt16.self)) : -1
        let size = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
        // The kernel takes an IPv6 address without its last field, the scope.
        let least = family == AF_INET ? size : size - 4
        guard family == AF_INET || family == AF_INET6, bytes.count >= least else { return nil }
        length = socklen_t(min(size, bytes.count))
        let count = Int(length)
        withUnsafeMutableBytes(of: &storage) { $0.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count])) }
    }

    /// An IPv4 address for a socket of a family, in its mapped form where that is AF_INET6.
    init(_ address: IPv4Address, port: UInt16, family: CInt) {
        guard family == AF_INET6 else {
            var inet = sockaddr_in()
            inet.sin_family = sa_family_t(AF_INET)
            inet.sin_port = port.bigEndian
            inet.sin_addr.s_addr = address.networkOrder
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: inet, as: sockaddr_in.self) }
            return
        }
        storage.sin6_family = sa_family_t(AF_INET6)
        storage.sin6_port = port.bigEndian
        length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        withUnsafeMutableBytes(of: &storage.sin6_addr) { octets in
            octets.storeBytes(of: 0xffff, toByteOffset: 10, as: UInt16.self)
            octets.storeBytes(of: address.networkOrder, toByteOffset: 12, as: UInt32.self)
        }
    }

    /// Every address of a family.
    init(anyPort port: UInt16, family: CInt) {
        storage.sin6_family = sa_family_t(family)
        storage.sin6_port = port.bigEndian
        // In both structures the port follows the family, and zeros are every address.
        length = socklen_t(family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size)
    }

    /// The local address of a socket; nil when it is none of IPv4 or IPv6. getsockname(2)
    init?(localOf descriptor: CInt) {
        length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0, family == AF_INET || family == AF_INET6 else { return nil }
    }

    var family: CInt { CInt(storage.sin6_family) }

    var endpoint: IPEndpoint {
        withUnsafeBytes(of: storage) { bytes in
            if family == AF_INET {
                let inet = bytes.loadUnaligned(as: sockaddr_in.self)
                return IPEndpoint(
                    IPAddress(IPv4Address(value: UInt32(bigEndian: inet.sin_addr.s_addr))),
                    port: UInt16(bigEndian: inet.sin_port)
                )
            }
            return IPEndpoint(
                IPAddress(
                    high: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)),
                    low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
                ),
                port: UInt16(bigEndian: storage.sin6_port)
            )
        }
    }

    /// Calls bind(2) or connect(2) with it.
    /// - Returns: 0 or the errno.
    func call(_ body: (CInt, UnsafePointer<sockaddr>, socklen_t) -> CInt, on descriptor: CInt) -> CInt {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body(descriptor, $0, length) == 0 ? 0 : errno
            }
        }
    }
}
