import Glibc

/// The C library's words for an `errno`, in lower case. Since glibc 2.32 `strerror` may be called from any thread.
func systemReason(_ code: Int32) -> String {
    guard let text = strerror(code) else { return "error \(code)" }
    return String(cString: text).lowercased()
}
