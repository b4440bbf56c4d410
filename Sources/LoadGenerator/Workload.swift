package import PostRecords
internal import Units

/// The posts a load asks for: a numbered set that a seed stands for.
package struct Workload: Sendable {
    package let seed: UInt64
    /// Distinct posts.
    package let count: Int
    /// Their URIs one behind the other, each with ``uriLength`` bytes.
    private let bytes: [UInt8]

    /// What every URI has, by the form of ``PostURI``.
    package static let uriLength = 70

    /// - Parameter count: distinct posts, 1 or more.
    package init(seed: UInt64, count: Int) {
        self.seed = seed
        self.count = count
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count * Self.uriLength)
        for number in 0..<count { bytes += PostURI.make(seed: seed, number: number).utf8 }
        self.bytes = bytes
    }

    package var uris: [String] {
        (0..<count).map { String(decoding: bytes[$0 * Self.uriLength..<($0 + 1) * Self.uriLength], as: UTF8.self) }
    }

    /// Calls `body` with each URI of a batch, in order, until it returns false.
    func forEachURI(of selection: Selection, _ body: (UnsafeBufferPointer<UInt8>) -> Bool) {
        bytes.withUnsafeBufferPointer { bytes in
            func post(_ number: Int) -> UnsafeBufferPointer<UInt8> {
                UnsafeBufferPointer(rebasing: bytes[number * Self.uriLength..<(number + 1) * Self.uriLength])
            }
            switch selection {
            case .none: break
            case .neighbours(let first, let size):
                for index in 0..<size where !body(post((first + index) % count)) { return }
            case .posts(let numbers, let freshSeed):
                for number in numbers {
                    let goesOn =
                        if number < count {
                            body(post(number))
                        } else {
                            PostURI.make(seed: freshSeed, number: number).withUTF8Buffer(body)
                        }
                    if !goesOn { return }
                }
            case .uris(let uris):
                for uri in uris where !uri.withUTF8Buffer(body) { return }
            }
        }
    }

    /// The URIs of a batch, in order.
    func uris(of selection: Selection) -> [String] {
        var uris: [String] = []
        forEachURI(of: selection) { uri in
            uris.append(String(decoding: uri, as: UTF8.self))
            return true
        }
        return uris
    }

    /// The body of a batch, put at the end of `body`.
    package func append(_ selection: Selection, in codec: Codec, to body: inout [UInt8]) {
        body.reserveCapacity(body.count + selection.size * (Self.uriLength + 3) + 16)
        switch codec {
        case .json:
            body += "{\"uris\":[".utf8
            var isFirst = true
            forEachURI(of: selection) { uri in
                if !isFirst { body.append(UInt8(ascii: ",")) }
                isFirst = false
                // Ours are plain ASCII, and those of a trace were looked at: they need no escaping.
                body.append(UInt8(ascii: "\""))
                body += uri
                body.append(UInt8(ascii: "\""))
                return true
            }
            body += "]}".utf8
        case .proto:
            forEachURI(of: selection) { uri in
                // Field 1, a string.
                body.append(0x0a)
                var length = uri.count
                while length >= 0x80 {
                    body.append(UInt8(truncatingIfNeeded: length) | 0x80)
                    length >>= 7
                }
                body.append(UInt8(length))
                body += uri
                return true
            }
        }
    }
}

/// Which URIs a batch has.
package enum Selection: Sendable, Equatable {
    /// A request that is no batch of URIs.
    case none
    /// A run of neighbours among the posts, which go round.
    case neighbours(first: Int, size: Int)
    /// Posts by number. Numbers from the workload's count on stand for posts that only this batch knows, out of another
    /// seed.
    case posts([Int], freshSeed: UInt64)
    case uris([String])

    package var size: Int {
        switch self {
        case .none: 0
        case .neighbours(_, let size): size
        case .posts(let numbers, _): numbers.count
        case .uris(let uris): uris.count
        }
    }

    /// Bytes of a request for it, with room for what stands between URIs.
    var requestBytes: Int {
        if case .uris(let uris) = self { return uris.reduce(0) { $0 + $1.utf8.count + 8 } }
        return size * (Workload.uriLength + 8)
    }
}

extension String {
    fileprivate func withUTF8Buffer<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        var copy = self
        return copy.withUTF8(body)
    }
}
