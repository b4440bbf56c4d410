package import POSIX

/// Small files that the kernel makes up as they are read: /proc and /sys. proc(5)
package enum KernelFile {
    /// - Throws: ``SystemCallError`` when the file cannot be opened or read.
    package static func read(_ path: String) throws(SystemCallError) -> String {
        let file = try Descriptor.reading(path)
        var bytes: [UInt8] = []
        while true {
            let more = try file.readSome(upTo: 16 << 10)
            if more.isEmpty { break }
            bytes += more
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// - Throws: ``SystemCallError`` when the kernel refuses the text.
    package static func write(_ text: String, to path: String) throws(SystemCallError) {
        let file = try Descriptor.writing(path)
        _ = try file.write(Array(text.utf8)[...])
    }

    /// The value of a `name: value` or `name value` line, as /proc/PID/status and cgroup files have them.
    package static func field(_ name: String, of text: String) -> Substring? {
        for line in text.split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == ":" })
            if words.first == name[...] { return words.dropFirst().first }
        }
        return nil
    }
}
