package import Limits
package import Memcached

/// What of the engine changes while it runs.
///
/// Limit and fan-out hold for a batch from its arrival to its end; all else counts from the
/// next dial, release or lookup on, whichever batch it belongs to.
package struct FanOutSettings: Sendable, Equatable {
    package var limit = LimitPolicy.none
    package var fanout = FanoutPolicy.perURI
    package var dialer = Dialer.incident
    /// Let connect() choose the source port: IP_BIND_ADDRESS_NO_PORT.
    package var lateBind = false
    /// Idle connections kept for each server.
    package var maxIdle = 2
    /// From issuing a lookup, its dial included, to giving it up.
    package var lookupTimeout = Duration.milliseconds(500)

    package init() {}
}
