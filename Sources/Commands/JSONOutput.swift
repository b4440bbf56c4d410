internal import POSIX
internal import PostRecords
internal import Text

/// Where `--json PATH`, or a report, goes: a file, or standard output for `-`. Opened before the work begins, so
/// that a path that cannot be written is known before there is a result to lose.
package struct JSONOutput: ~Copyable {
    private let descriptor: Descriptor
    private let path: String
    private let option: String

    /// - Throws: ``Refusal`` when the path cannot be written.
    package init(_ path: String, option: String = "--json") throws {
        self.path = path
        self.option = option
        do {
            descriptor = path == "-" ? try .duplicate(of: 1) : try .creating(path)
        } catch {
            throw Refusal(.usage, "\(option): cannot \(error)")
        }
    }

    /// - Throws: ``Refusal`` when the result does not fit.
    package func write(_ value: some Encodable) throws {
        try write(JSONText.encode(value) + Array("\n".utf8))
    }

    /// - Throws: ``Refusal`` when the text does not fit.
    package func write(_ bytes: [UInt8]) throws {
        do {
            try descriptor.writeAll(bytes)
        } catch {
            throw Refusal(.machine, "\(option): cannot \(error) to \(path)")
        }
    }
}
