package import LoadGenerator
internal import Text
package import Units

/// Somebody's own server that a sweep starts in each cell, and what it is asked. Names in braces are put in from the
/// combination.
package struct ServicePlan: Sendable, Codable, Equatable {
    /// The command of the server.
    package var server: String
    /// Commands of what is started beside it, first.
    package var companions: [String]
    /// The server is up when somebody listens on this port.
    package var ready: UInt16
    /// In seconds; nothing is measured when it is not up by then.
    package var readyTimeout: Double
    package var request: RequestText
    /// memcached servers among the companions that get all posts first, as a list; nil for none.
    package var preload: String?

    private enum CodingKeys: String, CodingKey {
        case server, ready, readyTimeout, request, preload
        case companions = "with"
    }

    package init(
        server: String,
        companions: [String] = [],
        ready: UInt16,
        readyTimeout: Duration = .seconds(30),
        request: RequestText,
        preload: String? = nil
    ) {
        self.server = server
        self.companions = companions
        self.ready = ready
        self.readyTimeout = readyTimeout.inSeconds
        self.request = request
        self.preload = preload
    }

    /// Whether it is known from outside which answers are complete: every URI has a record, or there are no URIs.
    var isCompletenessKnown: Bool { request.isPlain || preload != nil }

    /// The commands, the server's last.
    /// - Throws: ``UnitTextError`` for one that cannot be split into words.
    package func templates() throws(UnitTextError) -> [CommandTemplate] {
        var templates: [CommandTemplate] = []
        for command in companions + [server] { templates.append(try CommandTemplate(text: command)) }
        return templates
    }

    /// What is wrong with the names of a grid; nil when nothing is.
    /// - Parameter names: those that have values.
    func problem(withNames names: [String]) -> String? {
        let used: [(option: String, name: String)]
        do {
            let options = companions.map { _ in "--with" } + ["--server"]
            used = zip(options, try templates()).flatMap { option, template in
                template.placeholders.map { (option, $0) }
            }
        } catch {
            return "\(error)"
        }
        func hint(_ name: String, _ others: [String]) -> String {
            nearest(name, of: others).map { "; did you mean \($0)?" } ?? ""
        }
        if let (option, name) = used.first(where: { !names.contains($0.name) }) {
            return "{\(name)} of \(option) has no value; add --vary \(name)=VALUE,VALUE or --set \(name)=VALUE"
                + hint(name, names)
        }
        if let name = names.first(where: { name in !used.contains { $0.name == name } }) {
            return "nothing depends on \(name): write {\(name)} into --server or --with" + hint(name, used.map(\.name))
        }
        return nil
    }
}
