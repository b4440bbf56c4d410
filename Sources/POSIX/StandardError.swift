internal import Glibc

/// What a program has to say to the person who runs it.
package enum StandardError {
    /// Writes a line in one piece. write(2)
    package static func print(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
    }
}
