package import FanOut

extension KeyList {
    /// As ``read(_:in:limit:)``; nil for a body that cannot be read.
    package static func readable(_ body: [UInt8], in codec: Codec) -> KeyList? {
        try? read(body, in: codec, limit: ProcessBounds.defaultMaxURIs)
    }

    /// Reads the URIs of a GetPostRecords request without building messages in between: a body is some megabytes, and
    /// nothing can be done for the batch before it is read. A test holds what is read against swift-protobuf.
    /// - Parameter limit: of URIs.
    /// - Throws: ``ConnectError``: for a body that cannot be read, with the byte it was found at.
    package static func read(_ body: [UInt8], in codec: Codec, limit: Int) throws(ConnectError) -> KeyList {
        var keys = KeyCollector(body: body.count, limit: limit)
        let result = body.withUnsafeBufferPointer { bytes in
            Result { () throws(ConnectError) in
                switch codec {
                case .json: try RequestJSON.read(bytes, into: &keys)
                case .proto: try RequestProto.read(bytes, into: &keys)
                }
            }
        }
        try result.get()
        return try keys.keys(in: body)
    }
}
