internal import Glibc

/// Which processes of a run are stopped (SIGSTOP), and whose doing that is: the scenario's, or somebody else's.
struct StoppedProcesses {
    private var known: Set<Fault.Subject> = []

    /// The scenario sent a signal.
    mutating func sent(_ signal: CInt, to subject: Fault.Subject) {
        if signal == SIGSTOP { known.insert(subject) }
    }

    /// A process was looked at.
    /// - Returns: whether somebody else has stopped it since it was last found to run.
    mutating func observe(_ subject: Fault.Subject, isStopped: Bool) -> Bool {
        if isStopped { return known.insert(subject).inserted }
        known.remove(subject)
        return false
    }
}
