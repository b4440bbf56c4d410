internal import Glibc
internal import POSIX
package import Units

/// A kernel setting of a network namespace and the value it is given, as in `net.ipv4.tcp_tw_reuse=0`.
package struct NamespaceSysctl: Sendable, Equatable, CustomStringConvertible {
    package let name: String
    package let value: String

    private static let longestValue = 256

    /// - Throws: ``UnitTextError`` when it is no setting of net.ipv4 or net.ipv6, or no value.
    package init(_ name: String, _ value: String) throws(UnitTextError) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        let isName = parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
        }
        guard isName, parts.count > 2, parts[0] == "net", parts[1] == "ipv4" || parts[1] == "ipv6" else {
            throw UnitTextError(
                text: Self.shown(name),
                expected:
                    "a kernel setting that a namespace has for itself: use one below net.ipv4. or net.ipv6., as in "
                    + "net.ipv4.tcp_tw_reuse"
            )
        }
        let isValue = value.utf8.allSatisfy { (0x20..<0x7f).contains($0) || $0 == UInt8(ascii: "\t") }
        guard isValue, !value.isEmpty, value.utf8.count <= Self.longestValue else {
            throw UnitTextError(
                text: name,
                expected:
                    "given a value: write one line of up to \(Self.longestValue) characters, as sysctl(8) prints it"
            )
        }
        self.name = name
        self.value = value
    }

    /// Reads `NAME=VALUE`.
    /// - Throws: ``UnitTextError``
    package init(text: String) throws(UnitTextError) {
        let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2 else {
            throw UnitTextError(text: Self.shown(text), expected: "NAME=VALUE, as in net.ipv4.tcp_tw_reuse=0")
        }
        try self.init(String(sides[0]), String(sides[1]))
    }

    /// A text in one line, whatever is in it.
    private static func shown(_ text: String) -> String {
        String(text.prefix(100).map { $0.isASCII && !$0.isNewline && $0 >= " " ? $0 : "?" })
    }

    package var description: String { "\(name)=\(value)" }

    /// Whether it says which ports there are, and nothing else.
    package var choosesPorts: Bool {
        name == "net.ipv4.ip_local_port_range" || name == "net.ipv4.ip_local_reserved_ports"
    }

    /// Why the kernel did not take a setting.
    package struct Refusal: Error, CustomStringConvertible {
        package let description: String
    }

    /// The names among some that the calling thread's network namespace has.
    package static func known(_ sysctls: [NamespaceSysctl]) -> Set<String> {
        Set(sysctls.map(\.name).filter { (try? Sysctl.read($0)) != nil })
    }

    /// Sets it in the network namespace of the calling thread, which has to be one of its own.
    /// - Parameter outside: names the machine has outside of it.
    /// - Throws: ``Refusal``
    package func write(outside: Set<String>) throws(Refusal) {
        do throws(SystemCallError) {
            try Sysctl.write(name, value)
        } catch {
            let reason =
                switch error.errno {
                case ENOENT where outside.contains(name):
                    "belongs to the whole machine and not to a namespace, and is left alone"
                case ENOENT: "is not a setting that this kernel has for a namespace"
                case EINVAL, ERANGE: "does not take '\(value)' (\(SystemCallError.text(of: error.errno)))"
                default: "cannot be set in a namespace (\(SystemCallError.text(of: error.errno)))"
                }
            throw Refusal(description: "\(name) \(reason)")
        }
    }
}
