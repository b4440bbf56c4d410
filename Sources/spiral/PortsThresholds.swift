internal import ArgumentParser
internal import Commands
internal import KernelProbe
internal import Reports
internal import Text
internal import Units

/// What `spiral ports` ends with 1 for.
struct PortsThresholds: ParsableArguments {
    @Option(
        help: ArgumentHelp("Exit with 1 if more than this share of a row's ports is taken.", valueName: "percent")
    )
    var failAbove: String?

    @Option(help: ArgumentHelp("Exit with 1 if a row's ports run out sooner than this.", valueName: "duration"))
    var failBelow: String?

    func validate() throws {
        _ = try share()
        _ = try time()
    }

    /// 0 to 1.
    private func share() throws -> Double? {
        try failAbove.map { text in
            guard text.hasSuffix("%"), let number = Double(text.dropLast()), (0..<100).contains(number) else {
                throw ValidationError("--fail-above: '\(text)' is not a share; write 0% to 99.9%, as in 80%")
            }
            return number / 100
        }
    }

    private func time() throws -> Double? {
        try failBelow.map { try readOption("--fail-below", $0, as: Duration.init(text:)).inSeconds }
    }

    /// - Throws: ``Refusal`` naming the first row that is beyond a threshold.
    func check(_ trend: PortTrend, _ view: PortView) throws {
        let (share, time) = (try share(), try time())
        guard share != nil || time != nil else { return }
        let outlooks = view.outlooks(trend)
        for outlook in outlooks {
            let row = "\(outlook.row.pair.source) to \(outlook.row.pair.destination)"
            if let share, outlook.used > share {
                let taken = "\(Int(outlook.used * 100))% of \(grouped(outlook.row.capacity)) ports are taken"
                throw Refusal(.failed, "\(row): \(taken), which is above \(failAbove ?? "")")
            }
            if let time, let left = outlook.secondsLeft, left < time {
                throw Refusal(
                    .failed,
                    "\(row): no port is left in \(rounded(left)) s, which is below \(failBelow ?? "")"
                )
            }
        }
        // Towards a destination that nobody has reached, all ports of others can be in the way.
        if outlooks.isEmpty, view.isNarrowed, trend.newPair?.state == .exhausted {
            throw Refusal(.failed, "bind() chose all ports there are: no dial that binds nothing finds one")
        }
    }
}
