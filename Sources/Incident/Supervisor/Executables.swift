internal import FoundationEssentials

/// Where the programs of a run are.
package enum Executables {
    /// A program built together with this one.
    /// - Throws: ``StageError`` when it is not beside this one.
    package static func sibling(_ name: String) throws(StageError) -> String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let path = own[..<(own.lastIndex(of: "/") ?? own.startIndex)] + "/" + name
        guard FileManager.default.isExecutableFile(atPath: String(path)) else {
            throw StageError("\(name) is not beside this program; build it with 'swift build -c release'")
        }
        return String(path)
    }

    /// - Throws: ``StageError`` saying how to get it when it is not on PATH.
    static func memcached() throws(StageError) -> String {
        guard let path = onPath("memcached") else {
            throw StageError("memcached is not installed; install it with 'apt-get install memcached'")
        }
        return path
    }

    /// The server built together with this program.
    static func server() throws(StageError) -> String { try sibling("spiral-server") }

    /// A program on PATH, or nil.
    package static func onPath(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        for folder in path.split(separator: ":") {
            let candidate = "\(folder)/\(name)"
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        return nil
    }
}
