internal import FoundationEssentials
internal import POSIX
internal import Synchronization

/// A folder of a run's own for what its processes print; removed when the run ends.
package final class RunFolder: Sendable {
    package let path: String
    private static let made = Atomic<Int>(0)

    /// - Throws: ``TestbedError`` when it cannot be made.
    package init() throws(TestbedError) {
        // More than one may be needed at a time.
        let number = Self.made.add(1, ordering: .relaxed).newValue
        let process = ProcessInfo.processInfo.processIdentifier
        let path = FileManager.default.temporaryDirectory.path + "/spiral-\(process)-\(number)"
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw TestbedError("cannot make the folder \(path) for logs; set TMPDIR to a folder that can be written")
        }
        self.path = path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The last lines of a file in it, for an error message.
    package func tail(_ name: String, lines: Int = 5) -> String {
        guard let data = FileManager.default.contents(atPath: "\(path)/\(name)") else { return "" }
        let text = String(decoding: data.suffix(8 << 10), as: UTF8.self)
        return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
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
