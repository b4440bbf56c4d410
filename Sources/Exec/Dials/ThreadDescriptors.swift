internal import CLinux
internal import Glibc
internal import POSIX

/// Descriptors of the command's threads, kept, as the same thread dials again and again. A descriptor never stands for
/// another thread than the one it was opened for, even when the number is given to a new one.
struct ThreadDescriptors: ~Copyable {
    private static let limit = 256
    private var kept: [pid_t: CInt] = [:]

    init() {}

    deinit {
        for descriptor in kept.values { close(descriptor) }
    }

    /// A duplicate of a descriptor of a thread; nil when it has none of that number, is gone, or cannot be looked into.
    mutating func copy(_ descriptor: CInt, of thread: pid_t) -> Descriptor? {
        if let known = kept[thread] {
            let copy = linux_copy_descriptor(known, descriptor)
            if copy >= 0 { return Descriptor(owning: copy) }
            guard errno == ESRCH else { return nil }
            close(known)
            kept[thread] = nil
        }
        var standsForThread: CInt = 0
        let opened = linux_thread_descriptor(thread, &standsForThread)
        guard opened >= 0 else { return nil }
        let copy = linux_copy_descriptor(opened, descriptor)
        if standsForThread == 0 {
            close(opened)
        } else {
            if kept.count >= Self.limit { forgetAll() }
            kept[thread] = opened
        }
        return copy >= 0 ? Descriptor(owning: copy) : nil
    }

    private mutating func forgetAll() {
        for descriptor in kept.values { close(descriptor) }
        kept = [:]
    }
}
