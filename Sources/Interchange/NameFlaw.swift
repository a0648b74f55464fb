import Glibc

/// What keeps bytes from being a secret's name.
enum NameFlaw {
    case empty, tooLong, containsNUL, notUTF8

    /// `nil` if they are a name.
    init?(_ bytes: UnsafeRawBufferPointer, limits: ImportLimits) {
        guard let base = bytes.baseAddress, bytes.count > 0 else {
            self = .empty
            return
        }
        if bytes.count > limits.maximumName {
            self = .tooLong
        } else if memchr(base, 0, bytes.count) != nil {
            self = .containsNUL
        } else if !UTF8Validation.isValid(bytes) {
            self = .notUTF8
        } else {
            return nil
        }
    }

    /// The words for an ``ImportProblem``.
    func message(_ limits: ImportLimits) -> String {
        switch self {
        case .empty: "the name is empty"
        case .tooLong: "the name is longer than \(limits.maximumName) bytes"
        case .containsNUL: "the name contains a nul character"
        case .notUTF8: "the name is not valid utf-8"
        }
    }
}
