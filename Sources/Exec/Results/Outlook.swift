internal import POSIX
internal import Text
internal import Units

/// What the dials of a command would come to on a machine with the kernel's default ports, if it went on with them as
/// it did here.
///
/// A port is held while its connection is open, and for 60 s after when this side closed first. The share of dials that
/// left such a port is measured. Reuse of ports over loopback after a second is not counted on: it ends where the
/// server is on another machine.
package struct Outlook: Sendable, Equatable, Codable {
    /// Ephemeral ports of a machine where nothing is set.
    package static let defaultPorts = 28_232
    private static let timeWait = 60.0

    /// Dials of the busiest pair of addresses a second, over the time it dialled.
    package let dialsPerSecond: Double
    /// Ports held in the long run, in percent of the default. Above 100 they run out.
    package let percentOfDefault: Double
    /// When a default machine has none left; nil when that does not come.
    package let secondsToExhaustion: Double?

    /// Nil when it dialled too few times, or for too short a time, to tell.
    /// - Parameters:
    ///   - dials: of the busiest pair, those that got a port or would have, had there been one.
    ///   - seconds: from the first dial to the last.
    ///   - ok: its dials that got one.
    ///   - held: ports held at the end, and those taken again out of TIME_WAIT.
    init?(dials: Int, seconds: Double, ok: Int, held: Int) {
        guard dials >= 20, seconds >= 0.5, ok > 0 else { return nil }
        dialsPerSecond = Double(dials - 1) / seconds
        let taken = dialsPerSecond * min(1, Double(held) / Double(ok))
        percentOfDefault = taken * Self.timeWait / Double(Self.defaultPorts) * 100
        secondsToExhaustion = percentOfDefault > 100 ? Double(Self.defaultPorts) / taken : nil
    }

    /// The same in words.
    package var sentence: String {
        if let secondsToExhaustion {
            return
                "on a default machine (\(grouped(Self.defaultPorts)) ports) this load runs out after \(rounded(secondsToExhaustion)) s"
        }
        return "this load uses \(rounded(percentOfDefault))% of what one address sustains on a default machine "
            + "(\(grouped(Self.defaultPorts)) ports, \(Self.defaultPorts / 60) dials/s)"
    }
}
