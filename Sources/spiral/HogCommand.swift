internal import ArgumentParser
internal import Commands
internal import Exec
internal import POSIX
internal import Testbed
internal import Units

struct HogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hog",
        abstract:
            "Hold all ephemeral ports but some, in a network namespace it is pointed at: port exhaustion as a fault.",
        discussion: """
            Holds the ports of one source address, or of all, and leaves as many free as asked. What other programs give \
            back meanwhile is taken too. Bound sockets also keep those ports from connects without an address, as an \
            exhausted client's do. They are given back when it ends, however it ends; those in TIME_WAIT, the truer form, \
            by the kernel within 60 s of their close.

              spiral hog --leave 200 --pid "$(pidof -s my-server)" --for 60s
              spiral exec -- sh -c 'spiral hog --leave 10 --for 1h & ./client'

            Exit status 0 when the time is over or on Ctrl-C, 2 for wrong usage, 3 if this machine cannot do it.
            """
    )

    @Option(help: ArgumentHelp("Ephemeral ports to leave free.", valueName: "number"))
    var leave: Int?

    @Option(help: ArgumentHelp("Hold the ports of this address only.", valueName: "ip"))
    var source: String?

    @Option(help: ArgumentHelp("A process, whose network namespace it is.", valueName: "pid"))
    var pid: Int32?

    @Option(help: ArgumentHelp("A network namespace by its name, as in 'ip netns list'.", valueName: "name"))
    var netns: String?

    @Option(name: .customLong("for"), help: "How long.")
    var duration = "60s"

    @Option(
        help:
            "What holds a port: bound (a socket) or time-wait (a closed connection, of 127.0.0.1 if no address is named)."
    )
    var form = HeldPorts.Form.bound.rawValue

    @Flag(help: "Do it on the machine's own network: its programs lose their ports.")
    var hostNetwork = false

    @Option(help: .hidden)
    var part: String?

    func validate() throws {
        guard part == nil else { return }
        _ = try hog()
        guard pid == nil || netns == nil else {
            throw ValidationError("--pid and --netns each name a namespace; use one")
        }
        guard pid.map({ $0 > 0 }) ?? true else { throw ValidationError("--pid: use the id of a process") }
        guard netns.map({ !$0.isEmpty && !$0.contains("/") && !$0.hasPrefix(".") }) ?? true else {
            throw ValidationError("--netns: '\(netns ?? "")' is not a name as 'ip netns list' has them")
        }
    }

    func run() throws {
        if let part { return try keep(part) }
        Signals.holdTermination()
        let target: HogTarget = pid.map { .process($0) } ?? netns.map { .named($0) } ?? .own
        guard hostNetwork || !target.isHost else {
            throw Refusal(
                .usage,
                "hog: that is the machine's own network: all its programs would lose their ports; point it at a namespace with "
                    + "--pid or --netns, or say --host-network"
            )
        }
        do {
            guard let program = ProgramPath.itself else {
                throw TestbedError("this program does not find itself in /proc")
            }
            try target.enter()
            try hog().hold(helper: (program, ["hog", "--part"])) { holding in
                note(
                    "hog: \(holding.held) ports of \(source ?? (form == "time-wait" ? "127.0.0.1" : "all addresses")) held, "
                        + "\(holding.left) left free, \(holding.others) in use by others; for \(duration)"
                )
            }
        } catch let error as TestbedError {
            throw Refusal(.machine, "hog: \(error)")
        }
        note(
            form == "time-wait"
                ? "hog: ended; the kernel gives the last ports back within 60 s"
                : "hog: ended; all ports are given back"
        )
    }

    private func keep(_ part: String) throws {
        guard let part = PortHog.Part(text: part) else { throw Refusal(.usage, "--part: '\(part)' is none") }
        do {
            try part.keep()
        } catch {
            throw Refusal(.machine, error.description)
        }
    }

    private func hog() throws -> PortHog {
        guard let leave, leave >= 0 else {
            throw ValidationError("--leave: say how many ports to leave free, 0 or more")
        }
        var hog = PortHog(leave: leave)
        hog.source = try source.map { text in
            guard let address = IPv4Address(text: text), address.value != 0 else {
                throw ValidationError("--source: '\(text)' is not an IPv4 address")
            }
            return address
        }
        guard let form = HeldPorts.Form(rawValue: form) else {
            throw ValidationError("--form: '\(form)' is not a form: use bound or time-wait")
        }
        hog.form = form
        hog.duration = try readOption("--for", duration, as: Duration.init(text:))
        guard hog.duration > .zero else { throw ValidationError("--for: use a time above zero") }
        return hog
    }
}
