internal import POSIX
internal import Text

/// Where `--json PATH` goes when documents come one after the other: each is one line, written as it comes. `-` is
/// standard output. What is there stays until there is a first line.
package struct JSONLines: ~Copyable {
    private let file: Descriptor
    private let path: String
    private var hasLines = false

    /// - Throws: ``Refusal`` when the path cannot be written.
    package init(_ path: String) throws {
        self.path = path
        do {
            file = try path == "-" ? .duplicate(of: 1) : .appending(to: path)
        } catch {
            throw Refusal(.usage, "--json: cannot \(error)")
        }
    }

    /// - Returns: whether there is still a reader: one that has seen enough of standard output is no error.
    /// - Throws: ``Refusal`` when the line cannot be written.
    package mutating func write(_ document: some Encodable) throws -> Bool {
        if !hasLines, path != "-" { file.empty() }
        hasLines = true
        let line = JSONText.encodeLine(Stamped(document: document)) + [UInt8(ascii: "\n")]
        do throws(SystemCallError) {
            try file.writeAll(line)
            return true
        } catch {
            if path == "-", error.name == "EPIPE" { return false }
            throw Refusal(.machine, "--json: cannot write \(path): \(SystemCallError.text(of: error.errno))")
        }
    }
}
