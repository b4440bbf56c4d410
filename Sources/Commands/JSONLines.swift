internal import POSIX
internal import Text

/// Where `--json PATH` goes when documents come one after the other: each is one line, written as it comes. `-` is
/// standard output.
package struct JSONLines: ~Copyable {
    private let file: Descriptor
    private let path: String

    /// - Throws: ``Refusal`` when the path cannot be written.
    package init(_ path: String) throws {
        self.path = path
        do {
            file = try path == "-" ? .duplicate(of: 1) : .creating(path)
        } catch {
            throw Refusal(.usage, "--json: cannot \(error)")
        }
    }

    /// - Throws: ``Refusal`` when the line cannot be written.
    package func write(_ document: some Encodable) throws {
        do {
            try file.writeAll(JSONText.encodeLine(document) + [UInt8(ascii: "\n")])
        } catch {
            throw Refusal(.machine, "--json: cannot write \(path): \(SystemCallError.text(of: error.errno))")
        }
    }
}
