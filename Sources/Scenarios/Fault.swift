package import PostRecords
package import Units

/// Something done in the course of a phase: to a process of the run, or to a setting.
package struct Fault: Sendable, CustomStringConvertible {
    /// What is done to a process.
    package enum ProcessAction: String, Sendable, CaseIterable {
        /// SIGKILL; the server is then started again at once if the scenario says so.
        case kill
        /// SIGSTOP: it keeps its connections and answers nothing.
        case stop
        /// SIGCONT.
        case `continue`
        /// SIGTERM, or SIGKILL for memcached, and started anew.
        case restart
    }

    /// Whose process.
    package enum Subject: String, Sendable, CaseIterable {
        case server, memcached
    }

    /// What a fault does.
    package enum Effect: Sendable {
        case process(ProcessAction, Subject)
        /// As a slow log sink, or a slow database.
        case setting(SettingChange)
    }

    package var effect: Effect
    /// From the beginning of the phase.
    var at = Duration.zero

    /// - Throws: ``UnitTextError`` with the accepted forms.
    package init(text: String) throws(UnitTextError) {
        let words = text.split(separator: " ").map(String.init)
        if words.count == 3, words[0] == "set" {
            do throws(Settings.Problem) {
                effect = .setting(try SettingChange(words[1], words[2]))
            } catch {
                throw UnitTextError(text: text, expected: "a fault: \(error)")
            }
        } else if words.count == 2, let action = ProcessAction(rawValue: words[0]),
            let subject = Subject(rawValue: words[1])
        {
            effect = .process(action, subject)
        } else {
            let actions = ProcessAction.allCases.map(\.rawValue).joined(separator: ", ")
            throw UnitTextError(
                text: text,
                expected: "a fault: write one of \(actions), and server or memcached; or 'set SETTING VALUE'"
            )
        }
    }

    package var description: String {
        switch effect {
        case .process(let action, let subject): "\(action.rawValue) \(subject.rawValue)"
        case .setting(let change): "\(change)"
        }
    }

    /// The setting it changes; nil when it is a process that it concerns.
    var settingChange: SettingChange? {
        if case .setting(let change) = effect { change } else { nil }
    }

    /// Whether a process is meant to end, or to stop, by it.
    func concerns(_ subject: Subject) -> Bool {
        if case .process(_, subject) = effect { true } else { false }
    }
}
