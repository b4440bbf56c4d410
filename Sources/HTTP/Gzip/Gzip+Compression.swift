internal import FoundationEssentials

extension Gzip {
    /// Bytes that are compressed at a time: some milliseconds' work.
    private static let partSize = 256 << 10

    /// Compresses a body in blocks. A large one is compressed on as many cores as there are, by tasks that let others go
    /// first after each part.
    package static func compress(_ blocks: [[UInt8]]) async -> [[UInt8]] {
        let runs = runs(of: blocks)
        if runs.count <= 1 { return GzipPart.stream(of: [GzipPart(blocks[...])]) }
        let tasks = min(runs.count, ProcessInfo.processInfo.activeProcessorCount)
        let parts = await withTaskGroup { group in
            for task in 0..<tasks {
                group.addTask {
                    var parts: [(index: Int, part: GzipPart)] = []
                    for index in stride(from: task, to: runs.count, by: tasks) {
                        parts.append((index, GzipPart(blocks[runs[index]])))
                        await Task.yield()
                    }
                    return parts
                }
            }
            return await group.reduce(into: []) { $0 += $1 }.sorted { $0.index < $1.index }
        }
        return GzipPart.stream(of: parts.map(\.part))
    }

    /// Neighbours that are compressed together.
    private static func runs(of blocks: [[UInt8]]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var (start, bytes) = (0, 0)
        for (index, block) in blocks.enumerated() {
            bytes += block.count
            guard bytes >= partSize || index == blocks.count - 1 else { continue }
            runs.append(start..<index + 1)
            (start, bytes) = (index + 1, 0)
        }
        return runs
    }
}
