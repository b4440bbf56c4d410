internal import ArgumentParser
internal import Commands
internal import LoadGenerator
internal import POSIX
internal import Units

/// `spiral-load merge`: several results as one.
struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Make one result of several, as of generators on several machines.",
        discussion: """
            Percentiles are those of all batches together: results hold their histograms. Callers of one name are one \
            caller.

              spiral-load merge a.json b.json --json all.json
            """
    )

    @Argument(help: ArgumentHelp("Results that spiral-load --json has written.", valueName: "result"))
    var results: [String]

    @OptionGroup
    var output: OutputOptions

    func run() throws {
        // A reader that leaves must not cost what goes to files.
        Signals.ignoreBrokenPipes()
        let read = try results.map { (name: $0, result: try Self.result($0)) }
        let merged: LoadResult
        do {
            merged = try LoadResult.merged(read)
        } catch {
            throw Refusal(.usage, "\(error)")
        }
        for difference in LoadResult.differences(read) { note("note: \(difference)") }
        let outputs = try output.open(for: merged.clients.map(\.name))
        try outputs.write(merged, merged.records)
        if let reason = merged.invalidBecause { throw Refusal(.machine, "the result is invalid: \(reason)") }
    }

    private static func result(_ path: String) throws -> LoadResult {
        let bytes: [UInt8]
        do {
            bytes = try InputFile.contents(of: path, upTo: ByteCount(bytes: 256 << 20))
        } catch {
            throw Refusal(.usage, "cannot \(error)")
        }
        do {
            return try LoadResult(json: bytes)
        } catch {
            throw Refusal(.usage, "\(path): \(error)")
        }
    }
}
