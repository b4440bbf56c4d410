package import KernelProbe
package import LoadGenerator
package import PostRecords
internal import Telemetry
package import Testbed
package import Units

/// What is played: the setup, who sends, what is changed and broken when, and what is expected.
package struct Scenario: Sendable {
    package var name: String
    package var description = ""
    /// What it has shown when all expectations held.
    package var verdict = "all expectations held"
    package var setup = ScenarioSetup()
    /// Settings the server starts with, by name.
    package var settings: [SettingChange] = []
    package var clients: [ClientSpec] = []
    package var phases: [PhasePlan] = []

    package init(name: String) {
        self.name = name
    }

    /// The same with each phase as short as it says it may be.
    package var quick: Scenario {
        var scenario = self
        for index in phases.indices {
            if let quick = phases[index].quickDuration { scenario.phases[index].duration = quick }
        }
        return scenario
    }

    /// Files that the error log is moved to in its course.
    var logFiles: [String] {
        let changes = phases.flatMap { $0.changes + $0.faults.compactMap(\.settingChange) }
        return changes.filter { $0.name == "log-sink" }.compactMap { (try? LogSink(text: $0.text))?.file }
    }
}

/// What a scenario needs besides the machine; `environment` in a file.
package struct ScenarioSetup: Sendable {
    /// Ports of the narrowed ephemeral range; nil leaves the range as it is.
    package var ports: Int?
    /// net.ipv4.tcp_tw_reuse; nil leaves it.
    package var twReuse: Int?
    /// Further kernel settings of the run's namespace.
    package var sysctls: [NamespaceSysctl] = []
    /// Distinct posts, all of them in memcached at the beginning unless ``isPreloaded`` is false.
    package var posts = 50_000
    package var isPreloaded = true
    /// Descriptors the server may have; nil for as many as this process may.
    package var nofile: Int?
    /// Memory the server may take before it is killed, as a container would be; nil for any.
    package var memoryLimit: ByteCount?
    /// Whether the server is started again when it dies. Without, its death ends the run.
    package var restarts = false
    package var memcached = MemcachedProcess.Options()
    /// Threads blocked in log writes at which the server dies.
    package var logThreads: Int?

    package init() {}

    /// What of it makes dials unpredictable, whatever the settings; nil when nothing does.
    var dialObstacle: String? {
        if memcached.transport != .ipv4 {
            return "memcached is reached over \(memcached.transport), where ports are not predicted"
        }
        return sysctls.first { !$0.choosesPorts }.map { "\($0) may change how long a port is taken" }
    }
}

/// One phase of a run: what is changed, who sends, and for how long.
package struct PhasePlan: Sendable {
    package var name: String
    /// What happens in it, in one line.
    package var title = ""
    /// How long batches are due.
    package var duration: Duration
    package var quickDuration: Duration?
    /// Settings changed at its beginning, by name.
    package var changes: [SettingChange] = []
    /// Clients that send during it. Every batch belongs to one phase: it ends when all are answered.
    package var clients: [ClientSpec] = []
    /// Those of ``clients`` that send what they are told to from the live page; without one, they send like the others.
    package var byHand: Set<String> = []
    package var faults: [Fault] = []
    package var expectations: [Expectation] = []

    package init(name: String, duration: Duration) {
        self.name = name
        self.duration = duration
    }
}
