import Foundation
import POSIX
import Results

/// A run of the demo as it was recorded, and the picture that the README shows of it. To record another:
/// `spiral demo --json Tests/ReportsTests/Fixtures/demo.json`, then
/// `spiral report Tests/ReportsTests/Fixtures/demo.json --svg .github/headline.svg`, and the same with `--width 390` to
/// `.github/headline-narrow.svg`.
enum RecordedRun {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()

    static func result() throws -> RunResult {
        let path = folder.appending(path: "Fixtures/demo.json").path
        return try RunResult(json: try Descriptor.reading(path).readToEnd())
    }

    /// - Parameter name: of the file; the second is for phones.
    static func picture(_ name: String = "headline") throws -> String {
        let path = folder.deletingLastPathComponent().deletingLastPathComponent().appending(
            path: ".github/\(name).svg"
        ).path
        return String(decoding: try Descriptor.reading(path).readToEnd(), as: UTF8.self)
    }
}
