internal import Glibc
internal import KernelProbe
package import POSIX
package import Testbed
internal import Units

/// Holds all ephemeral ports of a source address but some, for a while: the fault that port exhaustion is.
///
/// One process may have fewer descriptors than there are ports: helpers, which are this program again, hold a part
/// each. They end with it, however it ends, and the kernel gives bound ports back then.
package struct PortHog: Sendable {
    /// Ports to leave free.
    package var leave: Int
    /// Nil for all addresses.
    package var source: IPv4Address?
    package var form = HeldPorts.Form.bound
    package var duration = Duration.seconds(60)

    package init(leave: Int) {
        self.leave = leave
    }

    /// Descriptors a helper keeps for itself.
    private static let ownDescriptors = 64
    /// How often what others gave back is taken.
    private static let interval = Duration.milliseconds(200)

    /// What is held, and what is not.
    package struct Holding: Sendable {
        package var held: Int
        package var left: Int
        /// Ports of the range that others have.
        package var others: Int
    }

    /// Holds the ports of the calling thread's network namespace until the time is over or a signal comes.
    /// - Parameters:
    ///   - helper: the program's path, and its arguments before those of ``Part``.
    ///   - began: called once they are held.
    /// - Throws: ``TestbedError``
    package func hold(helper: (path: String, arguments: [String]), began: (Holding) -> Void) throws(TestbedError) {
        let ports: [UInt16]
        do {
            ports = try Self.usablePorts()
        } catch {
            throw TestbedError("the port range cannot be read: \(error)")
        }
        guard leave < ports.count else {
            throw TestbedError("--leave: there are no more than \(ports.count) ephemeral ports here; leave fewer")
        }
        // The lowest free ones are left.
        var free = 0
        var first = 0
        while first < ports.count, free < leave {
            if HeldPorts.isFree(ports[first], of: address) { free += 1 }
            first += 1
        }
        let mine = ports[first...]
        let share = form == .timeWait ? mine.count : max(1, DescriptorLimit.current.hard - Self.ownDescriptors)
        var helpers: [Helper] = []
        var rest = mine
        while let lowest = rest.first {
            let part = rest.prefix(share)
            rest = rest.dropFirst(share)
            helpers.append(
                try Helper(helper, Part(lowest: lowest, highest: part.last ?? lowest, source: source, form: form))
            )
        }
        var held = 0
        for helper in helpers { held += try helper.waitUntilHolding() }
        began(Holding(held: held, left: free, others: ports.count - held - free))
        _ = Signals.waitForTermination(upTo: duration)
        // They end as they are let go of.
        helpers = []
    }

    private var address: IPv4Address? { form == .timeWait ? source ?? .loopback : source }

    /// The ports that are chosen among.
    private static func usablePorts() throws(SystemCallError) -> [UInt16] {
        try PortRange.current().usable.ranges.flatMap { Array($0) }
    }

    /// What one helper holds: written and read as an argument.
    package struct Part: Sendable {
        var lowest: UInt16
        var highest: UInt16
        var source: IPv4Address?
        var form: HeldPorts.Form

        var text: String { "\(lowest):\(highest):\(source.map { "\($0)" } ?? "all"):\(form.rawValue)" }

        init(lowest: UInt16, highest: UInt16, source: IPv4Address?, form: HeldPorts.Form) {
            self.lowest = lowest
            self.highest = highest
            self.source = source
            self.form = form
        }

        /// Nil for a text that is none.
        package init?(text: String) {
            let parts = text.split(separator: ":").map(String.init)
            guard parts.count == 4, let lowest = UInt16(parts[0]), let highest = UInt16(parts[1]), lowest <= highest,
                let form = HeldPorts.Form(rawValue: parts[3])
            else { return nil }
            self.init(lowest: lowest, highest: highest, source: IPv4Address(text: parts[2]), form: form)
        }

        /// Takes the ports, says how many on standard output, and keeps them until the process is ended.
        /// - Throws: ``TestbedError``
        package func keep() throws(TestbedError) {
            DescriptorLimit.raise()
            let mine: [UInt16]
            var ports: HeldPorts
            do {
                mine = try PortHog.usablePorts().filter { (lowest...highest).contains($0) }
                let budget = try PortRange.current()
                ports = try HeldPorts(form, of: source, outside: budget.lowestPort...budget.highestPort)
            } catch {
                throw TestbedError("ports cannot be held: \(error)")
            }
            ports.take(mine)
            let line = Array("\(ports.count)\n".utf8)
            _ = line.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
            while true {
                sleepThread(for: PortHog.interval)
                ports.take(mine)
            }
        }
    }

    /// A process that holds a part.
    private final class Helper {
        private let process: ChildProcess
        private let output: Descriptor

        init(_ program: (path: String, arguments: [String]), _ part: Part) throws(TestbedError) {
            do {
                let pipe = try Pipe()
                process = try ChildProcess(
                    program.path,
                    program.arguments + [part.text],
                    output: pipe.writeEnd.rawValue,
                    descriptorLimit: UInt64(DescriptorLimit.current.hard)
                )
                output = pipe.closingWriteEnd()
            } catch {
                throw TestbedError("a helper process cannot be started: \(error)")
            }
        }

        /// - Returns: how many ports it has.
        /// - Throws: ``TestbedError`` when it ended instead.
        func waitUntilHolding() throws(TestbedError) -> Int {
            let bytes = (try? output.readSome(upTo: 4096)) ?? []
            let text = String(decoding: bytes, as: UTF8.self).trimmingNewline
            guard let count = Int(text) else { throw TestbedError(text.isEmpty ? "a helper process ended" : text) }
            return count
        }
    }
}

extension String {
    fileprivate var trimmingNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
