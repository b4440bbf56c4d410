internal import FanOut
package import KernelProbe
internal import Memcached
internal import PostRecords
internal import Text
internal import Units

extension PortForecast.Question {
    /// When connect() may take a port in TIME_WAIT again.
    var reuse: TimeWaitReuse {
        var namespace = NamespaceSettings(range: budget)
        namespace.twReuse = twReuse
        namespace.twReuseDelay = twReuseDelay
        return namespace.reuse(overLoopback: isLoopback)
    }

    /// The same ports for connections at an even rate in place of clients.
    /// - Parameter perSecond: of all hosts together.
    /// - Throws: ``PortForecast/Problem`` for a dialer that draws addresses.
    package func connections(perSecond: Double) throws(PortForecast.Problem) -> ConnectionForecast.Question {
        var connections = ConnectionForecast.Question(perSecond: perSecond / Double(hosts), ports: budget.ports)
        switch settings.fanOut.dialer {
        case .kernel: break
        case .bind: connections.isBound = !settings.fanOut.lateBind
        case .rotate, .rotateWithin, .rotateDestination:
            throw PortForecast.Problem(
                description: "--connections: use --dialer kernel or bind:IP, with --sources or --destinations for many"
            )
        }
        connections.reuse = reuse
        connections.sets = (sources ?? 1) * (connections.isBound ? 1 : destinations ?? 1)
        connections.seconds = duration.inSeconds
        return connections
    }
}

extension TimeWaitReuse {
    /// How long a port is taken after its connection closed, in seconds, for arithmetic with rates.
    package var seconds: Double {
        switch self {
        case .never: PortRange.timeWait.inSeconds
        case .after(let delay): min(PortRange.timeWait, delay).inSeconds
        // On average it is half of that, at worst all.
        case .nextSecond: 1
        }
    }
}

/// A share for a person to read: 4.2%, 100%.
func percent(_ share: Double) -> String { "\(rounded(share * 100))%" }
