internal import POSIX
internal import PostRecords
internal import Text

/// Where `--json PATH`, or a report, goes: a file, or standard output for `-`. Made before the work begins, so that a
/// path that cannot be written is known before there is a result to lose; what is there stays until there is one.
package struct JSONOutput: ~Copyable {
    private enum Target: ~Copyable {
        case standardOutput
        case file(ReplacedFile)
    }

    private let target: Target
    private let path: String
    private let option: String

    /// - Throws: ``Refusal`` when the path cannot be written.
    package init(_ path: String, option: String = "--json") throws {
        self.path = path
        self.option = option
        do {
            target = path == "-" ? .standardOutput : .file(try ReplacedFile(path))
        } catch {
            throw Refusal(.usage, "\(option): cannot \(error)")
        }
    }

    /// Writes a result, with the build that made it.
    /// - Throws: ``Refusal`` when the result does not fit.
    package func write(_ value: some Encodable) throws {
        try write(JSONText.encode(Stamped(document: value)) + Array("\n".utf8))
    }

    /// Writes a list, which has no keys to add to.
    /// - Throws: ``Refusal`` when it does not fit.
    package func write(_ values: [some Encodable]) throws {
        try write(JSONText.encode(values) + Array("\n".utf8))
    }

    /// - Throws: ``Refusal`` when the text does not fit.
    package func write(_ bytes: [UInt8]) throws {
        do throws(SystemCallError) {
            switch target {
            case .standardOutput: try Descriptor.writeAll(bytes, to: 1)
            case .file(let file): try file.write(bytes)
            }
        } catch {
            let target = path == "-" ? "to standard output" : path
            throw Refusal(
                .machine,
                "\(option): cannot \(error.call) \(target): \(error.words)"
            )
        }
    }

    /// Writes several outputs, each whatever becomes of the others.
    /// - Throws: ``Refusal`` naming all that could not be written.
    package static func each(_ writes: [() throws -> Void]) throws {
        var refusals: [Refusal] = []
        for write in writes {
            do {
                try write()
            } catch let refusal as Refusal {
                refusals.append(refusal)
            }
        }
        guard let first = refusals.first else { return }
        throw Refusal(first.status, refusals.map(\.message).joined(separator: "\n"))
    }
}
