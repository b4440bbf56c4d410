package import POSIX

/// Small files that the kernel makes up as they are read: /proc and /sys. proc(5)
package enum KernelFile {
    /// - Parameter step: bytes asked for at once. Of some files the kernel hands out what fits and then says it is the end.
    /// - Throws: ``SystemCallError`` when the file cannot be opened or read.
    package static func read(_ path: String, step: Int = 16 << 10) throws(SystemCallError) -> String {
        let file = try Descriptor.reading(path)
        var bytes: [UInt8] = []
        while true {
            let more = try file.readSome(upTo: step)
            if more.isEmpty { break }
            bytes += more
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// - Throws: ``SystemCallError`` when the kernel refuses the text.
    package static func write(_ text: String, to path: String) throws(SystemCallError) {
        let file = try Descriptor.writing(path)
        // Of a long list the kernel takes a page at a time.
        try file.writeAll(Array(text.utf8))
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
