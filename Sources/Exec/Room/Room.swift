internal import CLinux
internal import Glibc
internal import KernelProbe
internal import POSIX
package import Testbed

/// Where a program runs: a network namespace of its own with loopback up, and a PID namespace, so that whatever it
/// starts ends with it. As root, or in a user namespace in which everybody keeps the number they have.
///
/// The calling thread moves into the network; the PID namespace is entered by what is launched only.
package struct Room: ~Copyable {
    /// What the network is to be like.
    package struct Options: Sendable {
        /// The network this process has, with nothing changed in it.
        package var usesHostNetwork = false
        /// Ephemeral ports; nil leaves the kernel's default.
        package var ports: PortRangeText?
        /// Names with dots, and values, written in this order.
        package var sysctls: [SysctlText] = []

        package init() {}
    }

    /// Kernel settings are gone with the namespace; those of the host are not touched.
    package let usesHostNetwork: Bool
    /// Whether setuid programs do not take effect in it: nobody else has a number there.
    package let isUserNamespace: Bool
    /// What is missing of it here, in one line each.
    package let notes: [String]
    /// The first process of the PID namespace; nil where none could be made.
    private let firstProcess: pid_t?
    /// The PID namespace, to launch programs in; -1 where there is none.
    let processNamespace: CInt
    /// A child of this process that is none of the room's.
    private let spared: pid_t?

    /// Needs a process of one thread for those who are not root.
    /// - Parameter spared: a child of this process that lives on when the room ends.
    /// - Throws: ``TestbedError`` saying why, and what to do.
    package init(_ options: Options, sparing spared: Int32? = nil) throws(TestbedError) {
        let needsUser: Bool
        if options.usesHostNetwork {
            // For the PID namespace alone; without it the rest still works.
            needsUser = geteuid() != 0 && (try? Self.enterUserNamespace(with: 0)) == 0
        } else {
            needsUser = try Self.enterNetwork()
            try Self.apply(options)
        }
        isUserNamespace = needsUser
        usesHostNetwork = options.usesHostNetwork
        var first: pid_t = 0
        var error = linux_start_first_process(&first)
        processNamespace = error == 0 ? open("/proc/\(first)/ns/pid", O_RDONLY | O_CLOEXEC) : -1
        if error == 0, processNamespace < 0 { error = errno }
        firstProcess = first > 0 ? first : nil
        notes =
            error == 0
            ? []
            : [
                "no PID namespace here (\(SystemCallError.text(of: error))): if this command is killed, "
                    + "children of the one it runs stay"
            ]
        self.spared = spared
        if error != 0 { linux_adopt_orphans() }
    }

    /// Ends every process of it.
    deinit {
        if processNamespace >= 0 { close(processNamespace) }
        guard let firstProcess else { return endChildren() }
        kill(firstProcess, SIGKILL)
        // Returns when the last of them is gone.
        waitpid(firstProcess, nil, 0)
    }

    /// Without a PID namespace: ends children, and theirs, which become this process's own, until there are none.
    private func endChildren() {
        while true {
            let text = (try? KernelFile.read("/proc/thread-self/children")) ?? ""
            let children = text.split(separator: " ").compactMap { Int32($0) }.filter { $0 != spared }
            if children.isEmpty { return }
            for child in children { kill(child, SIGKILL) }
            for child in children { waitpid(child, nil, 0) }
        }
    }

    /// Whether a process is in it.
    package func contains(process: Int32) -> Bool {
        guard let firstProcess else { return false }
        var own = stat()
        var other = stat()
        return stat("/proc/\(firstProcess)/ns/pid", &own) == 0 && stat("/proc/\(process)/ns/pid", &other) == 0
            && own.st_ino == other.st_ino
    }

    /// - Returns: whether it took a user namespace.
    private static func enterNetwork() throws(TestbedError) -> Bool {
        var error = linux_unshare(CInt(LINUX_NEW_NETWORK.rawValue))
        let needsUser = error == EPERM
        if needsUser { error = try enterUserNamespace(with: LINUX_NEW_NETWORK.rawValue) }
        guard error == 0 else {
            throw TestbedError(
                "this machine lets only root make a network namespace (\(SystemCallError.text(of: error))); run it as root, "
                    + "or with --host-network: accounting, dialers and faults work there, --ports, --set-sysctl, --link and --publish do not"
            )
        }
        let loopback = linux_loopback_up()
        guard loopback == 0 else {
            throw TestbedError(
                "a network namespace can be made here, but not used (loopback: \(SystemCallError.text(of: loopback))), as AppArmor "
                    + "arranges it for unprivileged users on Ubuntu; run it as root, or with --host-network"
            )
        }
        return needsUser
    }

    /// A user namespace in which user and group are the same number as outside.
    /// - Returns: 0 or the errno of unshare(2).
    private static func enterUserNamespace(with namespaces: UInt32) throws(TestbedError) -> CInt {
        let user = geteuid()
        let group = getegid()
        let error = linux_unshare(CInt(LINUX_NEW_USER.rawValue | namespaces))
        guard error == 0 else { return error }
        do {
            try KernelFile.write("deny", to: "/proc/self/setgroups")
            try KernelFile.write("\(user) \(user) 1", to: "/proc/self/uid_map")
            try KernelFile.write("\(group) \(group) 1", to: "/proc/self/gid_map")
        } catch {
            throw TestbedError(
                "a user namespace can be made here, but not used (\(error)); run it as root, or with --host-network"
            )
        }
        return 0
    }

    private static func apply(_ options: Options) throws(TestbedError) {
        // Every TIME_WAIT must find room, or the kernel ends them early and nothing runs out.
        try? Sysctl.write("net.ipv4.tcp_max_tw_buckets", "1048576")
        if let ports = options.ports {
            do {
                try Sysctl.write("net.ipv4.ip_local_port_range", "\(ports.lowest) \(ports.highest)")
            } catch {
                throw TestbedError("--ports: the port range cannot be set (\(error))")
            }
        }
        for setting in options.sysctls {
            do {
                try Sysctl.write(setting.name, setting.value)
            } catch {
                throw TestbedError("--set-sysctl: \(setting.name)=\(setting.value) cannot be set: \(error)")
            }
        }
    }
}
