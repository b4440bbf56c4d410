/// Admits everything: limit `none`.
package final class Unlimited: Limiter {
    package init() {}

    package func tryAcquire() -> Bool { true }

    package func release(_ sample: Sample?) {}

    package var bound: Int? { nil }
}
