internal import POSIX
internal import Text

/// Where `--json PATH` goes when documents come one after the other: each is one line, written as it comes. `-` is
/// standard output. What is there stays until there is a first line.
package struct JSONLines: ~Copyable {
    private var file: StreamedFile

    /// - Throws: ``Refusal`` when the path cannot be written.
    package init(_ path: String) throws {
        do {
            file = try path == "-" ? StreamedFile() : StreamedFile(path)
        } catch {
            throw Refusal(.usage, "--json: cannot \(error)")
        }
    }

    /// - Throws: ``Refusal`` when the line cannot be written.
    package mutating func write(_ document: some Encodable) throws {
        do {
            try file.write(JSONText.encodeLine(Stamped(document: document)) + [UInt8(ascii: "\n")])
        } catch {
            throw Refusal(.machine, "--json: cannot \(error)")
        }
    }
}
