internal import CLinux

/// Memory that this process has freed.
package enum FreedMemory {
    /// Keeps freed memory for what is allocated next: given back and taken again, every page of it is a fault, and zeroed.
    /// - Parameter bytes: at the most, for each of the allocator's arenas; 32 MiB or less. mallopt(3) M_TRIM_THRESHOLD
    package static func keep(upTo bytes: Int) {
        linux_keep_freed_memory(CInt(bytes))
    }
}
