internal import Glibc
internal import POSIX

/// Finds a command as shells do.
package enum CommandPath {
    /// Why there is none, with the exit status shells give it.
    package enum Missing: Error, Equatable {
        /// 127
        case notFound
        /// 126
        case notExecutable

        package var exitStatus: Int32 { self == .notFound ? 127 : 126 }

        package var text: String { self == .notFound ? "command not found" : "permission denied" }
    }

    /// - Throws: ``Missing``
    package static func find(_ command: String) throws(Missing) -> String {
        if command.contains("/") {
            guard let problem = problem(of: command) else { return command }
            throw problem
        }
        if !command.isEmpty, let path = ProgramPath.onPath(command) { return path }
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        let isThere =
            !command.isEmpty
            && path.split(separator: ":").contains { problem(of: "\($0)/\(command)") == .notExecutable }
        throw isThere ? .notExecutable : .notFound
    }

    private static func problem(of path: String) -> Missing? {
        var status = stat()
        guard stat(path, &status) == 0 else { return .notFound }
        return status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0 ? nil : .notExecutable
    }

    /// Whether it takes another user's rights when executed, which a program that may gain no privileges cannot.
    package static func changesUser(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & (S_ISUID | S_ISGID) != 0 && status.st_uid != geteuid()
    }
}
