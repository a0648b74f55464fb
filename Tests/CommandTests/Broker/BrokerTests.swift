import Testing

/// The broker and elevated access, with real users: everything about them is in here, so that one line says it where it
/// cannot be run.
@Suite(.enabled(if: TestUser.areThere, Comment(rawValue: TestUser.notice))) enum BrokerTests {}
