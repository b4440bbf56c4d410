internal import POSIX

/// The programs that a run starts.
package enum Executables {
    /// A program built together with this one.
    /// - Throws: ``TestbedError`` when it is not beside this one.
    package static func sibling(_ name: String) throws(TestbedError) -> String {
        guard let path = ProgramPath.besideThisProgram(name) else {
            throw TestbedError("\(name) is not beside this program; build it with 'swift build -c release'")
        }
        return path
    }

    /// - Throws: ``TestbedError`` saying how to get it when it is not on PATH.
    package static func memcached() throws(TestbedError) -> String {
        guard let path = ProgramPath.onPath("memcached") else {
            throw TestbedError("memcached is not installed; install it with 'apt-get install memcached'")
        }
        return path
    }

    /// The server built together with this program.
    /// - Throws: ``TestbedError`` when it is not beside this one.
    package static func server() throws(TestbedError) -> String { try sibling("spiral-server") }
}
