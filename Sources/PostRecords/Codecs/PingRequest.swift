/// The request of `Ping`, which has no fields: those of other versions are read over.
enum PingRequest {
    /// - Throws: ``ConnectError`` for what is no message.
    static func check(_ body: [UInt8], in codec: Codec) throws(ConnectError) {
        let result = body.withUnsafeBufferPointer { bytes in
            Result { () throws(ConnectError) in
                switch codec {
                case .json:
                    var scanner = JSONScanner(bytes)
                    try scanner.object("an object, as in {}")
                    try scanner.takeEnd()
                case .proto:
                    var fields = WireFields(UnsafeRawBufferPointer(bytes))
                    guard fields.areWellFormed() else {
                        throw ConnectError(.invalidArgument, "the body is not the protobuf of PingRequest")
                    }
                }
            }
        }
        try result.get()
    }
}
