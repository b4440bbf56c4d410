internal import Glibc

/// What a program has to say to the person who runs it.
package enum StandardError {
    /// Writes a line in one piece; nobody can be told when that fails.
    package static func print(_ line: String) {
        try? Descriptor.writeAll(Array((line + "\n").utf8), to: 2)
    }

    /// Whether a person looks at it. isatty(3)
    package static var isTerminal: Bool { isatty(2) == 1 }

    /// Writes over the line that the cursor stands in; an empty one takes it away.
    package static func rewrite(_ line: String) {
        try? Descriptor.writeAll(Array("\r\u{1b}[K\(line)".utf8), to: 2)
    }
}
