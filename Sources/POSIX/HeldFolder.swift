internal import Glibc

/// A folder of this process's own: under a name nobody could guess, for this user alone, and held, so that others
/// see whether its process still lives. What a killed process left is found by ``abandoned(in:prefix:)``.
package struct HeldFolder: ~Copyable, Sendable {
    package let path: String
    /// Locked; the kernel lets go of it however the process ends. flock(2)
    private let hold: Descriptor

    /// - Parameters:
    ///   - parent: the folder it lies in.
    ///   - prefix: how its name begins; six characters follow.
    /// - Throws: ``SystemCallError`` from mkdtemp(3) or open(2).
    package init(in parent: String, prefix: String) throws(SystemCallError) {
        for _ in 0..<100 {
            var template = Array((parent + "/" + prefix + "XXXXXX").utf8CString)
            try systemCall("mkdtemp", on: parent) { mkdtemp(&template) == nil ? -1 : 0 }
            let path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
            // One who looks for abandoned folders may have been between the two calls.
            guard let hold = try Self.hold(path, isNew: true) else { continue }
            self.path = path
            self.hold = hold
            return
        }
        throw SystemCallError("mkdtemp", on: parent, errno: EBUSY)
    }

    /// Takes hold of each folder of this user that is held by nobody, and hands its path to `body`.
    package static func abandoned(in parent: String, prefix: String, _ body: (String) -> Void) {
        guard let folder = opendir(parent) else { return }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let path = parent + "/" + name
            guard name.hasPrefix(prefix), name.utf8.count == prefix.utf8.count + 6 else { continue }
            if let hold = try? hold(path, isNew: false) {
                body(path)
                hold.close()
            }
        }
    }

    /// Opens and locks a folder.
    /// - Parameter isNew: whether it was made just now. An old one must be this user's, and closed to all others.
    /// - Returns: nil when it is held already, another's, or gone.
    private static func hold(_ path: String, isNew: Bool) throws(SystemCallError) -> Descriptor? {
        let raw = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        if raw < 0, errno == ENOENT { return nil }
        let folder = Descriptor(owning: CInt(try systemCall("open", on: path) { Int(raw) }))
        if flock(folder.rawValue, LOCK_EX | LOCK_NB) != 0 {
            // Where a file system knows no locks, no folder is ever found to be abandoned.
            guard errno != EWOULDBLOCK, isNew else { return nil }
            return folder
        }
        var (opened, named) = (stat(), stat())
        guard fstat(folder.rawValue, &opened) == 0, lstat(path, &named) == 0, opened.st_ino == named.st_ino else {
            return nil
        }
        guard isNew || opened.st_uid == geteuid() && opened.st_mode & 0o077 == 0 else { return nil }
        return folder
    }
}
