internal import ArgumentParser
internal import Commands
internal import Exec
internal import POSIX
internal import Testbed
internal import Units

struct ExecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Runs any program, unmodified, with ephemeral ports of its own.",
        usage: "spiral exec [<options>] -- <command> [<arguments>]",
        discussion: """
            The program runs in a fresh network namespace: its own ports and TIME_WAIT sockets, loopback only, and nothing \
            of the machine's network. As root or not. Everything it starts ends with it, and with this command, even by \
            SIGKILL. Signals are passed on, and the exit status is the program's own.

              spiral exec --ports 1024 --with 'memcached -u root' --ready 11211 -- ./client

            Ends with the program's exit status (128 and the signal's number if one ended it; 127 when it is not found and \
            126 when it cannot be executed), 2 for wrong usage, 3 when this machine cannot run it.
            """
    )

    @OptionGroup
    var room: RoomOptions

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("The program and its arguments, after --.", valueName: "command")
    )
    var command: [String] = []

    func validate() throws {
        guard !command.isEmpty else {
            throw ValidationError("name the program to run after --, as in 'spiral exec --ports 1024 -- ./client'")
        }
    }

    func run() throws {
        var options = try room.run()
        do {
            options.path = try CommandPath.find(command[0])
        } catch {
            note("spiral: \(command[0]): \(error.text)")
            throw ExitCode(error.exitStatus)
        }
        options.command = command
        let signals = SignalState.hold()
        switch try inRoom(options, signals) {
        case .status(let status): throw ExitCode(status)
        case .signal(let number): throw ExitCode(128 + number)
        }
    }

    /// Runs the command with what is needed around it, and leaves nothing of it behind.
    private func inRoom(_ options: CommandRun.Options, _ signals: SignalState) throws -> ProcessExit {
        do {
            let keeper = options.memory == nil ? nil : try Keeper()
            let place = try Room(try room.network())
            for line in place.notes { note("spiral exec: \(line)") }
            let memory = options.memory.map { MemoryLimit($0) }
            if let folder = memory?.folder { try keeper?.remove(folder) }
            if let memory, memory.enforcement == .watched {
                note(
                    "spiral exec: --memory: no cgroup can be made here; the command's own \(memory.enforcement.rawValue)"
                )
            }
            var hooks = CommandRun.Hooks()
            hooks.note = { note("spiral exec: \($0)") }
            return try CommandRun(options, signals, hooks).run(in: place, memory: memory, isIntercepted: false)
        } catch let error as CommandRun.NotStarted {
            note("spiral: \(error.message)")
            throw ExitCode(error.exitStatus)
        } catch let error as TestbedError {
            throw Refusal(.machine, error.description)
        } catch let error as SystemCallError {
            throw Refusal(.machine, error.description)
        }
    }
}
