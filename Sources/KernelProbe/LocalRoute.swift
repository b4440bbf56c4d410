internal import CLinux
internal import Glibc
package import POSIX

/// Which addresses are this machine's own in the calling thread's network namespace: beside those of its interfaces, all
/// that a local route has. ip-route(8)
package enum LocalRoute {
    /// Makes the addresses of a prefix this machine's own, as `ip route add local PREFIX dev lo` does.
    /// - Throws: ``SystemCallError``: EPERM outside of a namespace of one's own.
    package static func add(_ prefix: AddressPrefix) throws(SystemCallError) {
        try add(prefix.first, length: prefix.length)
    }

    /// The same of one address.
    /// - Throws: ``SystemCallError``
    package static func add(_ address: IPAddress) throws(SystemCallError) {
        try add(address, length: address.family == .ipv4 ? 32 : 128)
    }

    private static func add(_ address: IPAddress, length: Int) throws(SystemCallError) {
        let error = octets(of: address) { linux_add_local_route($0, $1, CInt(length)) }
        guard error == 0 else { throw SystemCallError("route", on: "\(address)/\(length)", errno: error) }
    }

    /// Whether an address is one of them; nil where the kernel does not say.
    package static func has(_ address: IPAddress) -> Bool? {
        let answer = octets(of: address) { linux_is_local($0, $1) }
        return answer < 0 ? nil : answer == 1
    }

    private static func octets(of address: IPAddress, _ body: (CInt, UnsafeRawPointer) -> CInt) -> CInt {
        if let ipv4 = address.ipv4 {
            return withUnsafeBytes(of: ipv4.networkOrder) { body(AF_INET, $0.baseAddress!) }
        }
        return withUnsafeBytes(of: (address.high.bigEndian, address.low.bigEndian)) { body(AF_INET6, $0.baseAddress!) }
    }
}
