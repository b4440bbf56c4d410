internal import ArgumentParser
internal import POSIX

/// Fills the kernel's socket table with TIME_WAIT, which last 60 s and take no descriptors.
struct TimeWaitsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "time-waits",
        abstract: "Leaves sockets in TIME_WAIT behind: connections over loopback that their dialer closes first.",
        discussion: "Each source address of 127.16.0.0/12 holds 10,000. Prints how many were made."
    )

    @Option(help: "Sockets to leave behind.")
    var count = 10_000

    private static let perSource = 10_000

    func validate() throws {
        guard (1...1_000_000).contains(count) else { throw ValidationError("--count: use 1 to 1,000,000") }
    }

    func run() throws {
        let listener = try Socket.listening(on: .ipv4(.loopback, port: 0), backlog: 16)
        let address = try listener.localAddress()
        for index in 0..<count {
            let source = IPv4Address(value: 0x7f10_0001 + UInt32(index / Self.perSource))
            let dialed = try Socket.connected(to: address, from: IPAddress(source), timeout: .seconds(10))
            // In this order: the end that sends its FIN first holds the TIME_WAIT.
            dialed.finishSending()
            _ = try listener.accept()
        }
        print(count)
    }
}
