internal import KernelProbe
internal import PostRecords
internal import Results
internal import Units

extension RunResult {
    /// What the port budget's arithmetic says, beside what happened.
    func comparedPredictions() -> [Prediction] {
        // A closed port stays in TIME_WAIT for a minute: until then TIME_WAIT is every dial that was made, less those still open.
        var dialled: Int? = 0
        return phases.flatMap { phase in
            var predictions: [Prediction] = []
            if phase.start + phase.duration > PortRange.timeWait.inSeconds { dialled = nil }
            if let before = dialled { dialled = phase.dials.expected.map { before + $0 } }
            if let expected = phase.dials.expected {
                predictions.append(
                    Prediction(
                        what: "\(phase.name): successful dials (\(phase.dials.reasoning))",
                        predicted: Double(expected),
                        measured: Double(phase.dials.ok),
                        unit: "dials"
                    )
                )
            }
            if let dialled, dialled > 0, let kept = phase.settings["max-idle"].flatMap({ Int($0) }) {
                predictions.append(
                    Prediction(
                        what: "\(phase.name): TIME_WAIT at its end (all dials so far, but for those kept idle)",
                        predicted: Double(max(0, dialled - kept)),
                        measured: Double(phase.timeWaitPeak),
                        unit: "sockets"
                    )
                )
            }
            if let predicted = phase.exhaustion?.predicted, let measured = phase.exhaustion?.measured {
                predictions.append(
                    Prediction(
                        what: "\(phase.name): the last port of one address taken (batches due; seen twice a second)",
                        predicted: predicted,
                        measured: measured,
                        unit: "s"
                    )
                )
            }
            return predictions
        }
    }
}
