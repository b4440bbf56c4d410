internal import Glibc

/// What a path leads to, as far as it matters to who reads or writes it. inode(7)
package enum FileKind: Sendable, Equatable {
    case regular, folder, pipe, socket
    /// Takes all, and has nothing. null(4)
    case null
    /// zero or full, which hand out zeros without end, and take or refuse bytes at once. zero(4), full(4)
    case zeros
    case terminal
    /// Any other: a disk, the machine's memory, the kernel's log, a watchdog. Some act on being opened.
    case device

    /// Nothing is opened by it; nil where nothing is, or a link leads nowhere. stat(2)
    package init?(at path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    /// fstat(2); nil when that fails.
    package init?(of descriptor: borrowing Descriptor) {
        var status = stat()
        guard fstat(descriptor.rawValue, &status) == 0 else { return nil }
        self.init(status)
    }

    init(_ status: stat) {
        switch status.st_mode & S_IFMT {
        case S_IFDIR: self = .folder
        case S_IFIFO: self = .pipe
        case S_IFSOCK: self = .socket
        case S_IFBLK: self = .device
        case S_IFCHR:
            // Major 1 are the machine's memory, the kernel's log, random numbers, and these. Majors 4, 5 and 136 to 143
            // are terminals. devices.txt of the kernel's documentation
            let (major, minor) = (status.st_rdev >> 8 & 0xfff, status.st_rdev & 0xff)
            self =
                switch (major, minor) {
                case (1, 3): .null
                case (1, 5), (1, 7): .zeros
                case (4, _), (5, 0), (136...143, _): .terminal
                default: .device
                }
        default: self = .regular
        }
    }

    /// Whether a file of this name would lie among the devices, where one that is made stands for a device that is
    /// missing; memory that programs share lies there too, and is a folder like any other. realpath(3)
    package static func isAmongDevices(_ path: String) -> Bool {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        guard let real = realpath(folder, nil) else { return false }
        defer { free(real) }
        let names = String(cString: real).split(separator: "/")
        return names.first == "dev" && names.dropFirst().first != "shm"
    }
}
