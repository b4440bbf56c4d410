internal import FoundationEssentials
internal import Glibc
internal import KernelProbe
internal import LoadGenerator
internal import Memcached
internal import POSIX

extension Environment {
    /// This machine as the calling thread sees it, after the stage is set.
    init(_ stage: Stage, seed: UInt64, clients: [ClientSpec], arguments: [String]) {
        let release = (try? KernelFile.read("/proc/sys/kernel/osrelease")) ?? "unknown"
        self.init(
            kernel: String(release.prefix { $0 != "\n" }),
            cores: sysconf(CInt(_SC_NPROCESSORS_ONLN)),
            memcached: Executables.onPath("memcached").map { Self.memcachedVersion($0) } ?? "unknown",
            libmemcached: LibraryVersion.running,
            network: stage.network,
            portRange: [stage.ports.lowestPort, stage.ports.highestPort],
            tcpTwReuse: (try? Sysctl.read("net.ipv4.tcp_tw_reuse")) ?? "unknown",
            nofile: DescriptorLimit.current.hard,
            seed: seed,
            clients: clients.map(\.description),
            memoryLimit: nil,
            spiral: RunResult.currentSchema,
            arguments: arguments,
            date: Date().ISO8601Format()
        )
    }

    /// What `memcached -V` says, without the name.
    static func memcachedVersion(_ path: String) -> String {
        let text = (try? ChildProcess.output(of: path, ["-V"])) ?? ""
        return text.split(whereSeparator: { $0 == " " || $0 == "\n" }).last.map { String($0) } ?? "unknown"
    }
}
