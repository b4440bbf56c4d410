/// Which call chose the local ports of a pair's connections, as far as they show it.
///
/// The kernel does not tell: neither sock_diag nor /proc has the flag (SOCK_BINDPORT_LOCK). But the two calls look for
/// ports in different places. connect() tries ports of the range's lower parity first, and the others only when each of
/// those is taken; bind() does the opposite (__inet_hash_connect() in net/ipv4/inet_hashtables.c,
/// inet_csk_find_open_port() in net/ipv4/inet_connection_sock.c, since Linux 4.2). With SO_REUSEADDR, bind() fills the
/// lower half of the range first. So a port of the one parity says who chose it where ports of the other parity were to
/// be had then: for those chosen of late, where they are now. What was known before holds as long as nobody chooses. Two
/// destinations of one source on one port are connect()'s as well. Where none of this helps, with both parities full, the
/// older ports tell which were the first choice.
///
/// A socket with IP_LOCAL_PORT_RANGE has no parity: it looks as if both had chosen. Then the smaller of the two
/// figures is given.
package enum PortChoice: String, Sendable, Codable {
    /// bind() to the address, port 0. The port is the address's, whatever the destination.
    case bind
    /// connect(), after no bind() or one with IP_BIND_ADDRESS_NO_PORT. The port is the pair's.
    case connect
    /// Both calls, by different programs or sockets.
    case both
    case unknown
}

/// The four parts of a port range that tell the two calls apart: even and odd from its lowest port, lower half and upper.
struct RangeParts {
    /// Ports in each part.
    private(set) var sizes = Counts()
    private let low: Int
    /// First port of the upper half, as bind() with SO_REUSEADDR divides it.
    private let half: Int

    /// One number for each part.
    struct Counts: Equatable {
        var lowerEven = 0
        var lowerOdd = 0
        var upperEven = 0
        var upperOdd = 0

        var even: Int { lowerEven + upperEven }
        var odd: Int { lowerOdd + upperOdd }
    }

    init(_ range: PortRange) {
        low = range.lowestPort
        half = low + (range.highestPort + 1 - low) / 4 * 2
        for port in UInt16(range.lowestPort)...UInt16(range.highestPort) where range.usable.contains(port) {
            count(port, in: &sizes)
        }
    }

    func isOdd(_ port: UInt16) -> Bool { (Int(port) - low) & 1 == 1 }

    func count(_ port: UInt16, in counts: inout Counts) {
        switch (Int(port) >= half, isOdd(port)) {
        case (false, false): counts.lowerEven += 1
        case (false, true): counts.lowerOdd += 1
        case (true, false): counts.upperEven += 1
        case (true, true): counts.upperOdd += 1
        }
    }

    /// Some ports come back between a choice and the look at it: so many free ones prove nothing.
    private func isPlenty(_ free: Int, of size: Int) -> Bool { free > max(1, size / 20) }

    /// - Parameters:
    ///   - pair: those of the pair's ports that were chosen of late.
    ///   - held: the ports of all of its connections.
    ///   - source: all that the source address holds, whatever the destination.
    ///   - blocked: even ports that connect() could not have because of others.
    ///   - isShared: whether another pair of the source has one of the ports too: neither call takes a port that
    ///     bind() chose for the address, and bind() none that the address has, so connect() chose them all.
    func choice(chosen pair: Counts, held: Counts, source: Counts, blockedEven blocked: Int, isShared: Bool)
        -> PortChoice
    {
        let isEvenToBeHad = isPlenty(sizes.even - held.even - blocked, of: sizes.even)
        let byBind = pair.odd > 0 && isEvenToBeHad
        let byConnect =
            isShared
            || pair.lowerEven > 0 && isPlenty(sizes.lowerOdd - source.lowerOdd, of: sizes.lowerOdd)
            || pair.upperEven > 0 && isPlenty(sizes.upperOdd - source.upperOdd, of: sizes.upperOdd)
        switch (byBind, byConnect) {
        case (true, true): return .both
        case (true, false): return .bind
        case (false, true): return .connect
        case (false, false): return .unknown
        }
    }
}

/// Whether the odd ports were taken before the even ones, or after.
struct ParityOrder {
    private var even = Moments()
    private var odd = Moments()

    fileprivate struct Moments {
        var count = 0.0
        var sum = 0.0
        var squares = 0.0

        var mean: Double { sum / count }
        var variance: Double { max(0, squares / count - mean * mean) }
    }

    /// - Parameter position: the later a port was taken, the larger.
    mutating func add(_ position: Double, isOdd: Bool) {
        if isOdd { odd.add(position) } else { even.add(position) }
    }

    /// Nil where chance could have brought the order about: four standard errors.
    /// - Parameter least: what the means have to differ by.
    func firstIsOdd(byMoreThan least: Double) -> Bool? {
        guard even.count > 1, odd.count > 1 else { return nil }
        let error = (even.variance / even.count + odd.variance / odd.count).squareRoot()
        let difference = even.mean - odd.mean
        return abs(difference) > max(4 * error, least) ? difference > 0 : nil
    }
}

extension ParityOrder.Moments {
    fileprivate mutating func add(_ value: Double) {
        count += 1
        sum += value
        squares += value * value
    }
}
