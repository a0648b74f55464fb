/// What the database shows of a ring in clear, so that the server can guard the policy and auditors can follow: JSON
/// with a fixed order, without anything that people wrote.
enum RingDisclosure {
    static func text(_ policy: Policy) -> String {
        let parts: KeyValuePairs<String, Int64> = [
            "cryptoperiod": policy.cryptoperiod, "propagationDelay": policy.propagationDelay,
            "soakTime": policy.soakTime, "keepDeactivated": Int64(policy.keepDeactivated),
            "destroyRetention": policy.destroyRetention, "rehearsalPeriod": policy.rehearsalPeriod,
        ]
        return "{" + parts.map { "\"\($0.key)\": \($0.value)" }.joined(separator: ", ") + "}"
    }

    static func text(_ generations: [Generation]) -> String {
        let items = generations.map { generation in
            let states = generation.history.map { "{\"state\": \"\($0.state.rawValue)\", \"at\": \"\($0.at)\"}" }
            return "{\"number\": \(generation.number), \"state\": \"\(generation.state.rawValue)\", "
                + "\"archived\": \(generation.isArchived), \"history\": [\(states.joined(separator: ", "))]}"
        }
        return "[" + items.joined(separator: ", ") + "]"
    }
}
