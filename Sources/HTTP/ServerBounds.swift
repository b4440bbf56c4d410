internal import Units

/// What a server takes from its clients at the most, and how long it waits for them.
package struct ServerBounds: Sendable {
    /// Bytes of a request's body; larger ones are answered with 413.
    package var body: Int
    /// Connections open at once; further ones are answered with 503 and closed.
    package var connections = 1000
    /// Whether, when there are as many, the one that has waited longest for its client makes room for a new one.
    package var dismissesIdle = false
    /// Descriptors left for others when a connection is accepted: a process that accepts with its last one cannot write
    /// its log any more, and libdispatch ends one in which it cannot read /proc.
    package var reservedDescriptors = 16

    /// From a request's first byte to the end of its header fields.
    package var headTimeout = Duration.seconds(10)
    /// From the end of the header fields to the end of the body.
    package var bodyTimeout = Duration.seconds(60)
    /// Before a connection's first request, and between an answer and the next.
    package var idleTimeout = Duration.seconds(60)
    /// For a client to take an answer, or a piece of one.
    package var writeTimeout = Duration.seconds(60)

    /// What becomes of a request whose client left before its answer.
    package var abandoned = Abandoned.cancel

    /// What becomes of a batch whose caller has left.
    package enum Abandoned: String, Sendable, CaseIterable {
        /// What it asked for is gone on with.
        case finish
        /// What is not begun of it is not begun.
        case cancel
    }

    package init(body: Int) {
        self.body = body
    }

    /// Of a listener for the few who watch and steer a process.
    package static var admin: ServerBounds {
        var bounds = ServerBounds(body: 64 << 10)
        bounds.connections = 64
        // Whoever leaves connections open keeps nobody from asking whether the process is well.
        bounds.dismissesIdle = true
        // Of those that others leave: when batches have taken all they may, settings must still change.
        bounds.reservedDescriptors = 4
        return bounds
    }
}
