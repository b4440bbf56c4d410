/// gRPC's frame of one message: whether it is compressed, its length in four bytes, and itself.
struct GRPCFrame: Equatable {
    private static let prefixLength = 5

    let isCompressed: Bool
    let message: [UInt8]

    /// Reads a body that is one frame, as the methods here take one message.
    /// - Throws: ``ConnectError``
    init(_ body: [UInt8]) throws(ConnectError) {
        guard body.count >= Self.prefixLength else {
            throw ConnectError(
                .invalidArgument,
                "the body has \(body.count) bytes, and a message of gRPC begins with \(Self.prefixLength) before its own"
            )
        }
        guard body[0] <= 1 else {
            throw ConnectError(.invalidArgument, "the message begins with \(body[0]) in place of 0 or 1")
        }
        let length = body[1..<Self.prefixLength].reduce(0) { $0 << 8 | Int($1) }
        let rest = body.count - Self.prefixLength
        guard length == rest else {
            throw ConnectError(
                .invalidArgument,
                length > rest
                    ? "the message says it has \(length) bytes, and there are \(rest)"
                    : "there is more behind the first message; the methods here take one"
            )
        }
        isCompressed = body[0] == 1
        message = Array(body[Self.prefixLength...])
    }

    /// What stands before a message in blocks.
    static func prefix(of message: [[UInt8]], isCompressed: Bool) -> [UInt8] {
        let length = UInt32(message.reduce(0) { $0 + $1.count })
        return [isCompressed ? 1 : 0] + [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) }
    }
}
