internal import Commands
internal import Reports

extension Screen {
    /// - Throws: ``Refusal`` when something that was to be shown was not, for another reason than that its reader left.
    func checkWritten() throws {
        if let failure, let refusal = Refusal(unprinted: failure) { throw refusal }
    }
}
