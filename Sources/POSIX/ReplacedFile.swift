internal import Glibc

/// A file that is written at the end of some work: whether it can be is known before, and what is there under its name
/// stays until the new one is complete, whenever that is cut off and however full the disk is.
///
/// What is there and no regular file, as a device or a pipe, is opened at once and written to.
package struct ReplacedFile: ~Copyable, Sendable {
    private enum Target: ~Copyable, Sendable {
        /// Open already.
        case stream(Descriptor)
        /// The file's own path, no link.
        case file(String)
        /// A file in a folder in which no other can be made.
        case written(String)
    }

    private let target: Target

    /// Finds out whether a path can be written. Nothing is changed by it.
    /// - Throws: ``SystemCallError``; ENXIO for a named pipe that nobody reads. open(2)
    package init(_ path: String) throws(SystemCallError) {
        guard !path.isEmpty else { throw SystemCallError("open", on: "''", errno: ENOENT) }
        var status = stat()
        let exists = stat(path, &status) == 0
        // What these name is an open file of somebody's, whom a replacement would not reach. proc_pid_fd(5)
        let isOpenElsewhere = ["/dev/fd/", "/dev/std", "/proc/"].contains { path.hasPrefix($0) }
        if exists, isOpenElsewhere || status.st_mode & S_IFMT != S_IFREG {
            target = .stream(try .output(path))
            return
        }
        try Descriptor.checkOutput(path)
        let file = Self.behindLinks(path)
        if exists { _ = try Descriptor.writing(path) }
        do throws(SystemCallError) {
            unlink(try Draft(of: file).path)
            target = .file(file)
        } catch {
            guard exists, error.isForbidden else { throw SystemCallError("open", on: path, errno: error.errno) }
            target = .written(file)
        }
    }

    /// Replaces what is there, or makes the file. fsync(2), rename(2)
    /// - Throws: ``SystemCallError``; then what was there still is.
    package func write(_ bytes: [UInt8]) throws(SystemCallError) {
        switch target {
        case .stream(let stream): try stream.writeAll(bytes)
        case .written(let path): try Descriptor.creating(path).writeAll(bytes)
        case .file(let path):
            let draft = try Draft(of: path)
            do throws(SystemCallError) {
                try draft.file.writeAll(bytes)
                draft.takeOwner(of: path)
                try systemCall("fsync", on: draft.path) { Int(fsync(draft.file.rawValue)) }
                try systemCall("rename", on: path) { Int(rename(draft.path, path)) }
            } catch {
                unlink(draft.path)
                // A file that is mounted, or another user's in a folder like /tmp, can be written and not replaced.
                guard error.call == "rename" else { throw error }
                try Descriptor.writing(path).replaceContents(bytes)
            }
        }
    }

    /// The path that a chain of links ends at, whether anything is there or not. readlink(2)
    private static func behindLinks(_ path: String) -> String {
        var path = path
        // The kernel follows 40 at most. path_resolution(7)
        for _ in 0..<40 {
            var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
            let count = readlink(path, &bytes, bytes.count)
            guard count > 0 else { break }
            let link = String(decoding: bytes[..<count], as: UTF8.self)
            let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
            path = link.hasPrefix("/") ? link : folder + link
        }
        return path
    }
}

extension SystemCallError {
    fileprivate var isForbidden: Bool { errno == EACCES || errno == EPERM || errno == EROFS }
}

/// What is to become a file, beside it. One that a killed process left is taken over by the next one's.
private struct Draft: ~Copyable {
    let file: Descriptor
    let path: String

    /// - Throws: ``SystemCallError`` from open(2).
    init(of target: String) throws(SystemCallError) {
        let usual = target + ".part"
        if let file = Self.open(usual) {
            self.file = file
            path = usual
            return
        }
        // Somebody writes to it at this moment, or put something else there.
        let unique = usual + String(UInt64.random(in: .min ... .max), radix: 16)
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC
        file = Descriptor(owning: CInt(try systemCall("open", on: unique) { Int(Glibc.open(unique, flags, 0o644)) }))
        path = unique
    }

    /// Opens a draft that is nobody's but this process's, empty. flock(2)
    private static func open(_ path: String) -> Descriptor? {
        // Not a link that leads elsewhere, nor a pipe that waits.
        let raw = Glibc.open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0o644)
        guard raw >= 0 else { return nil }
        let file = Descriptor(owning: raw)
        var (opened, named) = (stat(), stat())
        guard flock(raw, LOCK_EX | LOCK_NB) == 0, fstat(raw, &opened) == 0, lstat(path, &named) == 0,
            opened.st_ino == named.st_ino, opened.st_mode & S_IFMT == S_IFREG, opened.st_nlink == 1,
            opened.st_uid == geteuid(), ftruncate(raw, 0) == 0
        else { return nil }
        return file
    }

    /// Gives it the mode and owner of the file it replaces, as far as this user may. fchown(2), fchmod(2)
    func takeOwner(of target: String) {
        var status = stat()
        guard stat(target, &status) == 0 else { return }
        _ = fchown(file.rawValue, status.st_uid, status.st_gid)
        _ = fchmod(file.rawValue, status.st_mode & 0o7777)
    }
}

extension Descriptor {
    /// Writes a file of some work's result, as ``ReplacedFile`` does.
    package static func replaceFile(_ path: String, with bytes: [UInt8]) throws(SystemCallError) {
        try ReplacedFile(path).write(bytes)
    }

    fileprivate func replaceContents(_ bytes: [UInt8]) throws(SystemCallError) {
        try systemCall("ftruncate") { Int(ftruncate(rawValue, 0)) }
        try writeAll(bytes)
    }
}
