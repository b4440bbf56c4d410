internal import ArgumentParser
internal import FanOut
internal import HTTP
internal import LoadGenerator
internal import POSIX
internal import PostRecords
internal import Units

/// Times what is done to a large request before anything is looked up of it.
struct RequestsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "requests",
        abstract: "Times the reading of 20,000 URIs from the body of a request: in JSON, protobuf, and out of gzip."
    )

    @Option(help: "Measurements of each.")
    var runs = 7

    private static let posts = 20_000

    func validate() throws {
        guard (1...1000).contains(runs) else { throw ValidationError("--runs: use a number from 1 to 1000") }
    }

    func run() async throws {
        let workload = Workload(seed: 1, count: Self.posts)
        for codec in Codec.allCases {
            var body: [UInt8] = []
            workload.append(.neighbours(first: 0, size: Self.posts), in: codec, to: &body)
            let packed = Array(await Gzip.compress([body]).joined())
            func read() throws {
                guard KeyList.readable(body, in: codec)?.count == Self.posts else {
                    throw ValidationError("the body of the benchmark cannot be read")
                }
            }
            try read()
            let reading = try Timings(runs, in: .milliseconds(1)) { try read() }
            let unpacking = try Timings(runs, in: .milliseconds(1)) {
                _ = try Gzip.decompress(packed, limit: body.count)
            }
            print("a request for 20,000 URIs in \(codec.rawValue), \(body.count) bytes, \(packed.count) in gzip")
            print("  ms to read: \(reading.text)  to decompress: \(unpacking.text)")
        }
    }
}
