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
    private let hasColors: Bool
    private let isQuiet: Bool
    /// Characters of each line on the terminal that the next ones overwrite.
    private var drawn: [Int] = []
    private var hasDrawn = false
    /// Why something could not be written, the first time.
    package private(set) var failure: SystemCallError?

    /// - Parameters:
    ///   - isQuiet: whether nothing is shown before the end.
    ///   - environment: TERM=dumb is a terminal that only takes lines; NO_COLOR, with any value, is one without colors
    ///     (no-color.org).
    package init(
        output: CInt,
        isQuiet: Bool = false,
        environment: (String) -> String? = { name in getenv(name).map { String(cString: $0) } }
    ) {
        self.output = output
        self.isQuiet = isQuiet
        let term = environment("TERM") ?? ""
        isLive = isatty(output) == 1 && term != "dumb" && !term.isEmpty
        hasColors = isLive && (environment("NO_COLOR") ?? "").isEmpty
    }

    /// Characters a line may have without being broken.
    var columns: Int { max(20, Int(linux_terminal_columns(output)) - 1) }

    /// Characters a line should have: nil where it is not a terminal that shows it.
    package var width: Int? { isatty(output) == 1 ? columns : nil }

    /// Shows where the run is: on a terminal over what was shown before.
    package func update(_ lines: [ScreenLine]) {
        if isQuiet { return }
        guard isLive else { return write("", lines, "\n") }
        let width = columns
        let lines = lines.map { ScreenLine(String($0.text.prefix(width)), $0.tone) }
        write(erasure, lines)
        drawn = lines.map(\.text.count)
    }

    /// Writes lines that stay.
    package func print(_ lines: [ScreenLine]) {
        if !isQuiet { conclude(lines) }
    }

    /// Writes lines that stay.
    package func print(_ lines: [String]) {
        print(lines.map { ScreenLine($0) })
    }

    /// Writes the result, quiet or not.
    package func conclude(_ lines: [ScreenLine]) {
        write(isLive ? erasure : "", lines, "\n")
        drawn = []
    }

    /// Writes the result, quiet or not.
    package func conclude(_ lines: [String]) {
        conclude(lines.map { ScreenLine($0) })
    }

    /// Writes lines over all that is on the terminal; elsewhere after an empty line.
    package func redraw(_ lines: [String]) {
        write(isLive ? "\u{1b}[H\u{1b}[J" : hasDrawn ? "\n" : "", lines.map { ScreenLine($0) }, "\n")
        hasDrawn = true
    }

    /// Takes away what is drawn, with the cursor at its end. A terminal that became narrower has broken its lines.
    private var erasure: String {
        let width = columns + 1
        let rows = drawn.reduce(0) { $0 + max(1, ($1 + width - 1) / width) }
        return (rows > 1 ? "\u{1b}[\(rows - 1)A" : "") + "\r\u{1b}[J"
    }

    private func write(_ command: String, _ lines: [ScreenLine], _ end: String = "") {
        let texts = lines.map { line in
            let text = line.text.printableLines
            guard hasColors, let code = line.tone.code, !text.isEmpty else { return text }
            return "\u{1b}[\(code)m\(text)\u{1b}[0m"
        }
        do throws(SystemCallError) {
            try Descriptor.writeAll(Array((command + texts.joined(separator: "\n") + end).utf8), to: output)
        } catch {
            failure = failure ?? error
        }
    }
}
