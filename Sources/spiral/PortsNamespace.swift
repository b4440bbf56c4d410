internal import Commands
internal import Glibc
internal import KernelProbe
internal import POSIX
internal import Reports

/// Whose ports `spiral ports` looks at: its own namespace's, a process's, or a named one's.
struct PortsNamespace {
    var process: Int32?
    /// As `ip netns` knows it, or a path.
    var name: String?
    /// The option that named the process.
    let option: String

    /// Which process of that number it is, and which namespace of that name, as they were when it was entered.
    private var incarnation: UInt64?
    private var inode: UInt64?

    init(process: Int32?, name: String?, option: String = "--pid") {
        self.process = process
        self.name = name
        self.option = option
    }

    /// Times a process is looked at for connections that are open only for a moment, and the time between two.
    private static let looks = 5
    private static let pause = Duration.milliseconds(200)

    /// Moves the calling thread there. Before any other thread is started: see ``NetworkNamespace/enter(ofProcess:)``.
    /// - Throws: ``Refusal`` saying why not, and what to do.
    mutating func enter() throws {
        if let process {
            incarnation = ProcessStatus.incarnation(of: process)
            do throws(SystemCallError) {
                try NetworkNamespace.enter(ofProcess: process)
            } catch {
                throw Refusal(.machine, "\(option): \(Self.why(process, error))")
            }
        }
        if let name {
            let path = Self.path(name)
            inode = Self.inode(path)
            do throws(SystemCallError) {
                try NetworkNamespace.enter(path: path)
            } catch {
                throw Refusal(.machine, "--netns: \(Self.why(name, path, error))")
            }
        }
    }

    /// The destinations that the process dials, and how many sockets were seen towards each; empty when it has no
    /// connection open whenever it is looked at.
    /// - Throws: ``Refusal``
    func destinations(of process: Int32) throws -> [(endpoint: IPEndpoint, sockets: Int)] {
        var seen: [IPEndpoint: Int] = [:]
        do throws(SystemCallError) {
            for look in 0..<Self.looks {
                if look > 0 { sleepThread(for: Self.pause) }
                let inodes = try ProcessStatus.socketInodes(of: process)
                for (endpoint, sockets) in try SocketDiagnostics.destinations(ofInodes: inodes) {
                    seen[endpoint] = max(seen[endpoint] ?? 0, sockets)
                }
            }
        } catch {
            throw Refusal(.machine, "\(option): \(Self.why(process, error))")
        }
        return seen.sorted { ($0.value, $1.key) > ($1.value, $0.key) }.map { ($0.key, $0.value) }
    }

    /// The number the kernel has for what is at a path; nil where there is nothing.
    private static func inode(_ path: String) -> UInt64? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
    }

    private static func path(_ name: String) -> String { name.contains("/") ? name : "/run/netns/\(name)" }

    /// - Throws: ``Refusal`` when the process has ended, though another has its number now, or when its name stands for
    ///   the namespace no longer.
    func checkStillThere() throws(Refusal) {
        if let process, ProcessStatus.incarnation(of: process) != incarnation {
            throw Refusal(.machine, "\(option): process \(process) has ended")
        }
        if let name, Self.inode(Self.path(name)) != inode {
            throw Refusal(.machine, "--netns: the network namespace '\(name)' is gone")
        }
    }

    private static func why(_ process: Int32, _ error: SystemCallError) -> String {
        switch error.errno {
        case ENOENT, ESRCH:
            // hidepid hides what is there. proc(5)
            kill(process, 0) != 0 && errno == ESRCH
                ? "there is no process \(process)"
                : ProcessStatus.isZombie(process)
                    ? "process \(process) has ended, though its parent has not taken note of it"
                    : "process \(process) is hidden from this user (\(error)); run as its user, or as root"
        case EACCES, EPERM:
            "process \(process) is another user's, or in another's namespace (\(error)); run as its user, or as root"
        default: "cannot look into process \(process): \(error)"
        }
    }

    private static func why(_ name: String, _ path: String, _ error: SystemCallError) -> String {
        switch error.errno {
        case ENOENT: "there is no network namespace '\(name)' (\(path)); 'ip netns list' names them"
        case EINVAL: "\(path) is no network namespace"
        case EACCES, EPERM: "this user may not enter the namespace '\(name)' (\(error)); run as root"
        default: "cannot enter the namespace '\(name)': \(error)"
        }
    }
}
