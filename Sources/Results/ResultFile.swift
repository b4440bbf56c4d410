internal import LoadGenerator
internal import PostRecords
internal import Text

/// A result of either kind, as `--json` wrote it.
package enum ResultFile {
    case run(RunResult)
    case sweep(SweepResult)

    /// - Throws: ``RunResult/FormatError``
    package init(json: [UInt8]) throws(RunResult.FormatError) {
        if SweepResult.claimsToBeOne(json) {
            self = .sweep(try SweepResult(json: json))
        } else {
            self = .run(try RunResult(json: json))
        }
    }
}

extension RunResult {
    /// Why a file is no result that can be read.
    package struct FormatError: Error, CustomStringConvertible {
        package var description: String

        package init(description: String) {
            self.description = description
        }
    }

    /// Reads a result as `--json` wrote it.
    /// - Throws: ``FormatError``
    package init(json: [UInt8]) throws(FormatError) {
        struct Head: Decodable { var schema: String }
        guard let head = try? JSONText.decode(Head.self, from: json) else {
            throw FormatError(description: "this is not the JSON of a run; write one with 'spiral run --json PATH'")
        }
        guard [Self.currentSchema, Self.schemaWithZeros].contains(head.schema) else {
            throw FormatError(
                description:
                    "its schema is \(head.schema), and this program reads \(Self.currentSchema); use the version that wrote it"
            )
        }
        if let problem = FigureBound.problem(in: json) {
            throw FormatError(description: "it says \(head.schema), but is damaged: \(problem)")
        }
        do {
            self = try JSONText.decode(RunResult.self, from: json)
        } catch {
            throw FormatError(description: "it says \(head.schema), but is damaged or incomplete")
        }
        if let problem = environment.problem {
            throw FormatError(description: "it says \(head.schema), but is damaged: \(problem)")
        }
        if schema == Self.schemaWithZeros {
            for index in phases.indices { phases[index].dropUnmeasured() }
            schema = Self.currentSchema
        }
    }
}

extension PhaseResult {
    /// Takes out what older versions wrote where nothing was measured.
    mutating func dropUnmeasured() {
        for index in clients.indices { clients[index].dropUnmeasured() }
        if threadsPeak == 0 { threadsPeak = nil }
        if rssPeakBytes == 0 { rssPeakBytes = nil }
    }
}
