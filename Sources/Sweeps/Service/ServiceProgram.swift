internal import Exec
internal import Glibc
internal import POSIX
internal import Testbed

/// A program of a cell: somebody's server, or what is started beside it. It ends when it is let go of.
final class ServiceProgram {
    /// The option that has its command.
    private let option: String
    private let name: String
    private var program: LaunchedProgram
    private let folder: RunFolder
    private let log: String

    /// - Parameters:
    ///   - words: the command.
    ///   - log: name of the file in the folder for what it prints.
    /// - Throws: ``TestbedError``
    init(
        _ option: String,
        _ words: [String],
        in room: borrowing Room,
        _ signals: SignalState,
        descriptors: DescriptorLimit,
        log: String,
        in folder: RunFolder
    ) throws(TestbedError) {
        self.option = option
        self.folder = folder
        self.log = log
        name = words[0]
        let path: String
        do {
            path = try CommandPath.find(name)
        } catch {
            throw TestbedError("\(option): \(name): \(error.text)")
        }
        var launch = Launch(
            path: path,
            arguments: Array(words.dropFirst()),
            name: name,
            descriptors: descriptors,
            ownGroup: true
        )
        do {
            let nothing = try Descriptor.reading("/dev/null")
            let output = try Descriptor.creating(folder.path + "/" + log)
            launch.input = nothing.rawValue
            launch.output = output.rawValue
            launch.errorOutput = output.rawValue
            program = try Self.execute(launch, in: room, signals)
            _ = consume nothing
            _ = consume output
        } catch let error as Launch.Failure {
            throw TestbedError("\(option): \(name) cannot be started: \(error.text(descriptors))")
        } catch {
            throw TestbedError("\(option): \(name) cannot be started: \(error)")
        }
    }

    private static func execute(
        _ launch: Launch,
        in room: borrowing Room,
        _ signals: SignalState
    ) throws(Launch.Failure) -> LaunchedProgram {
        do {
            return try launch.hold(in: room, signals).execute()
        } catch  where error.step == .exec && error.errno == ENOEXEC {
            // A script that does not say by what: shells read it themselves.
            var script = launch
            script.arguments.insert(script.path, at: 0)
            script.path = "/bin/sh"
            return try script.hold(in: room, signals).execute()
        }
    }

    var process: Int32 { program.process }

    /// - Parameter moment: when that matters, in words.
    /// - Throws: ``TestbedError`` with its last words when it has ended.
    func checkAlive(_ moment: String) throws(TestbedError) {
        guard let exit = program.poll() else { return }
        throw TestbedError("\(option): \(name) ended (\(exit)) \(moment)\(folder.lastWords(log))")
    }

    var lastWords: String { folder.lastWords(log) }
}
