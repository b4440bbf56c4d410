internal import ArgumentParser
internal import Commands
internal import Exec
internal import HTTP
internal import LoadGenerator
internal import Memcached
internal import POSIX
internal import Results
internal import Units

/// Somebody's own server for `spiral sweep`, and what it is asked.
struct ServiceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Your own server in place of spiral-server, as in './server --limit {limit}': the names of --vary and --set stand "
                + "in braces. It stays in the foreground, and no shell runs it.",
            valueName: "command"
        )
    )
    var server: String?

    @Option(
        name: .customLong("with"),
        help: ArgumentHelp(
            "A command to start beside --server first, as in 'memcached -u root'. May be repeated.",
            valueName: "command"
        )
    )
    var companions: [String] = []

    @Option(
        help: ArgumentHelp(
            "--server is up when it listens on this port; without it, the port of --target.",
            valueName: "port"
        )
    )
    var ready: String?

    @Option(help: "How long that may take.")
    var readyTimeout = "30s"

    @Option(
        help: ArgumentHelp(
            "What is asked of --server, over loopback; with a path it is asked there in place of GetPostRecords' own.",
            valueName: "url"
        )
    )
    var target: String?

    @Option(
        help: ArgumentHelp(
            "Send --server plain requests in place of batches of URIs, as spiral-load does: GET, POST or another method.",
            valueName: "method"
        )
    )
    var method: String?

    @Option(
        name: .customLong("header"),
        help: ArgumentHelp("A header field of what is sent to --server. May be repeated.", valueName: "field")
    )
    var headers: [String] = []

    @Option(help: ArgumentHelp("The body of plain requests, out of a file.", valueName: "path"))
    var bodyFile: String?

    @Option(
        help: ArgumentHelp(
            "memcached servers of --with that get all posts first: what has no record then is incomplete.",
            valueName: "list"
        )
    )
    var preload: String?

    /// Nil without --server.
    func plan() throws -> ServicePlan? {
        guard let server else {
            let others = [
                ("--with", !companions.isEmpty), ("--ready", ready != nil), ("--target", target != nil),
                ("--method", method != nil), ("--header", !headers.isEmpty), ("--body-file", bodyFile != nil),
                ("--preload", preload != nil),
            ]
            if let option = others.first(where: \.1)?.0 {
                throw ValidationError("\(option) is for a server of your own; add --server 'COMMAND'")
            }
            return nil
        }
        let port = try ready.map { text in
            guard let port = UInt16(text), port > 0 else {
                throw ValidationError("--ready: '\(text)' is not a port; use a number from 1 to 65535")
            }
            return port
        }
        let timeout = try readOption("--ready-timeout", readyTimeout, as: Duration.init(text:))
        guard timeout > .zero, timeout <= .seconds(3600) else {
            throw ValidationError("--ready-timeout: use more than 0s, and up to 1h")
        }
        guard let url = target ?? port.map({ "http://127.0.0.1:\($0)" }) else {
            throw ValidationError("say where --server listens, with --ready PORT")
        }
        let request = RequestText(target: url, method: method, headers: headers, bodyFile: bodyFile)
        let address = try asked(request)
        if let preload {
            guard !request.isPlain else { throw ValidationError("--preload is for batches of URIs; leave it out") }
            _ = try readOption("--preload", preload, as: ServerList.init(text:))
        }
        for command in companions { _ = try readOption("--with", command, as: CommandTemplate.init(text:)) }
        _ = try readOption("--server", server, as: CommandTemplate.init(text:))
        return ServicePlan(
            server: server,
            companions: companions,
            ready: port ?? address,
            readyTimeout: timeout,
            request: request,
            preload: preload
        )
    }

    /// The port that is asked.
    private func asked(_ request: RequestText) throws -> UInt16 {
        do {
            let addresses = try request.form().addresses
            if let other = addresses.first(where: { !$0.isLoopback }) {
                throw ValidationError("--target: \(other) is not in the cell, which has its own loopback only")
            }
            return addresses[0].port!
        } catch let problem as RequestText.Problem {
            throw ValidationError("\(problem)")
        }
    }

    /// Whether all commands are there, whatever is put into them.
    /// - Throws: ``Refusal`` naming the first that is not.
    static func checkCommands(of plan: SweepPlan) throws {
        guard let service = plan.service, let templates = try? service.templates() else { return }
        let options = service.companions.map { _ in "--with" } + ["--server"]
        for (option, template) in zip(options, templates) {
            let names = template.placeholders.isEmpty ? [plan.grid[0]] : plan.grid
            for name in Set(names.compactMap { template.words(plan.placeholders($0)).first }) {
                do {
                    _ = try CommandPath.find(name)
                } catch {
                    throw Refusal(.usage, "\(option): \(name): \(error.text)")
                }
            }
        }
    }
}
