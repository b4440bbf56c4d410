/// What a program has to say to the person who runs it.
package enum StandardError {
    /// Writes a line in one piece; nobody can be told when that fails.
    package static func print(_ line: String) {
        try? Descriptor.writeAll(Array((line + "\n").utf8), to: 2)
    }
}
