internal import Glibc
package import Testing

extension Trait where Self == ConditionTrait {
    /// The test takes seconds; `scripts/test --fast` leaves it out, and it is counted as skipped.
    package static var slow: Self {
        .disabled(if: getenv("SPIRAL_FAST_TESTS") != nil, "slow: left out by scripts/test --fast")
    }

    /// The test measures memory, of which a sanitizer keeps what was freed.
    package static var measuresMemory: Self {
        .disabled(if: getenv("ASAN_OPTIONS") != nil, "measures memory: left out under a sanitizer, which keeps it")
    }
}
