internal import ArgumentParser
internal import Commands
internal import KernelProbe
internal import Reports
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
        _ = try alarm()
    }

    private func alarm() throws -> PortAlarm {
        PortAlarm(percent: try percent(), seconds: try seconds())
    }

    private func percent() throws -> Double? {
        try failAbove.map { text in
            guard text.hasSuffix("%"), let number = Double(text.dropLast()), (0..<100).contains(number) else {
                throw ValidationError("--fail-above: '\(text)' is not a share; write 0% to 99.9%, as in 80%")
            }
            return number
        }
    }

    private func seconds() throws -> Double? {
        try failBelow.map { try readOption("--fail-below", $0, as: Duration.init(text:)).inSeconds }
    }

    /// - Throws: ``Refusal`` naming the first row that is beyond a threshold, or may be.
    func check(_ trend: PortTrend, _ view: PortView) throws {
        if let problem = try alarm().problem(in: trend, view) { throw Refusal(.failed, problem) }
    }
}
