internal import CLinux
internal import Glibc

/// How a run tells how far it is: one line that is written over on a terminal, plain lines elsewhere.
package struct Progress: Sendable {
    /// Where text goes: 1 for standard output, 2 for standard error.
    private let output: CInt
    /// Whether the line is written over.
    package let isLive: Bool
    private let isQuiet: Bool

    /// - Parameter isQuiet: whether nothing is told before the end.
    package init(output: CInt, isQuiet: Bool = false) {
        self.output = output
        self.isQuiet = isQuiet
        isLive = isatty(output) == 1
    }

    /// Shows where the run is.
    package func update(_ line: String) {
        if isQuiet { return }
        guard isLive else { return write(line + "\n") }
        let columns = max(20, Int(linux_terminal_columns(output)))
        write("\r\u{1b}[K" + line.prefix(columns - 1))
    }

    /// Writes lines that stay.
    package func print(_ lines: [String]) {
        if !isQuiet { conclude(lines) }
    }

    /// Writes what was come to, quiet or not.
    package func conclude(_ lines: [String]) {
        write((isLive ? "\r\u{1b}[K" : "") + lines.joined(separator: "\n") + "\n")
    }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(output, $0.baseAddress, $0.count) }
    }
}
