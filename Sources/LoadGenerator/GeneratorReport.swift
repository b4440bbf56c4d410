internal import Units

/// What the generator itself used, and had.
package struct GeneratorReport: Codable, Sendable, Equatable {
    /// Processor time of the whole process, in seconds.
    package var cpuSeconds: Double
    /// Of one processor over the time of the load: of the process, and of the thread that sends.
    package var cpuPercent: Double
    package var senderCpuPercent: Double
    package var threads: Int
    package var rssPeakBytes: Int
    package var descriptorLimit: Int
    /// Ephemeral ports of one source address; nil where the kernel did not say.
    package var portsPerSource: Int?
    /// Addresses connections came from.
    package var sources: Int

    package init(
        used: Duration,
        bySender sender: Duration,
        over elapsed: Duration,
        threads: Int,
        peakBytes: Int,
        machine: MachineLimits
    ) {
        let elapsed = max(elapsed.inSeconds, 1e-9)
        cpuSeconds = used.inSeconds
        cpuPercent = 100 * used.inSeconds / elapsed
        senderCpuPercent = 100 * sender.inSeconds / elapsed
        self.threads = threads
        rssPeakBytes = peakBytes
        descriptorLimit = machine.descriptors
        portsPerSource = machine.portsPerSource
        sources = machine.sources
    }
}
