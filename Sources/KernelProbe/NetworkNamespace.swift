internal import CLinux
internal import Glibc
package import POSIX

/// A fresh network namespace: its own ports, TIME_WAIT sockets and net.ipv4 settings, gone with
/// the last process in it. network_namespaces(7)
package enum NetworkNamespace {
    /// Moves the calling thread into a new network namespace with loopback up. Threads and
    /// processes it starts from then on are in it too.
    ///
    /// Root needs nothing more. Anyone else gets a user namespace along with it, which the kernel
    /// allows to a process with one thread only. user_namespaces(7)
    /// - Throws: ``SystemCallError``, EPERM where the kernel permits neither.
    package static func enterNew() throws(SystemCallError) {
        let user = geteuid()
        let group = getegid()
        let needsUserNamespace = user != 0
        let error = linux_unshare_network(needsUserNamespace ? 1 : 0)
        guard error == 0 else { throw SystemCallError("unshare", errno: error) }
        if needsUserNamespace {
            try KernelFile.write("deny", to: "/proc/self/setgroups")
            try KernelFile.write("0 \(user) 1", to: "/proc/self/uid_map")
            try KernelFile.write("0 \(group) 1", to: "/proc/self/gid_map")
        }
        let loopback = linux_loopback_up()
        guard loopback == 0 else { throw SystemCallError("ioctl", on: "lo", errno: loopback) }
    }

    /// Runs `body` with the calling thread in a new network namespace, and brings it back.
    ///
    /// Needs the right to make namespaces without a user namespace: root's, or that of a process
    /// already in one of its own.
    /// - Throws: ``SystemCallError``, and what `body` throws.
    package static func during<Value>(_ body: () throws -> Value) throws -> Value {
        let home = try Descriptor.reading("/proc/thread-self/ns/net")
        try enterNew()
        defer {
            let error = linux_join_network(home.rawValue)
            precondition(error == 0, "setns: \(SystemCallError.text(of: error))")
        }
        return try body()
    }

    /// Moves the calling thread into the network namespace of a process. setns(2) Where that takes its user namespace as
    /// well, the kernel lets only a process with one thread in.
    /// - Throws: ``SystemCallError``: ENOENT when there is no such process, EPERM without the right.
    package static func enter(ofProcess process: Int32) throws(SystemCallError) {
        let path = "/proc/\(process)/ns/net"
        let namespace = try Descriptor.reading(path)
        // One of this user's own, made without root, can be entered through its user namespace.
        let user = try? Descriptor.reading("/proc/\(process)/ns/user")
        var error = linux_join_network(namespace.rawValue)
        if error == EPERM, let user, linux_join_user(user.rawValue) == 0 {
            error = linux_join_network(namespace.rawValue)
        }
        guard error == 0 else { throw SystemCallError("setns", on: path, errno: error) }
    }

    /// Moves the calling thread into the network namespace that a file stands for, as `ip netns` keeps them. setns(2)
    /// - Throws: ``SystemCallError``: ENOENT where there is none, EINVAL for another kind of file, EPERM without the right.
    package static func enter(path: String) throws(SystemCallError) {
        let namespace = try Descriptor.reading(path)
        let error = linux_join_network(namespace.rawValue)
        guard error == 0 else { throw SystemCallError("setns", on: path, errno: error) }
    }

    /// Whether a child process of this one could enter a new namespace; nothing changes here.
    package static func isPermitted() -> Bool {
        var child: ChildProcess
        do {
            let null = try Descriptor.writing("/dev/null")
            // Whatever PATH is.
            let arguments = (geteuid() == 0 ? [] : ["-U", "-r"]) + ["-n", "/bin/true"]
            child = try ChildProcess("/usr/bin/unshare", arguments, output: null.rawValue)
        } catch {
            return false
        }
        while true {
            if let exit = child.poll() { return exit == .status(0) }
            sleepThread(for: .milliseconds(1))
        }
    }
}
