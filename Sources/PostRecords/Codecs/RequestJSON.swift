/// Reads a GetPostRecords request in JSON, with protobuf's mapping of it: an object whose `uris` is a list of strings.
/// What else it has is read over.
enum RequestJSON {
    /// - Throws: ``ConnectError``
    static func read(_ bytes: UnsafeBufferPointer<UInt8>, into keys: inout KeyCollector) throws(ConnectError) {
        var scanner = JSONScanner(bytes)
        try scanner.take("{", "an object, as in {\"uris\": [\"at://...\"]}")
        if scanner.takeIf("}") { return try scanner.takeEnd() }
        repeat {
            try readMember(&scanner, into: &keys)
        } while scanner.takeIf(",")
        try scanner.take("}", "a comma, or } at the end of the request")
        try scanner.takeEnd()
    }

    private static func readMember(
        _ scanner: inout JSONScanner,
        into keys: inout KeyCollector
    ) throws(ConnectError) {
        let name = String(
            decoding: scanner.bytes(of: try scanner.string("the name of a member in quotes")),
            as: UTF8.self
        )
        try scanner.take(":", "a colon after the name of a member")
        switch name {
        case "uris":
            if !scanner.takeNull() { try readURIs(&scanner, into: &keys) }
        // Texts that have no effect here.
        case "viewerDid", "viewer_did", "processDynamicTagsForView", "process_dynamic_tags_for_view":
            if !scanner.takeNull() { _ = try scanner.string("a string as \(name)") }
        default: try scanner.skipValue()
        }
    }

    private static func readURIs(_ scanner: inout JSONScanner, into keys: inout KeyCollector) throws(ConnectError) {
        try scanner.take("[", "a list of strings as uris")
        if scanner.takeIf("]") { return }
        repeat {
            switch try scanner.string("a URI in quotes") {
            case .plain(let range): try keys.add(scanner.bytes(at: range), at: range.lowerBound)
            case .decoded(let bytes): try keys.add(decoded: bytes)
            }
        } while scanner.takeIf(",")
        try scanner.take("]", "a comma, or ] at the end of uris")
    }
}
