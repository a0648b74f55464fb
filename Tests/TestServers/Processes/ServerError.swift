/// Why a server that a test needs is not there, or what it answered instead.
package struct ServerError: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}
