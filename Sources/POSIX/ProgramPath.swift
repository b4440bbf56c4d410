internal import Glibc

/// Where executables are found.
package enum ProgramPath {
    /// The first executable of that name in the folders of PATH; nil when there is none. access(2)
    package static func onPath(_ name: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        return path.split(separator: ":").lazy.map { "\($0)/\(name)" }.first { isExecutable($0) }
    }

    /// An executable in the folder of the running program; nil when it is not there. proc_pid_exe(5)
    package static func besideThisProgram(_ name: String) -> String? {
        guard let own = target(ofLink: "/proc/self/exe"), let slash = own.lastIndex(of: "/") else { return nil }
        let path = own[...slash] + name
        return isExecutable(String(path)) ? String(path) : nil
    }

    /// The running program; nil where /proc does not tell. proc_pid_exe(5)
    package static var itself: String? { target(ofLink: "/proc/self/exe") }

    private static func isExecutable(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
    }

    private static func target(ofLink path: String) -> String? {
        withUnsafeTemporaryAllocation(byteCount: Int(PATH_MAX), alignment: 1) { buffer in
            let length = readlink(path, buffer.baseAddress!.assumingMemoryBound(to: CChar.self), buffer.count)
            // A name cut off at the end of the buffer is nobody's.
            guard length > 0, length < buffer.count else { return nil }
            return String(decoding: buffer[..<length], as: UTF8.self)
        }
    }
}
