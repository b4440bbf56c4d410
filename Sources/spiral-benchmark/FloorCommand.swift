internal import ArgumentParser
internal import LoadGenerator
internal import Memcached
internal import POSIX

/// Times what no server on this machine can do better than: the same gets with nothing around them.
struct FloorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "floor",
        abstract: "Times 20,000 gets with nothing around them: over bare sockets, and as libmemcached's multiget."
    )

    @Option(help: "memcached, which is given the posts first.")
    var memcached = "127.0.0.1:11211"

    @Option(help: "Measurements of each.")
    var runs = 7

    private static let posts = 20_000

    func validate() throws {
        guard (1...1000).contains(runs) else { throw ValidationError("--runs: use a number from 1 to 1000") }
    }

    func run() throws {
        let servers = try ServerList(text: memcached)
        let workload = Workload(seed: 1, count: Self.posts)
        try Preload.run(workload, into: servers)
        let sockets = try BareSockets(to: servers.addresses[0], threads: 2, connections: 64)
        let uris = workload.uris
        try sockets.get(uris)
        let bare = try Timings(runs, in: .milliseconds(1)) { try sockets.get(uris) }
        print("one get a key, 64 at once over bare sockets, replies not even read apart (a floor)\n  ms: \(bare.text)")
        let handle = BareMultiget(to: servers.addresses[0])
        try handle.get(uris, chunk: 500)
        let multiget = try Timings(runs, in: .milliseconds(1)) { try handle.get(uris, chunk: 500) }
        print("multiget:500 of libmemcached alone, one after another on one connection\n  ms: \(multiget.text)")
    }
}
