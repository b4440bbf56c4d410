package import Text

/// Which build wrote a result, as its file says it.
package struct ResultBuild: Codable, Sendable, Equatable {
    package var version: String?
    /// Ends with `-changed` where the work tree was not the commit's; nil where the build was not told.
    @ExplicitNull package var commit: String?
    /// `release` or `debug`.
    package var configuration: String?
    package var swift: String?
    package var architecture: String?

    package init(
        version: String?,
        commit: String?,
        configuration: String?,
        swift: String? = nil,
        architecture: String? = nil
    ) {
        self.version = version
        self.commit = commit
        self.configuration = configuration
        self.swift = swift
        self.architecture = architecture
    }

    /// As `spiral 0.5.0, commit 1a2b3c4d5e6f, debug build`; nil where the file says nothing of it.
    package var text: String? {
        var parts: [String] = []
        if let version { parts.append("spiral \(version)") }
        if let commit, !commit.isEmpty { parts.append("commit \(shortened(commit: commit))") }
        // A release build is what one expects.
        if let configuration, configuration != "release" { parts.append("\(configuration) build") }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}
