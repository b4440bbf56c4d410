internal import POSIX

/// The version of an installed memcached.
package enum DaemonVersion {
    /// What `memcached -V` prints, without the name; nil when it cannot be run.
    package static func of(_ path: String) -> String? {
        let text = (try? ChildProcess.output(of: path, ["-V"])) ?? ""
        return text.split(whereSeparator: { $0 == " " || $0 == "\n" }).last.map { String($0) }
    }
}
