internal import CMemcached

/// The libmemcached that this process runs with, which may be another than it was built with.
package enum LibraryVersion {
    /// As in `1.1.4`. memcached_lib_version(3)
    package static var running: String { String(cString: memcached_lib_version()) }

    /// Whether a version is 1.1.4 or later, the oldest that Spiral was measured with.
    package static func isNew(_ version: String) -> Bool {
        let parts = version.split(separator: ".").map { Int($0) ?? 0 }
        return !parts.lexicographicallyPrecedes([1, 1, 4])
    }
}
