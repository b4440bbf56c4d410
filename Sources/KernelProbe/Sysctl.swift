package import POSIX

/// Kernel settings under /proc/sys; those of `net.ipv4` used here belong to the network namespace
/// of the thread that reads or writes them.
package enum Sysctl {
    /// - Parameters:
    ///   - name: with dots, as in `net.ipv4.tcp_tw_reuse`.
    ///   - longest: bytes its value may have.
    /// - Throws: ``SystemCallError``, ENOENT when this kernel does not have it.
    package static func read(_ name: String, longest: Int = 16 << 10) throws(SystemCallError) -> String {
        let text = try KernelFile.read(path(name), step: longest)
        return String(text.prefix { $0 != "\n" })
    }

    /// - Throws: ``SystemCallError``, EACCES or EROFS when it may not be changed.
    package static func write(_ name: String, _ value: String) throws(SystemCallError) {
        try KernelFile.write(value, to: path(name))
    }

    private static func path(_ name: String) -> String {
        "/proc/sys/" + String(name.map { $0 == "." ? "/" : $0 })
    }
}
