internal import Glibc

extension Descriptor {
    /// Puts a file in the place of another, or of none: whole, or not at all, whenever it is cut off or the disk is full.
    /// What is there and no regular file, as /dev/null or a link, stays what it is and is written to. fsync(2), rename(2)
    package static func replaceFile(_ path: String, with bytes: [UInt8]) throws(SystemCallError) {
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            return try creating(path).writeAll(bytes)
        }
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
