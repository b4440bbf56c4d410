internal import ArgumentParser
internal import LoadGenerator
internal import POSIX
internal import Text
internal import Units

/// Loads that are written down, and sent again.
struct TraceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Write what was due as JSON lines: when, of which caller, how many URIs; of a load that is ended early, as far as "
                + "its sender had come.",
            valueName: "path"
        )
    )
    var record: String?

    @Flag(help: "With --record, write the URIs themselves, so that a replay asks for the same posts.")
    var recordUris = false

    @Option(
        help: ArgumentHelp(
            #"Send what such a file says, a line {"offset": SECONDS, "caller": NAME, "uris": N or ["URI"]} for each batch."#,
            valueName: "path"
        )
    )
    var replay: String?

    @Option(help: ArgumentHelp("How much faster than it was a file is replayed: 2x, 0.5x.", valueName: "factor"))
    var speed = "1x"

    /// - Throws: ``ValidationError``
    func check() throws {
        _ = try factor()
        if record == nil, recordUris { throw ValidationError("--record-uris: it is for --record") }
        if replay == nil, speed != "1x" { throw ValidationError("--speed: it is for --replay") }
    }

    /// What is written down of each batch; nil for nothing.
    var content: Load.Options.TraceContent? { record.map { _ in recordUris ? .uris : .sizes } }

    private func factor() throws -> Double {
        guard speed.hasSuffix("x"), let factor = Double(speed.dropLast()), (0.001...1000).contains(factor) else {
            throw ValidationError("--speed: '\(speed)' is not a factor: write it as 2x or 0.5x, from 0.001x to 1000x")
        }
        return factor
    }

    /// A client for each caller of the file; nil where nothing is replayed.
    func clients() throws -> [Load.Client]? {
        guard let replay else { return nil }
        let entries: [Trace.Entry]
        do {
            entries = try Trace.entries(of: try InputFile.contents(of: replay, upTo: ByteCount(bytes: 1 << 30)))
        } catch let error as SystemCallError {
            throw ValidationError("--replay: cannot \(error)")
        } catch {
            throw ValidationError("--replay: \(replay): \(error)")
        }
        let factor = try factor()
        let length = (entries.last?.offset.inSeconds ?? 0) / factor
        guard length <= ClientSpec.longest.inSeconds else {
            throw ValidationError(
                "--speed: \(replay) would take \(rounded(length)) s at \(speed); use a speed that ends within "
                    + "\(ClientSpec.longest.text)"
            )
        }
        var clients: [String: [Trace.Entry]] = [:]
        for var entry in entries {
            entry.offset = .nanoseconds(Int64((entry.offset.inSeconds / factor * 1e9).rounded()))
            clients[entry.caller, default: []].append(entry)
        }
        return clients.sorted { $0.key < $1.key }.map { name, entries in Load.Client(name: name, trace: entries) }
    }
}
