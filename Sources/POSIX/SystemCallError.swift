internal import CLinux
internal import Glibc

/// A kernel call that failed: which one, on what, and what the kernel said.
package struct SystemCallError: Error, Equatable, CustomStringConvertible {
    /// The call, as in `bind`.
    package var call: String
    /// What it was tried on, as in `127.0.0.1:8080`; empty when there is nothing to add.
    package var subject: String
    package var errno: CInt
    /// Why, where that is known better than the errno says it.
    package var reason: String?

    package init(_ call: String, on subject: String = "", errno: CInt, reason: String? = nil) {
        self.call = call
        self.subject = subject
        self.errno = errno
        self.reason = reason
    }

    /// The symbolic name, as in `EADDRINUSE`.
    package var name: String { Self.name(of: errno) }

    /// What went wrong, without what was tried.
    package var words: String { reason ?? Self.text(of: errno) }

    package var description: String { subject.isEmpty ? "\(call): \(words)" : "\(call) \(subject): \(words)" }

    /// The symbolic name of an errno, as in `EADDRINUSE`. strerrorname_np(3)
    package static func name(of errno: CInt) -> String {
        linux_errno_name(errno).map { String(cString: $0) } ?? "E\(errno)"
    }

    /// The C library's words for an errno in lower case, as in `address already in use`. strerror_r(3)
    package static func text(of errno: CInt) -> String {
        let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            strerror_r(errno, buffer.baseAddress!, buffer.count)
            return String(cString: buffer.baseAddress!)
        }
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}
