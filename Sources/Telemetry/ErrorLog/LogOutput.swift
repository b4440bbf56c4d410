internal import Glibc
internal import POSIX
internal import Synchronization
internal import Units

/// A sink that is open: takes lines, one write(2) each, from any thread, and counts what became of them.
final class LogOutput: Sendable {
    private let descriptor: Descriptor
    private let sink: LogSink
    let counts: LogCounts
    private let reader: PipeReader?
    private let isFailing = Atomic<Bool>(false)

    /// - Throws: ``LogSinkError`` when the sink cannot be opened.
    init(_ sink: LogSink, counts: LogCounts) throws(LogSinkError) {
        self.sink = sink
        self.counts = counts
        if case .file(let path) = sink {
            descriptor = try Self.open(path)
            reader = nil
            return
        }
        do throws(SystemCallError) {
            guard case .pipe(let rate) = sink else {
                descriptor = try .duplicate(of: 2)
                reader = nil
                return
            }
            let pipe = try Pipe()
            descriptor = try .duplicate(of: pipe.writeEnd.rawValue)
            reader = try PipeReader.start(pipe.closingWriteEnd(), bytesPerSecond: rate)
        } catch {
            throw LogSinkError(description: "open \(sink): \(error)")
        }
    }

    private static func open(_ path: String) throws(LogSinkError) -> Descriptor {
        guard let number = StandardStreams.number(of: path) else { return try LogFile.open(path) }
        do {
            return try .duplicate(of: number)
        } catch {
            throw LogSinkError(description: "open \(path): \(error)")
        }
    }

    /// Hands a line to the kernel, however long that takes. A line it does not take whole is dropped.
    /// - Parameter isNotice: whether it is about error lines, and no error's own.
    func write(_ line: [UInt8], isNotice: Bool = false) {
        do {
            let result = try descriptor.write(line[...])
            guard result == .done(line.count) else { throw SystemCallError("write", errno: ENOSPC) }
            (isNotice ? counts.notices : counts.written).add()
            isFailing.store(false, ordering: .relaxed)
        } catch {
            if !isNotice { counts.dropped.add() }
            // Once for each time the sink begins to fail, and not to the sink itself.
            guard !isFailing.exchange(true, ordering: .relaxed), sink != .standardError else { return }
            StandardError.print("log-sink \(sink): cannot \(error); lines are dropped and counted until it works again")
        }
    }

    /// Ends the reader of a pipe, which ends the waits of those who write to it.
    func close() {
        reader?.stop()
    }

    deinit {
        close()
    }
}

/// What became of error lines.
package struct LogCounts: Sendable {
    /// Handed to the kernel whole.
    package let written = Counter()
    /// Not taken: by the sink, or by a buffer that was full.
    package let dropped = Counter()
    /// Left out on purpose, by `sampled` and `metrics`.
    package let suppressed = Counter()
    /// Lines that say how many others were left out, handed to the kernel; no error's own.
    package let notices = Counter()
    /// Lines that a failed lookup waits for at this moment, in mode `blocking`.
    package let waiting = PeakGauge()
}

/// Reads a pipe at a set rate and throws away what it reads.
private final class PipeReader: Sendable {
    private static let tick = Duration.milliseconds(10)
    // Nil once it is closed.
    private let readEnd: Mutex<Descriptor?>
    private let stopping = Atomic<Bool>(false)

    /// - Throws: ``SystemCallError`` when its thread cannot be started.
    static func start(_ readEnd: consuming Descriptor, bytesPerSecond: Int) throws(SystemCallError) -> PipeReader {
        let reader = PipeReader(readEnd)
        try Thread(name: "log-pipe", stackBytes: 256 << 10) { reader.run(bytesPerSecond: bytesPerSecond) }.detach()
        return reader
    }

    private init(_ readEnd: consuming Descriptor) {
        self.readEnd = Mutex(readEnd)
    }

    func stop() {
        stopping.store(true, ordering: .relaxed)
    }

    /// Closes its end soon after ``stop()``; what writes to the pipe then gets EPIPE.
    private func run(bytesPerSecond: Int) {
        defer { readEnd.withLock { $0 = nil } }
        var due = MonotonicInstant.now
        var allowance = 0.0
        while !stopping.load(ordering: .relaxed) {
            due = due + Self.tick
            sleepThread(until: due)
            allowance = min(allowance + Double(bytesPerSecond) * Self.tick.inSeconds, Double(bytesPerSecond))
            let most = Int(allowance)
            let taken = readEnd.withLock { readEnd -> Int in
                guard most > 0, let end = readEnd.take() else { return 0 }
                let count = end.isReadable ? ((try? end.readSome(upTo: most).count) ?? 0) : 0
                readEnd = consume end
                return count
            }
            allowance -= Double(taken)
        }
    }
}
