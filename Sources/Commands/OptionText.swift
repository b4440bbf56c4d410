internal import ArgumentParser

/// Reads the text of an option, and says which option it was when it cannot be read.
package func readOption<Value>(
    _ option: String,
    _ text: String,
    as make: (String) throws -> Value
) throws -> Value {
    do {
        return try make(text)
    } catch {
        throw ValidationError("\(option): \(error)")
    }
}
