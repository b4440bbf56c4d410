internal import FoundationEssentials

/// JSON of the small documents: errors, settings, counters.
package enum JSONText {
    /// An object of texts, in the order given.
    package static func object(_ fields: [(key: String, value: String)]) -> [UInt8] {
        encode(Dictionary(fields.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 }))
    }

    /// Keys sorted, indented, as a person reads it.
    package static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Cannot fail: the documents hold texts and finite numbers.
        return (try? encoder.encode(value)).map { Array($0) } ?? []
    }

    /// The same on one line.
    package static func encodeLine(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(value)).map { Array($0) } ?? []
    }

    /// Reads a value; throws what `JSONDecoder` does.
    package static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        try JSONDecoder().decode(type, from: Data(bytes))
    }
}
