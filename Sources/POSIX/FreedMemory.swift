internal import CLinux
internal import Glibc

/// Memory that this process has freed.
package enum FreedMemory {
    /// Keeps freed memory for what is allocated next: given back and taken again, every page of it is a fault, and zeroed.
    /// - Parameter bytes: at the most, for each of the allocator's arenas; 32 MiB or less. mallopt(3) M_TRIM_THRESHOLD
    package static func keep(upTo bytes: Int) {
        linux_keep_freed_memory(CInt(bytes))
    }

    /// As ``keep(upTo:)`` for what is freed from now on.
    package static func keepFromNowOn(upTo bytes: Int) {
        linux_set_trim_threshold(CInt(bytes))
    }

    /// Gives back what was freed between allocations that are in use. What was freed at the end of an arena goes back
    /// as it is freed, beyond what is kept. malloc_trim(3)
    package static func giveBack() {
        linux_give_back_freed_memory()
    }

    /// Bytes of a page. sysconf(3) _SC_PAGESIZE
    package static let pageBytes = Int(sysconf(CInt(_SC_PAGESIZE)))
}
