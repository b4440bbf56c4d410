import Glibc
import POSIX
import TestSupport
import Testing

@Suite("Held folders", .timeLimit(.minutes(1)))
struct HeldFolderTests {
    private let file: TemporaryFile
    private var parent: String { file.folderPath }

    init() throws {
        file = try TemporaryFile()
    }

    private var abandoned: Set<String> {
        var found: Set<String> = []
        HeldFolder.abandoned(in: parent, prefix: "test-") { found.insert($0) }
        return found
    }

    @Test("one is this user's alone, and found to be abandoned only when nobody holds it")
    func abandonment() throws {
        let kept = try HeldFolder(in: parent, prefix: "test-")
        let path: String
        do {
            let left = try HeldFolder(in: parent, prefix: "test-")
            path = left.path
            #expect(abandoned.isEmpty)
        }
        #expect(abandoned == [path])
        var status = stat()
        #expect(stat(kept.path, &status) == 0 && status.st_mode & 0o7777 == 0o700)
        #expect(kept.path != path)
    }

    @Test("folders of others, open ones, links and files are nobody's to take")
    func others() throws {
        for (name, mode) in [("test-abcdef", 0o700), ("test-abcdeg", 0o755), ("test-longer-name", 0o700)] {
            try #require(mkdir(parent + "/" + name, mode_t(mode)) == 0)
        }
        try #require(symlink(parent + "/test-longer-name", parent + "/test-abcdeh") == 0)
        try Descriptor.creating(parent + "/test-abcdei").close()
        #expect(abandoned == [parent + "/test-abcdef"])
        guard geteuid() == 0 else { return }
        try #require(chown(parent + "/test-abcdef", 65534, 65534) == 0)
        #expect(abandoned.isEmpty)
    }
}
