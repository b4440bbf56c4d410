internal import CLinux
internal import Glibc
package import POSIX
internal import Text

/// Where a command shows how far it is: lines that are overwritten on a terminal, plain lines elsewhere. What they say
/// may be a peer's or a file's: nothing in them reaches the terminal as a command.
package final class Screen {
    /// Where text goes: 1 for standard output, 2 for standard error.
    private let output: CInt
    /// Whether lines are written over.
    package let isLive: Bool
    private let isQuiet: Bool
    /// Lines on the terminal that the next ones overwrite.
    private var drawn = 0
    private var hasDrawn = false
    /// Why something could not be written, the first time.
    package private(set) var failure: SystemCallError?

    /// - Parameter isQuiet: whether nothing is shown before the end.
    package init(output: CInt, isQuiet: Bool = false) {
        self.output = output
        self.isQuiet = isQuiet
        isLive = isatty(output) == 1
    }

    /// Characters a line may have without being broken.
    var columns: Int { max(20, Int(linux_terminal_columns(output)) - 1) }

    /// Shows where the run is: on a terminal over what was shown before.
    package func update(_ lines: [String]) {
        if isQuiet { return }
        guard isLive else { return write("", lines, "\n") }
        write(erasure, lines.map { String($0.prefix(columns)) })
        drawn = lines.count
    }

    /// Writes lines that stay.
    package func print(_ lines: [String]) {
        if !isQuiet { conclude(lines) }
    }

    /// Writes the result, quiet or not.
    package func conclude(_ lines: [String]) {
        write(isLive ? erasure : "", lines, "\n")
        drawn = 0
    }

    /// Writes lines over all that is on the terminal; elsewhere after an empty line.
    package func redraw(_ lines: [String]) {
        write(isLive ? "\u{1b}[H\u{1b}[J" : hasDrawn ? "\n" : "", lines, "\n")
        hasDrawn = true
    }

    /// Takes away what is drawn, with the cursor at its end.
    private var erasure: String {
        (drawn > 1 ? "\u{1b}[\(drawn - 1)A" : "") + "\r\u{1b}[J"
    }

    private func write(_ command: String, _ lines: [String], _ end: String = "") {
        let text = command + lines.joined(separator: "\n").printableLines + end
        do throws(SystemCallError) {
            try Descriptor.writeAll(Array(text.utf8), to: output)
        } catch {
            failure = failure ?? error
        }
    }
}
