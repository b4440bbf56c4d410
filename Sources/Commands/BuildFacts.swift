internal import CBuildFacts
internal import Text

/// Which build this is: what `--version` prints and every result carries as `build`.
package struct BuildFacts: Encodable, Sendable {
    /// The one place it is written; packages, images and the change log are checked against it.
    package static let version = "0.5.0"

    package static let current = BuildFacts()

    package let version = Self.version
    /// Nil where the build was not told; ends with `-changed` where the work tree was not the commit's.
    package let commit: String?
    /// `release` or `debug`.
    package let configuration: String
    /// The compiler's version, major and minor.
    package let swift: String
    package let architecture: String

    private init() {
        let text = String(cString: spiral_commit())
        commit = text.isEmpty ? nil : text
        #if DEBUG
            configuration = "debug"
        #else
            configuration = "release"
        #endif
        #if compiler(>=6.4)
            swift = "6.4 or later"
        #elseif compiler(>=6.3)
            swift = "6.3"
        #else
            swift = "6.2"
        #endif
        #if arch(x86_64)
            architecture = "x86_64"
        #elseif arch(arm64)
            architecture = "aarch64"
        #else
            architecture = "other"
        #endif
    }

    private enum CodingKeys: String, CodingKey {
        case version, commit, configuration, swift, architecture
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(version, forKey: .version)
        // Null where it is not known, and not left out.
        try container.encode(commit, forKey: .commit)
        try container.encode(configuration, forKey: .configuration)
        try container.encode(swift, forKey: .swift)
        try container.encode(architecture, forKey: .architecture)
    }

    /// One line, as `0.5.0 (commit 1a2b3c4d5e6f, release build by Swift 6.3 for x86_64)`.
    package var text: String {
        "\(version) (commit \(commit.map(shortened) ?? "unknown"), \(configuration) build by Swift \(swift) "
            + "for \(architecture))"
    }
}

/// A result with `build` beside its own keys.
struct Stamped<Document: Encodable>: Encodable {
    let document: Document

    private enum Key: String, CodingKey {
        case build
    }

    func encode(to encoder: any Encoder) throws {
        try document.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(BuildFacts.current, forKey: .build)
    }
}
