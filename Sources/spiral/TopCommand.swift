internal import ArgumentParser
internal import Commands
internal import HTTP
internal import POSIX
internal import PostRecords
internal import Reports
internal import Testbed

struct TopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top",
        abstract: "Rank the callers of a spiral-server by URIs a second, and show the ports it takes.",
        discussion: """
            Reads /debug/clients of the admin listener. Rates are over the last ten seconds; a caller is named by \
            x-atlantis-caller, else User-Agent, else its address. Below them are the ports of connections to memcached, \
            busiest first, with the columns of 'spiral ports'.
            """
    )

    @Option(help: ArgumentHelp("Admin listener of the server.", valueName: "host:port"))
    var admin = "127.0.0.1:8081"

    @Option(help: ArgumentHelp("A file whose first line is the token that the server wants.", valueName: "path"))
    var adminTokenFile: String?

    @Option(help: "Callers shown at most.")
    var most = 20

    @OptionGroup
    var watch: WatchOptions

    @Option(help: ArgumentHelp("Where to write the last sample as JSON; - for standard output.", valueName: "path"))
    var json: String?

    func validate() throws {
        _ = try address()
        guard most > 0 else { throw ValidationError("--most: use a number of 1 or more") }
    }

    func run() throws {
        Signals.holdTermination()
        Signals.ignoreBrokenPipes()
        let output = try json.map { try JSONOutput($0) }
        let screen = Screen(output: 1)
        var admin = AdminClient(try address(), token: try token())
        var last: ClientRanking?
        try watch.repeatedly(watch.count) { _ in
            let ranking: ClientRanking
            do {
                ranking = try admin.clients()
            } catch {
                throw Refusal(.machine, "\(error); --admin names the admin listener of a running spiral-server")
            }
            last = ranking
            guard json != "-" else { return true }
            screen.redraw(ClientReport.lines(ranking, most: most, width: screen.width))
            return screen.failure == nil
        }
        try JSONOutput.each([screen.checkWritten, { if let last { try output?.write(last) } }])
    }

    private func token() throws(Refusal) -> AccessToken? {
        do throws(AccessToken.Problem) {
            return try adminTokenFile.map { path throws(AccessToken.Problem) in try .read(from: path) }
        } catch {
            throw Refusal(.usage, "--admin-token-file: \(error)")
        }
    }

    private func address() throws -> SocketAddress {
        guard let address = SocketAddress(text: admin), address.port != nil else {
            throw ValidationError(
                "--admin: '\(admin)' is not HOST:PORT with a numeric address, [ADDRESS]:PORT for IPv6"
            )
        }
        return address
    }
}
