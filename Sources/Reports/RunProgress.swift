internal import LoadGenerator
internal import POSIX
package import PostRecords
package import Results
package import Scenarios
internal import Text
internal import Units

/// Shows a run on a terminal while it is played: a dashboard there, a line every two seconds elsewhere.
package final class RunProgress: RunObserver {
    private static let lineInterval = Duration.seconds(2)

    private let screen: Screen
    private var timeline: [TimelinePoint] = []
    private var nextLine = Duration.zero

    package init(_ screen: Screen) {
        self.screen = screen
    }

    package func phaseBegan(_ position: PhasePosition, changes: [SettingChange]) {
        screen.print(["", ScreenLine("\(position)", .heading)] + changes.map { ScreenLine("    \($0)") })
        nextLine = .zero
    }

    package func sampled(_ point: TimelinePoint, _ progress: PhaseProgress) {
        timeline.append(point)
        let position = "[\(progress.position.number)/\(progress.position.count) \(progress.position.name)]"
        let seconds = Int(progress.elapsed.inSeconds.rounded())
        if screen.isLive {
            let settings = ["limit", "dialer", "max-idle", "log-mode"].compactMap { name in
                progress.settings[name].map { "\(name) \($0)" }
            }.joined(separator: ", ")
            screen.update(
                Dashboard.lines(
                    "\(position) \(seconds) s of \(progress.planned.text)  \(settings)",
                    timeline,
                    capacity: progress.capacity,
                    columns: screen.columns
                )
            )
        } else if progress.elapsed >= nextLine {
            screen.update([ScreenLine("\(position) \(seconds)s" + Self.line(point, progress))])
            nextLine = progress.elapsed + Self.lineInterval
        }
    }

    package func phaseEnded(_ phase: PhaseResult, incidentLine: String?) {
        if let incidentLine { screen.print(["    logged: \(incidentLine)"]) }
    }

    package func warned(_ text: String) {
        screen.print([ScreenLine("    warning: \(text)", .warning)])
    }

    package func interrupted(because reason: String?) {
        screen.print(["\(reason ?? "interrupted"); everything that was started is being stopped"])
    }

    private static func line(_ point: TimelinePoint, _ progress: PhaseProgress) -> String {
        let counted = progress.counted
        let errors = counted.lookups.errors.max { $0.value < $1.value }.map { "\($0.key) \(grouped($0.value))" }
        return (point.isUp ? "" : "  DOWN")
            + "  found \(grouped(counted.lookups.hits))"
            + (counted.lookups.unreadable > 0 ? "  unreadable \(grouped(counted.lookups.unreadable))" : "")
            + "  errors \(errors ?? "none")"
            + "  connections \(grouped(counted.dials.ok))"
            + "  ports \(grouped(point.portsInUse))/\(grouped(progress.capacity))"
            + "  TIME_WAIT \(grouped(point.timeWait))"
            + "  in flight \(grouped(point.inFlight))"
            + "  threads \(grouped(point.threads))"
            + "  \(mebibytes(point.rssBytes))"
    }
}
