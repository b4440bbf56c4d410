internal import Glibc

extension Descriptor {
    /// Puts a file in the place of another, or of none: whole, or not at all, whenever it is cut off or the disk is full.
    /// fsync(2), rename(2)
    package static func replaceFile(_ path: String, with bytes: [UInt8]) throws(SystemCallError) {
        let draft = path + ".part"
        do throws(SystemCallError) {
            let file = try creating(draft)
            try file.writeAll(bytes)
            try systemCall("fsync", on: draft) { Int(fsync(file.rawValue)) }
            try systemCall("rename", on: path) { Int(rename(draft, path)) }
        } catch {
            unlink(draft)
            throw error
        }
    }
}
