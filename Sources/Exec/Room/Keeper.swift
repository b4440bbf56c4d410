internal import CLinux
internal import Glibc
package import POSIX
internal import Synchronization

/// A helper process that stays where this process came from: it makes sockets in the network that has been left, and
/// outlives a SIGKILL of this process for as long as there is a cgroup to remove.
package final class Keeper: Sendable {
    let process: Int32
    private let channel: Descriptor
    /// One request at a time.
    private let turn = Mutex(())

    /// Starts it; call this before the first thread, and before a ``Room`` is entered.
    /// - Throws: ``SystemCallError``
    package init() throws(SystemCallError) {
        var process: pid_t = 0
        var channel: CInt = -1
        let error = linux_start_keeper(&process, &channel)
        guard error == 0 else { throw SystemCallError("fork", on: "a helper process", errno: error) }
        self.process = process
        self.channel = Descriptor(owning: channel)
    }

    deinit {
        // The end of its channel is its own.
        shutdown(channel.rawValue, CInt(SHUT_RDWR))
        waitpid(process, nil, 0)
    }

    /// A cgroup to remove when this process is gone, however it ended.
    /// - Throws: ``SystemCallError``
    package func remove(_ folder: String) throws(SystemCallError) {
        let error = turn.withLock { _ in linux_keeper_remove(channel.rawValue, folder) }
        guard error == 0 else { throw SystemCallError("rmdir", on: folder, errno: error) }
    }

    /// A TCP socket of IPv4 in the network this process came from, non-blocking.
    /// - Throws: ``SystemCallError``
    func socket() throws(SystemCallError) -> Descriptor {
        let made: (socket: CInt, errno: CInt) = turn.withLock { _ in
            let socket = linux_keeper_socket(channel.rawValue, AF_INET)
            return (socket, errno)
        }
        guard made.socket >= 0 else { throw SystemCallError("socket", errno: made.errno) }
        return Descriptor(owning: made.socket)
    }
}
