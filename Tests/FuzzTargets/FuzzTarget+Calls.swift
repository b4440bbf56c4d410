internal import FanOut
internal import HTTPTypes
internal import PostRecords
internal import SwiftProtobuf

extension FuzzTarget {
    /// The bodies of calls. The first byte says their form: 1 for protobuf, else JSON; 2 for a frame of gRPC; 4 where the
    /// head says gzip. What is taken, swift-protobuf takes as well, with the same URIs.
    static let calls = FuzzTarget(
        name: "calls",
        words: [
            "{\"uris\":[", "]}", "\"", ",", "null", "\\u0061", "\\ud83d\\ude00", "\\ud83d", "\"viewerDid\":",
            "\"uris\":",
            "at://did:plc:a/app.bsky.feed.post/b", "1e999", "-0", "[[[[", "{\"a\":", "\u{a}\u{1}a", "\u{12}\u{1}a",
            "\u{0}\u{0}\u{0}\u{0}\u{4}", "\u{1}\u{0}\u{0}\u{0}\u{4}", "\u{b}\u{c}", "\u{e9}", "\u{7f}",
        ],
        run: { input in
            guard let form = input.first else { return }
            let codec: Codec = form & 1 == 1 ? .proto : .json
            let isGRPC = form & 2 == 2
            var head = HTTPRequest(method: .post, scheme: nil, authority: "a", path: "/")
            head.headerFields[.contentType] = isGRPC ? "application/grpc+\(codec)" : codec.contentType
            if form & 4 == 4 { head.headerFields[isGRPC ? .init("grpc-encoding")! : .contentEncoding] = "gzip" }
            let limit = 1 << 16
            guard let message = try? CallHead(head).message(in: Array(input.dropFirst()), limit: limit) else { return }
            guard message.count <= max(limit, input.count) else { throw Violation("a message is beyond its limit") }
            guard let keys = try? KeyList.read(message, in: codec, limit: 100) else { return }
            let uris = (0..<keys.count).map { keys.text($0) }
            // Of surrogates written as escapes it reads those wrong that are beyond U+1FFFF.
            if codec == .json, String(decoding: message, as: UTF8.self).lowercased().contains("\\ud") { return }
            let request: Bsky_GetPostRecordsRequest
            do {
                var options = JSONDecodingOptions()
                options.ignoreUnknownFields = true
                request =
                    codec == .json
                    ? try Bsky_GetPostRecordsRequest(jsonUTF8Bytes: message, options: options)
                    : try Bsky_GetPostRecordsRequest(serializedBytes: message)
            } catch  where codec == .json && hasLongNumber(message) {
                // It has an end for numbers, which are of no interest here.
                return
            } catch {
                throw Violation("\(shown(message)): it was taken, and swift-protobuf says \(error)")
            }
            guard request.uris.elementsEqual(uris, by: { $0.utf8.elementsEqual($1.utf8) }), uris.count <= 100 else {
                throw Violation("\(shown(message)): \(uris), and swift-protobuf has \(request.uris)")
            }
        }
    )

    /// Whether there are fifty digits one behind the other.
    private static func hasLongNumber(_ bytes: [UInt8]) -> Bool {
        var digits = 0
        return bytes.contains { byte in
            digits = (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? digits + 1 : 0
            return digits == 50
        }
    }
}
