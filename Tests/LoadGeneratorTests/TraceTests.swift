import Testing
import Units

@testable import LoadGenerator

@Suite("Trace")
struct TraceTests {
    @Test("it reads what it wrote, sizes and URIs")
    func roundTrip() throws {
        let entries: [Trace.Entry] = [
            .init(offset: .milliseconds(5), caller: "a", batch: .size(3)),
            .init(offset: .milliseconds(1500), caller: "b", batch: .uris(["at://x", "at://y"])),
        ]
        #expect(try Trace.entries(of: Trace.text(entries)) == entries)
        let unsorted = #"{"offset":2,"caller":"a","uris":1}"# + "\n\n" + #"{"offset":1,"caller":"a","uris":1}"# + "\n"
        #expect(try Trace.entries(of: Array(unsorted.utf8)).map(\.offset) == [.seconds(1), .seconds(2)])
    }

    @Test("a byte order mark, line ends of Windows and a missing last one are no part of a line")
    func foreign() throws {
        let line = #"{"offset":1,"caller":"a","uris":2}"#
        for text in ["\u{feff}\(line)\r\n\(line)\r\n", "\r\n\(line)\r\n\(line)", "\(line)\n \t\n\(line)\n\n"] {
            #expect(try Trace.entries(of: Array(text.utf8)).count == 2)
        }
        for text in ["", "\n\r\n ", "\u{feff}", "\u{feff}\r\n"] {
            let problem = #expect(throws: Trace.Problem.self) { try Trace.entries(of: Array(text.utf8)) }
            #expect(problem?.description == "it has no line")
        }
    }

    @Test(
        "a broken line is refused, and it is said which it is",
        arguments: [
            "{", "[]", #"{"offset":-1,"caller":"a","uris":1}"#, #"{"offset":1e300,"caller":"a","uris":1}"#,
            #"{"offset":1,"caller":"a b","uris":1}"#, #"{"offset":1,"caller":"a","uris":0}"#,
            #"{"offset":1,"caller":"a","uris":[]}"#, #"{"offset":1,"caller":"a","uris":["x y"]}"#,
            #"{"offset":1,"caller":"a","uris":["\""]}"#, #"{"offset":1,"caller":"a","uris":1.5}"#,
            #"{"offset":1,"caller":"a"}"#, #"{"offset":"1","caller":"a","uris":1}"#,
            #"{"offset":null,"caller":"a","uris":1}"#,
            #"{"offset":1,"caller":1,"uris":1}"#, #"{"offset":1,"caller":"","uris":1}"#,
            #"{"offset":1,"caller":"a","uris":-1}"#, #"{"offset":1,"caller":"a","uris":99999999999999999999}"#,
            #"{"offset":1,"caller":"a","uris":1000001}"#, #"{"offset":1,"caller":"a","uris":"at://x"}"#,
            #"{"offset":1,"caller":"a","uris":[1]}"#, #"{"offset":1,"caller":"a","uris":[""]}"#,
            #"{"offset":1e999,"caller":"a","uris":1}"#, #"{"offset":NaN,"caller":"a","uris":1}"#,
            #"{"offset":-0.001,"caller":"a","uris":1}"#, #"{"offset":1,"caller":"a","uris":1} x"#, "null", "\u{0}",
            #"{"offset":1,"caller":"a","uris":1}{"offset":1,"caller":"a","uris":1}"#,
        ]
    )
    func broken(line: String) {
        let text = #"{"offset":1,"caller":"a","uris":1}"# + "\n" + line + "\n"
        do {
            _ = try Trace.entries(of: Array(text.utf8))
            Issue.record("it was taken")
        } catch {
            #expect(error.line == 2)
        }
    }
}
