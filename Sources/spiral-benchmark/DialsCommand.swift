internal import ArgumentParser
internal import Glibc
internal import POSIX
internal import Synchronization

/// Times dials, and a transfer over one of them, as any program makes them: under `spiral exec` and without.
struct DialsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dials",
        abstract:
            "Times connects to a listener: the median of one thread's, dials a second of several, and 1 GiB of data."
    )

    @Option(help: "Where somebody listens.")
    var to = "127.0.0.1:11211"

    @Option(help: "Dials of the one thread, and of all.")
    var count = 4000

    @Option(help: "Threads that dial at once, for the rate.")
    var threads = 4

    private static let transferBytes = 1 << 30

    func validate() throws {
        guard SocketAddress(text: to) != nil else { throw ValidationError("--to: '\(to)' is not HOST:PORT") }
        guard count > 0, (1...64).contains(threads) else {
            throw ValidationError("--count and --threads: use 1 or more")
        }
    }

    /// Prints three numbers: microseconds a dial at the median, dials a second, and seconds for 1 GiB.
    func run() throws {
        DescriptorLimit.raise()
        let address = SocketAddress(text: to)!
        let single = try (0..<count).map { _ in try Self.dial(address) }.sorted()
        let began = MonotonicInstant.now
        let failed = Atomic<Int>(0)
        let left = Atomic<Int>(threads)
        for _ in 0..<threads {
            try Thread(name: "dialler") { [count, threads] in
                for _ in 0..<count / threads {
                    if (try? Self.dial(address)) == nil { failed.add(1, ordering: .relaxed) }
                }
                left.subtract(1, ordering: .releasing)
            }.detach()
        }
        while left.load(ordering: .acquiring) > 0 { sleepThread(for: .microseconds(200)) }
        let rate = Double(count / threads * threads) / ((MonotonicInstant.now - began) / .seconds(1))
        guard failed.load(ordering: .relaxed) == 0 else { throw ValidationError("dials failed") }
        print(single[count / 2], Int(rate), try Self.transfer())
    }

    /// Microseconds of connect() alone.
    private static func dial(_ address: SocketAddress) throws(SystemCallError) -> Double {
        let began = MonotonicInstant.now
        let socket = try Socket.connected(to: address, timeout: .seconds(10))
        let time = (MonotonicInstant.now - began) / .microseconds(1)
        socket.finishSending()
        return time
    }

    /// Seconds for 1 GiB over one connection.
    private static func transfer() throws -> Double {
        let listener = try Socket.listening(on: .ipv4(.loopback, port: 0), backlog: 1)
        let address = try listener.localAddress()
        let sender = try Socket.connected(to: address, timeout: .seconds(60))
        var accepted = try listener.accept()
        while accepted == nil { accepted = try listener.accept() }
        let raw = try Descriptor.duplicate(of: sender.rawValue).release()
        let began = MonotonicInstant.now
        try Thread(name: "sender") {
            let descriptor = Descriptor(owning: raw)
            let chunk = [UInt8](repeating: 7, count: 1 << 20)
            for _ in 0..<transferBytes / chunk.count { try? descriptor.writeAll(chunk) }
            shutdown(descriptor.rawValue, CInt(SHUT_WR))
        }.detach()
        guard let receiver = accepted.take() else { return 0 }
        _ = fcntl(receiver.rawValue, F_SETFL, fcntl(receiver.rawValue, F_GETFL) & ~O_NONBLOCK)
        var received = 0
        withUnsafeTemporaryAllocation(byteCount: 1 << 20, alignment: 16) { space in
            while true {
                let count = read(receiver.rawValue, space.baseAddress!, space.count)
                if count <= 0 { break }
                received += count
            }
        }
        precondition(received == transferBytes)
        return (MonotonicInstant.now - began) / .seconds(1)
    }
}
