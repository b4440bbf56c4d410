internal import FoundationEssentials
internal import POSIX

/// A folder of a run's own for what its processes print, that nobody else can enter; removed when the run ends, or by
/// the next one when it was killed.
package final class RunFolder: Sendable {
    private static let prefix = "spiral-run-"
    /// Tells it from a folder of somebody's that happens to have such a name.
    private static let mark = ".spiral-run"

    private let folder: HeldFolder

    package var path: String { folder.path }

    /// - Throws: ``TestbedError`` when it cannot be made.
    package init() throws(TestbedError) {
        let parent = FileManager.default.temporaryDirectory.path
        Self.removeAbandoned(in: parent)
        do {
            folder = try HeldFolder(in: parent, prefix: Self.prefix)
            _ = try Descriptor.creating(folder.path + "/" + Self.mark)
        } catch {
            throw TestbedError("cannot make a folder for logs in \(parent); set TMPDIR to a folder that can be written")
        }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    private static func removeAbandoned(in parent: String) {
        HeldFolder.abandoned(in: parent, prefix: prefix) { path in
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else { return }
            if names.isEmpty || names.contains(mark) { try? FileManager.default.removeItem(atPath: path) }
        }
    }

    /// The last lines of a file in it as the end of an error message, with a colon before them; empty when there are none.
    package func lastWords(_ name: String, lines: Int = 5) -> String {
        // A log may have grown for hours.
        let bytes = try? Descriptor.reading("\(path)/\(name)").readLast(8 << 10)
        let text = String(decoding: bytes ?? [], as: UTF8.self)
        let last = text.split(separator: "\n").suffix(lines)
        return last.isEmpty ? "" : ": " + last.joined(separator: "\n")
    }

    /// The first line of a file that contains `text`.
    package func firstLine(of name: String, containing text: String) -> String? {
        guard let file = try? Descriptor.reading("\(path)/\(name)") else { return nil }
        // Errors come early: the beginning of a large log is enough.
        guard let bytes = try? file.readSome(upTo: 4 << 20) else { return nil }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.contains(text) }.map {
            String($0)
        }
    }
}
