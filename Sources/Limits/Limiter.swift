/// Admits lookups. Both calls are made from several lanes at once and never wait.
package protocol Limiter: AnyObject, Sendable {
    /// Takes a permit if one is free.
    func tryAcquire() -> Bool
    /// Gives a permit back.
    func release()
    /// The most permits out at once; nil when there is no bound.
    var bound: Int? { get }
}
