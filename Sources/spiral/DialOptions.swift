internal import ArgumentParser
internal import Commands
internal import Exec
internal import Units

/// What `spiral exec` does to the dials of its program, and tells of them.
struct DialOptions: ParsableArguments {
    @Option(
        help:
            "Addresses dialled from and to, over loopback: kernel (as they are), bind:IP, rotate, rotate:PREFIX or rotate-destination."
    )
    var dialer: String?

    @Option(help: "Let connect() choose the port of a bound address (IP_BIND_ADDRESS_NO_PORT): true or false.")
    var lateBind: String?

    @Option(
        help: ArgumentHelp(
            "Ports its dials may get, as in 40000-41023 (IP_LOCAL_PORT_RANGE, Linux 6.3).",
            valueName: "lo-hi"
        )
    )
    var localPortRange: String?

    @Option(
        help: ArgumentHelp("Dials in progress at once: further connects wait until one has ended.", valueName: "number")
    )
    var maxDialling: String?

    @Option(
        help: ArgumentHelp(
            "Makes a share of calls fail, as in connect:ECONNREFUSED@5% or bind:EADDRINUSE@1%. May be repeated.",
            valueName: "call:errno@share"
        )
    )
    var fail: [String] = []

    @Option(
        help: ArgumentHelp(
            "Claims that the result is to meet, as in 'dials.failed == 0', 'portsPeak < 20%' or 'dialsPerSecond < 50'. "
                + "May be repeated.",
            valueName: "claim"
        )
    )
    var expect: [String] = []

    @Option(help: ArgumentHelp("Where to write the result as JSON; - for standard output.", valueName: "path"))
    var json: String?

    @Option(
        help: ArgumentHelp(
            "Where to write the report, one HTML file with dials and ports over time; - for standard output.",
            valueName: "path"
        )
    )
    var report: String?

    @Flag(help: "Write a line of figures to standard error each second.")
    var progress = false

    @Flag(help: "Write nothing to standard error but claims that do not hold.")
    var quiet = false

    @Flag(
        name: .customLong("no-accounting"),
        help: "Leave the program's system calls alone: nothing is counted or changed."
    )
    var noAccounting = false

    func validate() throws {
        let options = try session()
        guard options.isAccounting || (options.expectations.isEmpty && changes.isEmpty) else {
            throw ValidationError("--no-accounting leaves out what --expect and the options about dials need")
        }
    }

    func session() throws -> ExecSession.Options {
        var options = ExecSession.Options()
        options.isAccounting = !noAccounting
        options.showsProgress = progress
        for (name, text) in changes {
            _ = try readOption("--\(name)", text) { text in try options.policy.set(name, to: text) }
        }
        options.expectations = try expect.map { try readOption("--expect", $0, as: ExecExpectation.init(text:)) }
        return options
    }

    /// The settings of dials that are given, by name.
    var changes: [(name: String, text: String)] {
        [
            ("dialer", dialer), ("late-bind", lateBind), ("local-port-range", localPortRange),
            ("max-dialling", maxDialling),
            ("fail", fail.isEmpty ? nil : fail.joined(separator: ",")),
        ].compactMap { name, text in text.map { (name, $0) } }
    }
}
