internal import PostRecords
internal import Text

extension ScenarioSchema {
    /// A JSON Schema of scenario files, for editors that complete and check them while they are written. It has the keys of
    /// the tables that files are read by; what a value means beyond its form, `spiral run --check` says.
    package static var json: [UInt8] { JSONText.encode(schema) + [UInt8(ascii: "\n")] }

    private static var schema: SchemaNode {
        let root = object(
            scenario,
            of: [
                "scenario": .text("The scenario's name."),
                "description": .text("What this is to show, in a sentence or two."),
                "verdict": .text("Said when all expectations held."),
                "environment": object(
                    environment,
                    of: [
                        "ports": .number("Ephemeral ports; left out, the machine's own range.", 16, 32_767),
                        "tw-reuse": .number("net.ipv4.tcp_tw_reuse.", 0, 2),
                        "posts": .number("Distinct posts that callers ask for.", 1, 1_000_000),
                        "preload": .flag("Whether they are in memcached at the beginning."),
                        "nofile": .number("Descriptors the server may have.", 64, 1_000_000),
                        "memory-limit": .text("The server is killed when it takes more, as in 192MiB."),
                        "restart": .flag("Whether a server that died is started again."),
                        "log-threads": .number("Threads blocked in log writes at which the server dies.", 10, 100_000),
                        "memcached": object(memcached, of: [:], else: .number("How memcached is started.", 1, nil)),
                    ]
                ),
                "settings": settings("In force at the start."),
                "clients": SchemaNode(
                    type: ["object"],
                    description: "Who sends, by name: uris=LO..HI,rate=R/s and what may follow.",
                    additional: .text("As --client of spiral-load, without the name.")
                ),
                "phases": .list(
                    object(
                        phase,
                        of: [
                            "name": .text("The phase's name."),
                            "title": .text("What is different in it."),
                            "duration": .text("How long batches are due, as in 10s."),
                            "quick": .text("The same with --quick."),
                            "settings": settings("Changed when it begins."),
                            "clients": .list(.text("A caller's name.")),
                            "faults": .list(
                                object(
                                    fault,
                                    of: [
                                        "at": .text("After the phase's begin, as in 2s."),
                                        "do": .text(
                                            "kill, stop, continue or restart, server or memcached; or set SETTING VALUE."
                                        ),
                                    ],
                                    required: fault
                                )
                            ),
                            "expect": .list(.text("A claim over the names of its result, as in lookups.errors == 0.")),
                        ],
                        required: ["name", "duration"]
                    )
                ),
            ],
            required: ["scenario", "phases"]
        )
        root.schema = "https://json-schema.org/draft/2020-12/schema"
        root.title = "A scenario of Spiral"
        return root
    }

    private static func settings(_ description: String) -> SchemaNode {
        let node = object(Settings.names, of: [:], else: SchemaNode(type: ["string", "integer", "boolean"]))
        node.description = description
        return node
    }

    /// An object of exactly these keys; nothing is left out of the table unsaid.
    private static func object(
        _ keys: [String],
        of nodes: [String: SchemaNode],
        else other: SchemaNode = SchemaNode(),
        required: [String]? = nil
    ) -> SchemaNode {
        SchemaNode(
            type: ["object"],
            properties: Dictionary(uniqueKeysWithValues: keys.map { ($0, nodes[$0] ?? other) }),
            required: required,
            isClosed: true
        )
    }
}

/// As much of JSON Schema as scenarios take.
private final class SchemaNode: Encodable {
    var schema: String?
    var title: String?
    var type: [String]
    var description: String?
    var minimum: Int?
    var maximum: Int?
    var properties: [String: SchemaNode]?
    var required: [String]?
    var items: SchemaNode?
    /// False where no other key is allowed.
    private var isClosed = false
    private var additional: SchemaNode?

    init(
        type: [String] = [],
        description: String? = nil,
        properties: [String: SchemaNode]? = nil,
        required: [String]? = nil,
        isClosed: Bool = false,
        additional: SchemaNode? = nil
    ) {
        self.type = type
        self.description = description
        self.properties = properties
        self.required = required
        self.isClosed = isClosed
        self.additional = additional
    }

    // A name may look like a number in YAML, and is text all the same.
    static func text(_ description: String) -> SchemaNode {
        SchemaNode(type: ["string", "number"], description: description)
    }

    static func flag(_ description: String) -> SchemaNode { SchemaNode(type: ["boolean"], description: description) }

    static func number(_ description: String, _ minimum: Int, _ maximum: Int?) -> SchemaNode {
        let node = SchemaNode(type: ["integer"], description: description)
        node.minimum = minimum
        node.maximum = maximum
        return node
    }

    static func list(_ item: SchemaNode) -> SchemaNode {
        let node = SchemaNode(type: ["array"])
        node.items = item
        return node
    }

    private enum CodingKeys: String, CodingKey {
        case schema = "$schema"
        case title, type, description, minimum, maximum, properties, required, items, additionalProperties
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(schema, forKey: .schema)
        try container.encodeIfPresent(title, forKey: .title)
        if type.count == 1 { try container.encode(type[0], forKey: .type) }
        if type.count > 1 { try container.encode(type, forKey: .type) }
        try container.encodeIfPresent(description, forKey: .description)
        try container.encodeIfPresent(minimum, forKey: .minimum)
        try container.encodeIfPresent(maximum, forKey: .maximum)
        try container.encodeIfPresent(properties, forKey: .properties)
        try container.encodeIfPresent(required, forKey: .required)
        try container.encodeIfPresent(items, forKey: .items)
        if isClosed { try container.encode(false, forKey: .additionalProperties) }
        try container.encodeIfPresent(additional, forKey: .additionalProperties)
    }
}
