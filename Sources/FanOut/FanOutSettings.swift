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
    /// What else dialled sockets are told.
    package var socketOptions = SocketOptions()
    /// Idle connections kept for each server.
    package var maxIdle = 2
    /// Which end closes connections that are not kept.
    package var close = ClosingSide.client
    /// From issuing a lookup, its dial included, to giving it up.
    package var lookupTimeout = Duration.milliseconds(500)

    /// Connections open or being dialled to each server, 1 or more; who needs another waits. Nil for any number.
    package var maxOpen: Int?
    /// How long a lookup waits for a connection; its timeout begins when it has one.
    package var openWait = Duration.seconds(5)
    /// How often a lookup is tried again whose dial or connection failed; each attempt has the lookup timeout to itself.
    package var retries = 0
    /// Ask once for a key that a batch has several times.
    package var dedupe = false

    /// The most that ``retries`` may be.
    package static let mostRetries = 10

    var poolBounds: Pool.Bounds { Pool.Bounds(maxIdle: maxIdle, maxOpen: maxOpen) }

    package init() {}
}
