internal import CConnectHook
internal import Glibc
package import POSIX
package import Units

/// What a dialled socket is told before it is bound and connected. Nothing is said, and no call made, for what is off.
package struct SocketOptions: Sendable, Equatable {
    /// What addresses and ports a socket shares with others. The setting `reuse-address`.
    package enum AddressReuse: String, Sendable, CaseIterable {
        case off
        /// SO_REUSEADDR
        case address
        /// SO_REUSEPORT
        case port

        /// - Throws: ``UnitTextError`` listing the accepted forms.
        package init(text: String) throws(UnitTextError) {
            guard let reuse = Self(rawValue: text) else {
                throw UnitTextError(text: text, expected: "what a socket shares: use off, address or port")
            }
            self = reuse
        }
    }

    /// What close() does with a connection. The setting `linger`.
    package enum Linger: String, Sendable, CaseIterable {
        /// It ends the conversation, and leaves a TIME_WAIT behind.
        case off
        /// It resets the connection, and leaves nothing: SO_LINGER {1, 0}.
        case rst

        /// - Throws: ``UnitTextError`` listing the accepted forms.
        package init(text: String) throws(UnitTextError) {
            guard let linger = Self(rawValue: text) else {
                throw UnitTextError(text: text, expected: "what close() does: use off or rst")
            }
            self = linger
        }
    }

    package var reuse = AddressReuse.off
    package var linger = Linger.off
    /// Nil leaves the namespace's range.
    package var localPorts: LocalPortRange?

    package init() {}

    func apply(to policy: inout dial_policy) {
        policy.reuse =
            switch reuse {
            case .off: CInt(DIAL_REUSE_OFF.rawValue)
            case .address: CInt(DIAL_REUSE_ADDRESS.rawValue)
            case .port: CInt(DIAL_REUSE_PORT.rawValue)
            }
        policy.reset_on_close = linger == .rst ? 1 : 0
        policy.local_port_range = localPorts?.optionValue ?? 0
    }
}

/// The ports that the kernel chooses among for one socket: IP_LOCAL_PORT_RANGE in ip(7), since Linux 6.3. The setting
/// `local-port-range`.
package struct LocalPortRange: Sendable, Equatable, CustomStringConvertible {
    package let lowest: UInt16
    package let highest: UInt16

    /// Reads `LO-HI`.
    /// - Throws: ``UnitTextError`` naming the accepted form.
    package init(text: String) throws(UnitTextError) {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        guard ends.count == 2, let low = ends[0], let high = ends[1], low >= 1, low <= high,
            text == "\(low)-\(high)"
        else {
            throw UnitTextError(
                text: text,
                expected: "a range of ports: write it as 40000-41023, from 1 to 65535, or none"
            )
        }
        lowest = low
        highest = high
    }

    package var description: String { "\(lowest)-\(highest)" }

    var optionValue: UInt32 { UInt32(highest) << 16 | UInt32(lowest) }

    /// Whether this kernel takes it, tried on a socket of its own.
    /// - Throws: ``SystemCallError``: ENOPROTOOPT before Linux 6.3.
    package func probe() throws(SystemCallError) {
        let raw = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { throw SystemCallError("socket", errno: errno) }
        let descriptor = Descriptor(owning: raw)
        var range = optionValue
        let length = socklen_t(MemoryLayout.size(ofValue: range))
        // The number of IP_LOCAL_PORT_RANGE, which older headers lack.
        guard setsockopt(descriptor.rawValue, CInt(IPPROTO_IP), 51, &range, length) == 0 else {
            throw SystemCallError("setsockopt", on: "IP_LOCAL_PORT_RANGE", errno: errno)
        }
    }
}
