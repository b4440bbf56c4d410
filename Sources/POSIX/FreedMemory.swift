internal import CLinux

/// Memory that this process has freed.
package enum FreedMemory {
    /// Keeps freed memory for what is allocated next: given back and taken again, every page of it is a fault, and zeroed.
    /// - Parameter bytes: at the most, for each of the allocator's arenas; 32 MiB or less. mallopt(3) M_TRIM_THRESHOLD
    package static func keep(upTo bytes: Int) {
        linux_keep_freed_memory(CInt(bytes))
    }

    /// Gives all of it back to the kernel, wherever it lies: after a large batch much lies between what is still in use,
    /// which ``keep(upTo:)`` does not reach. Takes some ten milliseconds for 400 MiB. malloc_trim(3)
    package static func giveBack() {
        linux_give_back_freed_memory()
    }
}
