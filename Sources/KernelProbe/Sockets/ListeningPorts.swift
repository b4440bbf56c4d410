internal import POSIX

/// The TCP ports that are listened on in the network namespace of the calling thread, found without a connection that
/// would itself take a port.
package enum ListeningPorts {
    private static let listening = "0A"

    /// The TCP ports that sockets of this network namespace listen on.
    package static func current() -> Set<UInt16> {
        var ports: Set<UInt16> = []
        for name in ["tcp", "tcp6"] {
            guard let table = try? KernelFile.read("/proc/thread-self/net/\(name)") else { continue }
            for line in table.split(separator: "\n").dropFirst() {
                // Number, local address and port, remote address and port, state. proc_pid_net(5)
                let words = line.split(separator: " ", maxSplits: 4)
                guard words.count > 3, words[3] == listening, let colon = words[1].lastIndex(of: ":"),
                    let port = UInt16(words[1][words[1].index(after: colon)...], radix: 16)
                else { continue }
                ports.insert(port)
            }
        }
        return ports
    }
}
