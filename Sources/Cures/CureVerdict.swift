/// What a cure comes to, by ``CureVerdict/rules``.
package enum CureVerdict: String, Sendable, Codable, CaseIterable {
    case cures, harms, helps, nothing, worse
    /// It could not be played here, which is no failure of it.
    case unavailable

    package var text: String {
        switch self {
        case .cures: "cures"
        case .harms: "cures and harms"
        case .helps: "helps"
        case .nothing: "does nothing"
        case .worse: "makes it worse"
        case .unavailable: "not played"
        }
    }

    /// The best first; what was not played comes last.
    package var rank: Int { Self.allCases.firstIndex(of: self)! }

    /// How a verdict is found, the first rule that applies.
    package static let rules: [(verdict: CureVerdict, rule: String)] = [
        (
            .cures,
            "every URI of every batch was found in both rounds, heavy caller's and small callers', and no dial of the other program failed"
        ),
        (
            .harms,
            "every URI was found too, but dials of the other program failed, or connections ended without the TIME_WAIT that protects the next one (resets, TCPTimeWaitOverflow)"
        ),
        (
            .worse,
            "at least half as many dials again as in the incident, and less than half as many URIs again found"
        ),
        (
            .helps,
            "at least half as many URIs again found for the heavy caller as in the incident; or the small callers' URIs all found, or the other program's dials all successful, where they were not in the incident"
        ),
        (.worse, "a third fewer URIs found, or more"),
        (.nothing, "all else"),
    ]

    /// - Parameter incident: what the incident without any cure came to.
    package init(_ figures: CureFigures, incident: CureFigures) {
        let isWhole = figures.found == figures.asked && figures.smallFound == figures.smallAsked
        if isWhole {
            let isHarmful = (figures.othersFailed ?? 0) > 0 || figures.endedWithoutTimeWait > 0.05
            self = isHarmful ? .harms : .cures
            return
        }
        let gain = figures.found / max(1, incident.found)
        if figures.dials >= incident.dials * 1.5, gain < 1.5 {
            self = .worse
        } else if gain >= 1.5
            || (figures.smallFound == figures.smallAsked && incident.smallFound < incident.smallAsked)
            || (figures.othersFailed == 0 && (incident.othersFailed ?? 0) > 0)
        {
            self = .helps
        } else {
            self = gain <= 2.0 / 3 ? .worse : .nothing
        }
    }
}

/// The figures that decide about a verdict: of one measurement, or medians of several.
package struct CureFigures: Sendable, Equatable {
    /// URIs of the heavy caller's batches, and those found.
    package var asked: Double
    package var found: Double
    package var smallAsked: Double
    package var smallFound: Double
    /// Dials of the server, failed ones included.
    package var dials: Double
    /// Dials of the other program that failed; nil where it made none.
    package var othersFailed: Double?
    /// Connections of the server that ended without TIME_WAIT, of all its connections: 0 to 1.
    package var endedWithoutTimeWait: Double

    package init(
        asked: Double,
        found: Double,
        smallAsked: Double,
        smallFound: Double,
        dials: Double,
        othersFailed: Double?,
        endedWithoutTimeWait: Double
    ) {
        self.asked = asked
        self.found = found
        self.smallAsked = smallAsked
        self.smallFound = smallFound
        self.dials = dials
        self.othersFailed = othersFailed
        self.endedWithoutTimeWait = endedWithoutTimeWait
    }
}
