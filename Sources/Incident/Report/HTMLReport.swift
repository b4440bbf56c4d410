internal import PostRecords

/// The report of a run: one HTML file that carries its data and draws it without a network.
package enum HTMLReport {
    /// What the page has in the place of the data.
    private static let placeholder = "/*RESULT*/null"

    package static func page(_ result: RunResult) -> [UInt8] {
        let template = String(decoding: PackageResources.report_html, as: UTF8.self)
        let data = String(decoding: JSONText.encode(result), as: UTF8.self)
        // Inside a script element only "</" could end it.
        let safe = data.split(separator: "</", omittingEmptySubsequences: false).joined(separator: "<\\/")
        let parts = template.split(separator: placeholder, maxSplits: 1, omittingEmptySubsequences: false)
        return Array((parts[0] + safe + parts[1]).utf8)
    }
}

extension RunResult {
    /// Why a file is no result that can be read.
    package struct FormatError: Error, CustomStringConvertible {
        package var description: String
    }

    /// Reads a result as `--json` wrote it.
    /// - Throws: ``FormatError``
    package init(json: [UInt8]) throws(FormatError) {
        struct Head: Decodable { var schema: String }
        guard let head = try? JSONText.decode(Head.self, from: json) else {
            throw FormatError(description: "this is not the JSON of a run; write one with 'spiral run --json PATH'")
        }
        guard head.schema == Self.currentSchema else {
            throw FormatError(
                description:
                    "its schema is \(head.schema), and this program reads \(Self.currentSchema); use the version that wrote it"
            )
        }
        do {
            self = try JSONText.decode(RunResult.self, from: json)
        } catch {
            throw FormatError(description: "it says \(head.schema), but is damaged or incomplete")
        }
    }
}
