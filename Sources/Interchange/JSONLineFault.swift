/// What is wrong with one line of JSON. A trivial value, so that throwing it costs nothing to speak of.
package struct JSONLineFault: Error, Equatable {
    package enum Reason {
        case notAnObject, array, tooDeep, trailing, unfinished
        case expectedName, expectedColon, expectedCommaOrBrace, expectedCommaOrBracket, expectedValue
        case badLiteral, badNumber
        case unfinishedString, controlCharacter, badEscape, loneSurrogate, badUTF8
        case repeatedName, repeatedContext, repeatedSecret, repeatedBase64
        case nameNotString, contextNotString, secretNotString, base64NotString
        case noName, noSecret, twoSecrets
        case emptyName, longName, nulInName, longContext, longSecret, badBase64
    }

    package let reason: Reason
    /// Where, in bytes from the beginning of the line, from 1; 0 if the line as a whole is meant.
    package let column: Int

    /// The words for an ``ImportProblem``. They name places and rules, never what stands there.
    package func message(_ limits: ImportLimits) -> String {
        column == 0 ? explanation(limits) : "column \(column): \(explanation(limits))"
    }

    private func explanation(_ limits: ImportLimits) -> String {
        switch reason {
        case .notAnObject: "not a json object"
        case .array: "an array, where each line must be an object (jq -c '.[]' converts an array to lines)"
        case .tooDeep: "more than \(JSONLineParser.maximumDepth) objects and arrays inside one another"
        case .trailing: "something after the end of the object"
        case .unfinished: "the line ends before the object does"
        case .expectedName: "expected a member's name in quotes"
        case .expectedColon: "expected a colon after a member's name"
        case .expectedCommaOrBrace: "expected a comma or a closing brace"
        case .expectedCommaOrBracket: "expected a comma or a closing bracket"
        case .expectedValue: "expected a value"
        case .badLiteral: "expected true, false or null"
        case .badNumber: "not a number as json writes it"
        case .unfinishedString: "the line ends inside a string"
        case .controlCharacter: "a control character in a string must be escaped"
        case .badEscape: "unknown escape in a string"
        case .loneSurrogate: "half of a surrogate pair stands alone"
        case .badUTF8: "not valid utf-8"
        case .repeatedName: "\"name\" is there twice"
        case .repeatedContext: "\"context\" is there twice"
        case .repeatedSecret: "\"secret\" is there twice"
        case .repeatedBase64: "\"secretBase64\" is there twice"
        case .nameNotString: "\"name\" must be a string"
        case .contextNotString: "\"context\" must be a string"
        case .secretNotString: "\"secret\" must be a string"
        case .base64NotString: "\"secretBase64\" must be a string"
        case .noName: "no \"name\""
        case .noSecret: "no \"secret\" and no \"secretBase64\""
        case .twoSecrets: "both \"secret\" and \"secretBase64\", only one may be there"
        case .emptyName: "the name is empty"
        case .longName: "the name is longer than \(limits.maximumName) bytes"
        case .nulInName: "the name contains a nul character"
        case .longContext: "the context is longer than \(limits.maximumContext) bytes"
        case .longSecret: "the secret is larger than \(limits.maximumSecret) bytes"
        case .badBase64: "not base64 (the standard alphabet, without white space)"
        }
    }
}
