internal import POSIX
internal import Results
internal import Scenarios
internal import Units

/// Says of a measurement that goes on after its load how far it is, so that nobody takes it for dead.
final class SlowCellNotes: RunObserver {
    private static let interval = Duration.seconds(10)

    private let name: String
    private let show: (String) -> Void
    private var next: Duration?

    /// - Parameter name: of the measurement.
    init(_ name: String, show: @escaping (String) -> Void) {
        self.name = name
        self.show = show
    }

    func sampled(_ point: TimelinePoint, _ progress: PhaseProgress) {
        guard let line = line(point, progress) else { return }
        show(line)
    }

    /// Nil while the load goes on, and soon after the last line.
    private func line(_ point: TimelinePoint, _ progress: PhaseProgress) -> String? {
        guard progress.elapsed > progress.planned else {
            next = progress.planned + Self.interval
            return nil
        }
        guard let due = next, progress.elapsed >= due else { return nil }
        next = due + Self.interval
        let seconds = Int(progress.elapsed.inSeconds)
        return "\(name): \(progress.position.name), \(seconds) s; its load took \(progress.planned.text), and "
            + "\(point.inFlight) lookups are still in flight"
    }
}
