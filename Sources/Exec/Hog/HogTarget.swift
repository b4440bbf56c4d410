internal import CLinux
internal import Glibc
internal import KernelProbe
internal import POSIX
package import Testbed

/// The network namespace whose ports are to be held.
package enum HogTarget: Sendable, Equatable {
    /// The one this process is in.
    case own
    case process(Int32)
    /// One that `ip netns` has a name for.
    case named(String)

    private var path: String {
        switch self {
        case .own: "/proc/self/ns/net"
        case .process(let process): "/proc/\(process)/ns/net"
        case .named(let name): "/run/netns/\(name)"
        }
    }

    /// Whether it is the machine's own: that of the first process. Where that may not be looked at, one with any interface
    /// but loopback is taken for it.
    package var isHost: Bool {
        guard let target = Self.inode(path) else { return false }
        if let first = Self.inode("/proc/1/ns/net") { return target == first }
        let devices =
            switch self {
            case .own: "/proc/self/net/dev"
            case .process(let process): "/proc/\(process)/net/dev"
            case .named: "/dev/null"
            }
        // Two lines of heading, then an interface a line. proc_pid_net(5)
        let lines = (try? KernelFile.read(devices))?.split(separator: "\n").dropFirst(2) ?? []
        return lines.contains { line in line.split(separator: ":").first.map { $0.drop { $0 == " " } } != "lo" }
    }

    /// Moves the calling thread into it, through its user namespace where the right to do it is had there only.
    /// - Throws: ``TestbedError``
    package func enter() throws(TestbedError) {
        guard self != .own else { return }
        do {
            let namespace = try Descriptor.reading(path)
            var error = linux_join_network(namespace.rawValue)
            if error == EPERM, case .process(let process) = self {
                let user = try Descriptor.reading("/proc/\(process)/ns/user")
                error = linux_join_user(user.rawValue)
                if error == 0 { error = linux_join_network(namespace.rawValue) }
            }
            guard error == 0 else { throw SystemCallError("setns", on: path, errno: error) }
        } catch {
            throw TestbedError("its network namespace cannot be entered: \(error); run it as its user, or as root")
        }
    }

    private static func inode(_ path: String) -> UInt64? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
    }
}
