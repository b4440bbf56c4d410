internal import ArgumentParser
internal import Commands
internal import Exec
internal import POSIX
internal import Reports
internal import Testbed

struct ExecCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Run any program, unmodified, with ephemeral ports of its own.",
        usage: "spiral exec [<options>] -- <command> [<arguments>]",
        discussion: """
            The program runs in a fresh network namespace: its own ports and TIME_WAIT sockets, loopback only, and nothing \
            of the machine's network. As root or not. Everything it starts ends with it, and with this command, even by \
            SIGKILL. Signals are passed on, and the exit status is the program's own.

              spiral exec --ports 1024 --with 'memcached -u root' --ready 11211 -- ./client

            Exit status: the program's own (128 plus the signal's number if one ended it; 127 if it is not found, 126 if it \
            cannot be executed), 1 if an expectation failed, 2 for wrong usage, 3 if this machine cannot run it.

              spiral exec --expect 'dials.failed == 0' --expect 'portsPeak < 20%' -- ./client

              spiral exec --control 4711 --dialer rotate

            Dials are TCP connects over IPv4 and IPv6, each made for the program on its own socket (seccomp user \
            notification). Not seen are those by io_uring, whose set-up is refused with ENOSYS; by sendto() with \
            MSG_FASTOPEN; and by 32-bit programs, which are counted. Ports are not sampled with --host-network.
            """
    )

    @OptionGroup
    var room: RoomOptions

    @OptionGroup
    var dials: DialOptions

    @Option(
        help: ArgumentHelp(
            "The process of a running 'spiral exec': its figures so far, and its dials changed to what is given with it.",
            valueName: "pid"
        )
    )
    var control: Int32?

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("The program and its arguments, after --.", valueName: "command")
    )
    var command: [String] = []

    func validate() throws {
        if control != nil {
            guard command.isEmpty else {
                throw ValidationError("--control changes a command that runs already: leave out the command")
            }
            if let option = room.given.first
                ?? [("--expect", !dials.expect.isEmpty), ("--report", dials.report != nil)].first(where: \.1)?.0
            {
                throw ValidationError("--control changes what a command's dials meet; \(option) is for its start")
            }
            return
        }
        guard dials.report == nil || dials.report != dials.json else {
            throw ValidationError(
                "only one of --json and --report can go to \(dials.report == "-" ? "standard output" : dials.report!)"
            )
        }
        guard !command.isEmpty else {
            throw ValidationError("name the program to run after --, as in 'spiral exec --ports 1024 -- ./client'")
        }
    }

    func run() throws {
        if let control { return try change(control) }
        var options = try dials.session()
        options.room = try room.network()
        options.publish = try room.published()
        options.links = try room.links()
        options.run = try room.run()
        options.run.command = command
        do {
            options.run.path = try CommandPath.find(command[0])
        } catch {
            note("spiral: \(command[0]): \(error.text)")
            throw ExitCode(error.exitStatus)
        }
        let output = try dials.json.map { try JSONOutput($0) }
        let page = try dials.report.map { try JSONOutput($0, option: "--report") }
        let (exit, result) = try run(options)
        for line in dials.quiet ? result.failedClaims : result.summary { note(line) }
        try JSONOutput.each([{ try output?.write(result) }, { try page?.write(HTMLPage.report(result)) }])
        guard result.expectations.allSatisfy(\.pass) else { throw ExitCode(ExitStatus.failed.rawValue) }
        switch exit {
        case .status(let status): throw ExitCode(status)
        case .signal(let number): throw ExitCode(128 + number)
        }
    }

    private func change(_ process: Int32) throws {
        let output = try JSONOutput(dials.json ?? "-")
        do {
            try output.write(ControlRequest(changes: dials.changes).send(to: process))
        } catch let error as ControlRequest.Failure {
            throw Refusal(error.isRefusal ? .usage : .machine, "--control: \(error.message)")
        }
    }

    private func run(_ options: ExecSession.Options) throws -> (exit: ProcessExit, result: ExecResult) {
        let session = ExecSession(options, .hold()) { note("spiral exec: \($0)") }
        do {
            return try session.run()
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
