/// How much a broker takes on.
public struct BrokerOptions: Sendable {
    /// The socket; nil where the service manager hands one over.
    public var socket: String
    /// Connections at once.
    public var connections = 16_384
    /// Connections of one user at once.
    public var connectionsOfUser = 12_288
    /// Connections at once of a user whom the policy does not name.
    public var connectionsOfStranger = 64
    /// Connections at once of all such users together.
    public var strangers = 512
    /// Requests a second of one user.
    public var rate = 100_000.0
    /// Requests a second of a user whom the policy does not name.
    public var rateOfStrangers = 20.0
    /// Seconds for the head of a request, once it has begun, and for an answer to be taken.
    public var patience = 10.0
    /// Bytes a second that a payload has to come with.
    public var slowest = 256.0 * 1024
    /// Bytes of payloads, and of answers that wait to be taken, at once.
    public var payload = 768 << 20
    /// The same for one user.
    public var payloadOfUser = 192 << 20
    /// Commands at once.
    public var commands = 8
    /// Those of them that only look, and such of one user.
    public var inspections = 6
    /// The same for one user.
    public var inspectionsOfUser = 2
    /// Refusals of one user a second that are written down each; more are counted.
    public var refusals = 20.0
    /// Threads that serve requests.
    public var threads = 32
    /// Writes at once: a store whose writer is held up must not take all threads from those who read.
    public var changes = 24

    /// - Parameter socket: the socket's path.
    public init(socket: String) { self.socket = socket }
}
