internal import ArgumentParser
internal import Commands
internal import LoadGenerator
internal import POSIX

/// Where results go.
struct OutputOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Where to write the result as JSON; - for standard output.", valueName: "path"))
    var json: String?

    @Option(
        help: ArgumentHelp(
            "Write the latencies by percentile as HdrHistogram's plotters read them; of several callers, files with their "
                + "names are written beside that of all.",
            valueName: "path"
        )
    )
    var hdr: String?

    /// Opens the files before there is anything to lose.
    func open(for clients: [String]) throws -> Outputs {
        try Outputs(json: json, hdr: hdr, clients: clients)
    }
}

/// The files of ``OutputOptions``; what is there stays until the result is.
final class Outputs {
    /// The latencies of one client, or of all.
    private final class PlotFile {
        let client: String?
        let file: ReplacedFile

        init(_ client: String?, _ path: String) throws(SystemCallError) {
            self.client = client
            file = try ReplacedFile(path)
        }
    }

    private let json: JSONOutput?
    private let isJSONOnStandardOutput: Bool
    private var plots: [PlotFile] = []

    init(json path: String?, hdr hdrPath: String?, clients: [String]) throws {
        if let path { json = try JSONOutput(path) } else { json = nil }
        isJSONOnStandardOutput = path == "-"
        guard let hdrPath else { return }
        do {
            plots.append(try PlotFile(nil, hdrPath))
            for client in clients.count > 1 ? clients : [] {
                plots.append(try PlotFile(client, Self.path(hdrPath, of: client)))
            }
        } catch {
            throw Refusal(.usage, "--hdr: cannot \(error)")
        }
    }

    /// `load.feed.hgrm` beside `load.hgrm`.
    private static func path(_ path: String, of client: String) -> String {
        let name = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        guard let dot = path[name...].lastIndex(of: "."), dot != name else { return "\(path).\(client)" }
        return "\(path[..<dot]).\(client)\(path[dot...])"
    }

    /// Shows a result, and writes it; each output whatever becomes of the others.
    /// - Throws: ``Refusal`` naming all that could not be written.
    func write(_ result: LoadResult, _ records: [ClientRecord]) throws {
        let lines = result.summary
        var writes: [() throws -> Void] = [
            { [isJSONOnStandardOutput] in
                if isJSONOnStandardOutput { note(lines.joined(separator: "\n")) } else { try say(lines) }
            },
            { [self] in try json?.write(result) },
        ]
        writes += plots.map { plot in
            {
                var all = ClientRecord(name: "all")
                for record in records where plot.client.map({ $0 == record.name }) ?? true { all.add(record) }
                do throws(SystemCallError) {
                    try plot.file.write(Array(all.percentileText.utf8))
                } catch {
                    throw Refusal(.machine, "--hdr: cannot \(error)")
                }
            }
        }
        try JSONOutput.each(writes)
    }
}
