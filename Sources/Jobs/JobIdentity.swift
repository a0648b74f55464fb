import Cryptography
import Files

/// Names for jobs that sort by time and never come twice: `rotate-20261124T063500Z-1a2b3c4d`.
public enum JobIdentity {
    /// A new one.
    ///
    /// - Parameter kind: what the job does, such as `rotate`.
    public static func new(_ kind: String) throws -> String {
        let moment = Timestamp.now.description.filter { $0 != "-" && $0 != ":" }
        return "\(kind)-\(moment)-\(hexadecimal(try Random.publicBytes(4)))"
    }
}
