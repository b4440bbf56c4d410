package import HTTP
package import HTTPTypes
package import POSIX
internal import PostRecords

/// How the requests of a load look, apart from the URIs in them.
package struct RequestForm: Sendable {
    /// Batches of post URIs, or plain requests.
    package enum Kind: Sendable {
        /// Batches of URIs, whose answers are looked through.
        case posts
        /// The same request again and again, of whose answer status, size and time count.
        case plain(HTTPRequest.Method, body: [UInt8]?)
    }

    /// Where requests are sent, at the first of the addresses.
    package private(set) var target: Target
    /// Those that a connection is tried to, in this order, until one has been made; one or more.
    package private(set) var addresses: [SocketAddress]
    /// What the Host field says.
    package var host: String
    package var kind: Kind
    /// Further header fields. What a client sets itself, they replace.
    package var fields: HTTPFields

    /// - Parameter addresses: where the target may be; nil for its own address alone.
    package init(
        _ kind: Kind = .posts,
        to target: Target,
        _ addresses: [SocketAddress]? = nil,
        host: String? = nil,
        fields: HTTPFields = [:]
    ) {
        self.kind = kind
        self.target = target
        self.addresses = addresses ?? [target.address]
        self.host = host ?? target.address.description
        self.fields = fields
    }

    /// Leaves addresses of one family only.
    /// - Returns: whether there is one; else nothing is changed.
    package mutating func keep(_ family: IPAddress.Family) -> Bool {
        let kept = addresses.filter { $0.endpoint?.address.family == family }
        guard let first = kept.first else { return false }
        addresses = kept
        target.address = first
        return true
    }

    package var isPlain: Bool { if case .plain = kind { true } else { false } }

    var method: HTTPRequest.Method {
        switch kind {
        case .posts: .post
        case .plain(let method, _): method
        }
    }

    /// Digits that a length is written in, with blanks before it, so that it can be put in when it is known.
    private static let lengthDigits = 10

    /// Everything before the length of the body; all of the head where there is no body.
    func head(of client: ClientSpec) -> [UInt8] {
        var fields = HTTPFields()
        fields[HTTPField.Name("Host")!] = host
        if case .posts = kind { fields[.contentType] = client.codec.contentType }
        fields[HTTPField.Name("x-atlantis-caller")!] = client.name
        for field in self.fields { fields[field.name] = nil }
        for field in self.fields { fields.append(field) }
        var head = "\(method.rawValue) \(target.path) HTTP/1.1\r\n"
        for field in fields { head += "\(field.name): \(field.value)\r\n" }
        head += hasBody ? "Content-Length: \(String(repeating: " ", count: Self.lengthDigits))\r\n\r\n" : "\r\n"
        return Array(head.utf8)
    }

    private var hasBody: Bool {
        switch kind {
        case .posts: true
        case .plain(let method, let body): body != nil || method == .post || method == .put
        }
    }

    /// A whole request.
    func request(_ head: [UInt8], _ selection: Selection, _ codec: Codec, _ workload: Workload) -> [UInt8] {
        var request = head
        switch kind {
        case .posts: workload.append(selection, in: codec, to: &request)
        case .plain(_, let body): request += body ?? []
        }
        guard hasBody else { return request }
        // The digits end where the head's last four bytes begin.
        var index = head.count - 5
        var left = request.count - head.count
        repeat {
            request[index] = UInt8(ascii: "0") + UInt8(left % 10)
            left /= 10
            index -= 1
        } while left > 0
        return request
    }
}
