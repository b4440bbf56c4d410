internal import Commands
internal import LoadGenerator
internal import POSIX

/// Where ``TraceOptions/record`` goes.
final class TraceFile {
    private var file: StreamedFile
    /// Why nothing more is written; the load goes on.
    private(set) var problem: Refusal?

    /// - Throws: ``Refusal`` when it cannot be written.
    init(_ path: String) throws {
        do throws(SystemCallError) {
            file = try StreamedFile(path)
        } catch {
            throw Refusal(.usage, "--record: cannot \(error)")
        }
    }

    func append(_ entries: [Trace.Entry]) {
        guard !entries.isEmpty, problem == nil else { return }
        do throws(SystemCallError) {
            try file.write(Trace.text(entries))
        } catch {
            problem = Refusal(.machine, "--record: cannot \(error); what is written there is not all of the load")
        }
    }
}
