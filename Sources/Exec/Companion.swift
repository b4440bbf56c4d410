internal import Glibc
internal import KernelProbe
package import POSIX
package import Testbed
internal import Units

/// A program that is started in the room before the command, by its shell line, and is not accounted for.
package final class Companion {
    package let line: String
    private var program: LaunchedProgram

    /// - Throws: ``TestbedError`` when it cannot be started.
    package init(
        _ line: String,
        in room: borrowing Room,
        _ signals: SignalState,
        descriptors: DescriptorLimit
    ) throws(TestbedError) {
        self.line = line
        var launch = Launch(
            path: "/bin/sh",
            arguments: ["-c", line],
            name: "sh",
            descriptors: descriptors,
            ownGroup: true
        )
        // What it prints is not the command's output.
        launch.output = 2
        do {
            program = try launch.hold(in: room, signals).execute()
        } catch {
            throw TestbedError("--with: '\(line)' cannot be started: \(error.text(descriptors))")
        }
    }

    /// How it ended, or nil while it runs.
    package func poll() -> ProcessExit? { program.poll() }

    /// Asks it to end, with what its shell started.
    package func askToEnd() {
        if kill(-program.process, SIGTERM) != 0 { program.send(SIGTERM) }
    }

    /// Waits until somebody listens on each of the ports, of either family.
    /// - Throws: ``TestbedError`` when a companion ends first, a signal comes, or the time is over.
    package static func waitUntilReady(
        _ companions: [Companion],
        ports: [UInt16],
        timeout: Duration,
        _ signals: SignalState
    ) throws(TestbedError) {
        let deadline = MonotonicInstant.now + timeout
        while true {
            let open = ListeningPorts.current()
            guard let missing = ports.first(where: { !open.contains($0) }) else { return }
            for companion in companions {
                guard let exit = companion.poll() else { continue }
                throw TestbedError("--with: '\(companion.line)' ended (\(exit)) before port \(missing) was listened on")
            }
            guard MonotonicInstant.now < deadline else {
                throw TestbedError("--ready: nobody listens on port \(missing) after \(timeout.text)")
            }
            if case .signal = signals.next(within: .milliseconds(10)) {
                throw TestbedError("interrupted before the command was started")
            }
        }
    }
}
