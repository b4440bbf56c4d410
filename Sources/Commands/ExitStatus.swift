package import ArgumentParser
internal import Glibc
package import POSIX
internal import Text

/// What a command ends with; the same for all three executables.
package enum ExitStatus: Int32, Sendable {
    /// All held.
    case success = 0
    /// An expectation or threshold failed.
    case failed = 1
    /// Wrong usage or input.
    case usage = 2
    /// This machine cannot run it.
    case machine = 3
}

/// A command that will not or cannot go on: one line saying what is wrong and what to do.
package struct Refusal: Error {
    package var status: ExitStatus
    package var message: String

    package init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    /// What was to be printed was not; nil when that was because its reader left.
    package init?(unprinted error: SystemCallError) {
        guard error.name != "EPIPE" else { return nil }
        self.init(.machine, "cannot write to standard output: \(SystemCallError.text(of: error.errno))")
    }
}

extension ParsableCommand {
    /// Runs the command line of this process and ends it with an ``ExitStatus``.
    package static func runAndExit() -> Never {
        StandardStreams.open()
        do {
            var command = try parseAsRoot()
            try command.run()
            Glibc.exit(ExitStatus.success.rawValue)
        } catch let refusal as Refusal {
            note("\(Self._commandName): \(refusal.message)")
            Glibc.exit(refusal.status.rawValue)
        } catch let code as ExitCode {
            Glibc.exit(code.rawValue)
        } catch {
            // Help and version are asked for and go to standard output; all else is wrong usage.
            guard exitCode(for: error) == .success else {
                note(fullMessage(for: error))
                if let meant = meantCommand { note("Did you mean '\(_commandName) \(meant)'?") }
                Glibc.exit(ExitStatus.usage.rawValue)
            }
            do {
                try say([fullMessage(for: error)])
            } catch {
                note("\(Self._commandName): \((error as? Refusal)?.message ?? "\(error)")")
                Glibc.exit(ExitStatus.machine.rawValue)
            }
            Glibc.exit(ExitStatus.success.rawValue)
        }
    }
}

extension ParsableCommand {
    /// The subcommand that the first argument is nearly; nil when it is one, or like none.
    private static var meantCommand: String? {
        guard let first = CommandLine.arguments.dropFirst().first, !first.hasPrefix("-") else { return nil }
        let names = configuration.subcommands.map { $0._commandName }
        return names.contains(first) ? nil : nearest(first, of: names)
    }
}

/// Writes a line to standard error. What it tells of others' files and answers is no command to a terminal.
package func note(_ line: String) {
    StandardError.print(line.printableLines)
}

/// Writes lines to standard output, likewise.
/// - Throws: ``Refusal`` when they do not fit. A reader that has seen enough is none of that.
package func say(_ lines: [String]) throws {
    do throws(SystemCallError) {
        try Descriptor.writeAll(Array((lines.joined(separator: "\n").printableLines + "\n").utf8), to: 1)
    } catch {
        if let refusal = Refusal(unprinted: error) { throw refusal }
    }
}
