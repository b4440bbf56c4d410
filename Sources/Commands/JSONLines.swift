internal import POSIX
internal import Text

/// Where `--json PATH` goes when documents come one after the other: each is one line, written as it comes. `-` is
/// standard output. What is there stays until there is a first line.
package struct JSONLines: ~Copyable {
    private var file: StreamedFile
    private let isStandardOutput: Bool

    /// - Throws: ``Refusal`` when the path cannot be written.
    package init(_ path: String) throws {
        isStandardOutput = path == "-"
        do {
            file = try isStandardOutput ? StreamedFile() : StreamedFile(path)
        } catch {
            throw Refusal(.usage, "--json: cannot \(error)")
        }
    }

    /// - Returns: whether there is still a reader: one that has seen enough of standard output is no error.
    /// - Throws: ``Refusal`` when the line cannot be written.
    package mutating func write(_ document: some Encodable) throws -> Bool {
        do throws(SystemCallError) {
            try file.write(JSONText.encodeLine(Stamped(document: document)) + [UInt8(ascii: "\n")])
            return true
        } catch {
            if isStandardOutput, error.name == "EPIPE" { return false }
            throw Refusal(.machine, "--json: cannot \(error)")
        }
    }
}
