/// Something wrong in a scenario file: where, and what was meant.
package struct ScenarioProblem: Error, Sendable, Hashable, CustomStringConvertible {
    package var line: Int
    package var column: Int
    package var message: String

    package var description: String { "\(line):\(column): \(message)" }
}

/// All that is wrong in a scenario file.
package struct ScenarioProblems: Error, Sendable {
    package var problems: [ScenarioProblem]
}
