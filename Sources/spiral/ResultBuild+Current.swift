internal import Commands
internal import Results

extension ResultBuild {
    /// This program's own.
    static var current: ResultBuild {
        let facts = BuildFacts.current
        return ResultBuild(
            version: facts.version,
            commit: facts.commit,
            configuration: facts.configuration,
            swift: facts.swift,
            architecture: facts.architecture
        )
    }
}
