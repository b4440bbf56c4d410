import POSIX
import TestSupport
import Testing
import Text

/// The commands that the README and the page of settings print: each is one that the programs take.
@Suite("Documented commands", .timeLimit(.minutes(1)))
struct DocumentedCommandTests {
    /// A program's own description of its command line, as it writes it for `--experimental-dump-help`.
    private struct Description: Decodable {
        struct Command: Decodable {
            var commandName: String
            var arguments: [Argument]?
            var subcommands: [Command]?
        }
        struct Argument: Decodable {
            struct Name: Decodable {
                var kind: String
                var name: String
            }
            var kind: String
            var names: [Name]?
            var isRepeating: Bool
        }
        var command: Command
    }

    private static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
    private static let pages = ["README.md", "Sources/SETTINGS.md"]

    private static func text(_ page: String) throws -> String { try Program.contents(of: "\(root)/\(page)") }

    /// The lines of the blocks for a shell, comments and continuations taken out.
    private static func shellLines(_ page: String) throws -> [String] {
        var lines: [String] = []
        var isShell = false
        var continued = ""
        for line in try text(page).split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("```") {
                isShell = line == "```sh"
            } else if isShell, line.hasSuffix("\\") {
                continued += line.dropLast() + " "
            } else if isShell {
                lines.append(continued + line)
                continued = ""
            }
        }
        return lines
    }

    /// Commands in code within the text: `spiral ports`.
    private static func inline(_ page: String) throws -> [String] {
        let parts = try text(page).split(separator: "`", omittingEmptySubsequences: false)
        return parts.indices.filter { $0 % 2 == 1 }.map { String(parts[$0]) }.filter { !$0.contains("\n") }
    }

    /// The words of the commands in a line as a shell has them: up to a comment, a pipe, or another end.
    private static func commands(_ line: String) -> [[String]] {
        var commands: [[String]] = [[]]
        var word: String?
        var quote: Character?
        var depth = 0
        loop: for character in line {
            if let open = quote {
                if character == open, depth == 0 { quote = nil } else { word?.append(character) }
                if open == "\"" { depth += character == "(" ? 1 : character == ")" ? -1 : 0 }
                continue
            }
            switch character {
            case "'", "\"":
                quote = character
                word = word ?? ""
            case "#" where word == nil: break loop
            case " ", "|", "&", ";", ">":
                if let done = word { commands[commands.count - 1].append(done) }
                word = nil
                if character != " " { commands.append([]) }
            default: word = (word ?? "") + String(character)
            }
        }
        if let word { commands[commands.count - 1].append(word) }
        return commands
    }

    private static func description(of program: String) throws -> Description.Command {
        let text = try ChildProcess.output(of: try Program.path(program), ["--experimental-dump-help"])
        return try JSONText.decode(Description.self, from: Array(text.utf8)).command
    }

    /// What is wrong with the words of a command line; nil when nothing is.
    private static func problem(_ words: [String], _ program: Description.Command) -> String? {
        var command = program
        var rest = words.dropFirst()[...]
        while let name = rest.first, let next = command.subcommands?.first(where: { $0.commandName == name }) {
            command = next
            rest = rest.dropFirst()
        }
        let arguments = command.arguments ?? []
        var positionals = 0
        while let word = rest.popFirst() {
            if word == "--" {
                return arguments.contains { $0.kind == "positional" } ? nil : "\(words) takes no program"
            }
            guard word.hasPrefix("-"), word.count > 1 else {
                positionals += 1
                continue
            }
            let name = word.drop { $0 == "-" }
            guard
                let option = arguments.first(where: { $0.names?.contains { $0.name == name } == true })
                    ?? (word == "--generate-completion-script"
                        ? arguments.first { $0.kind == "option" } ?? arguments.first : nil)
            else { return "\(command.commandName) has no \(word)" }
            if option.kind == "option" || word == "--generate-completion-script", rest.popFirst() == nil {
                return "\(word) needs a value"
            }
        }
        let taken = arguments.filter { $0.kind == "positional" }
        if !taken.contains(where: \.isRepeating), positionals > taken.count {
            return "\(command.commandName) takes \(taken.count) arguments: \(words)"
        }
        return nil
    }

    @Test("each is one that the program takes: subcommand, options, and their values")
    func parsed() throws {
        let programs = try Dictionary(
            uniqueKeysWithValues: ["spiral", "spiral-server", "spiral-load"].map { ($0, try Self.description(of: $0)) }
        )
        var count = 0
        for page in Self.pages {
            for line in try Self.shellLines(page) + Self.inline(page) {
                for words in Self.commands(line) {
                    guard var first = words.first else { continue }
                    if first.hasPrefix(".build/release/") { first = String(first.dropFirst(".build/release/".count)) }
                    if first.hasPrefix("scripts/"), !first.contains(".") {
                        #expect(access("\(Self.root)/\(first)"), "\(page): \(first) is no script")
                        count += 1
                    }
                    guard let program = programs[first] else { continue }
                    count += 1
                    let problem = Self.problem(words, program)
                    #expect(problem == nil, "\(page): \(line): \(problem ?? "")")
                }
            }
        }
        #expect(count > 40, "the commands were found at all: \(count)")
    }

    private func access(_ path: String) -> Bool { (try? Descriptor.reading(path)) != nil }

    @Test(
        "a wrong one would be noticed",
        arguments: ["spiral prots", "spiral ports --colour", "spiral report a.json --output"]
    )
    func noticed(line: String) throws {
        let words = Self.commands(line)[0]
        #expect(Self.problem(words, try Self.description(of: "spiral")) != nil)
    }

    @Test("a sample of output is what the command before it prints")
    func output() throws {
        var samples = 0
        let blocks = try Self.text("README.md").split(separator: "```", omittingEmptySubsequences: false)
        for block in blocks {
            let lines = block.split(separator: "\n").map(String.init)
            guard let first = lines.first, first.hasPrefix("$ spiral ") else { continue }
            samples += 1
            let program = try Program("spiral", Array(Self.commands(String(first.dropFirst(2)))[0].dropFirst()))
            #expect(program.wait() == .status(0))
            #expect(try program.text.split(separator: "\n").map(String.init) == Array(lines.dropFirst()))
        }
        #expect(samples > 0)
    }

    @Test("those that only calculate or read end with 0", .requiresMemcached)
    func quick() throws {
        var ran = 0
        for line in try Self.shellLines("README.md") {
            for words in Self.commands(line) where words.first == "spiral" && words.count > 1 {
                let isQuick =
                    words[1] == "predict" && !words.contains("--from-pid")
                    || words[1] == "run" && (words.contains("--show") || words.contains("--schema"))
                guard isQuick else { continue }
                ran += 1
                let program = try Program("spiral", Array(words.dropFirst()))
                let exit = program.wait()
                let text = try program.text
                #expect(exit == .status(0), "\(line): \(text)")
            }
        }
        #expect(ran >= 2)
    }
}
