internal import LoadGenerator
internal import POSIX
internal import PostRecords
internal import Results
internal import Testbed
internal import Text
internal import Units

/// Plays the cures one after the other, each in a clean room of its own.
package struct CuresRunner {
    /// Shows lines to whoever waits.
    private let show: ([String]) -> Void
    private var kept: KeptResult
    private var result: CuresResult
    /// Why the last attempt to keep the result failed.
    package var unsaved: String? { kept.unsaved }

    /// - Parameter begun: what there is so far, of its plan.
    package init(_ begun: CuresResult, file: String?, show: @escaping ([String]) -> Void) {
        result = begun
        kept = KeptResult(in: file, of: "the measuring", show: show)
        self.show = show
    }

    /// Measures what is not measured yet.
    /// - Returns: the result; of what was measured when a signal ended it early.
    /// - Throws: ``TestbedError`` when no cure could be played here.
    package mutating func run() throws -> CuresResult {
        _ = try (Executables.memcached(), Executables.server())
        DescriptorLimit.raise()
        let done = Set(result.runs.filter { $0.error == nil }.map(\.cell))
        let cells = result.plan.cells.filter { !done.contains($0) }
        result.runs.removeAll { $0.error != nil }
        result.interrupted = false
        for (index, cell) in cells.enumerated() {
            guard let run = measure(cell) else {
                result.interrupted = true
                break
            }
            result.runs.append(run)
            result.judge()
            kept.save(result)
            let number = "[\(done.count + index + 1)/\(done.count + cells.count)]"
            let row = result.cures.first { $0.name == cell.cure }
            show(["\(number) \(cell.cure): " + (row.map { "\($0.verdict.text): \($0.because)" } ?? "")])
        }
        result.judge()
        kept.save(result)
        return result
    }

    /// - Returns: nil when a signal ended it.
    private mutating func measure(_ cell: CuresPlan.Cell) -> CuresResult.Run? {
        var run = CuresResult.Run(cell: cell)
        guard let cure = Cure.all.first(where: { $0.name == cell.cure }) else {
            run.error = "this version has no such cure"
            return run
        }
        do {
            let room = try CureRoom(cure, result.plan)
            // Takes the processes down on every way out.
            defer { room.end() }
            if result.environment == nil || cell.cure == Cure.incidentName { result.environment = room.environment }
            run.measurement = try room.play()
        } catch is Interrupted {
            return nil
        } catch let error as CureUnavailable {
            run.unavailable = "\(error)"
        } catch {
            run.error = "\(error)"
        }
        return run
    }
}
