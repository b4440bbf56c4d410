internal import Commands
internal import LoadGenerator
internal import POSIX

/// Where ``TraceOptions/record`` goes.
final class TraceFile {
    private var file: StreamedFile

    /// - Throws: ``Refusal`` when it cannot be written.
    init(_ path: String) throws {
        do throws(SystemCallError) {
            file = try StreamedFile(path)
        } catch {
            throw Refusal(.usage, "--record: cannot \(error)")
        }
    }

    /// - Throws: ``Refusal`` when the file is full.
    func append(_ entries: [Trace.Entry]) throws {
        guard !entries.isEmpty else { return }
        do throws(SystemCallError) {
            try file.write(Trace.text(entries))
        } catch {
            throw Refusal(.machine, "--record: cannot \(error)")
        }
    }
}
