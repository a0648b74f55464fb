import Glibc

/// Who asks, as the kernel says.
public struct Caller: Sendable, Equatable {
    /// The user's number.
    public var uid: UInt32
    /// The user's name, or its number where it has none.
    public var user: String
    /// The numbers of its groups, the supplementary ones too.
    public var groups: [UInt32]
    /// The process, when it connected.
    public var pid: Int32
    /// What that process runs, as far as it could be seen.
    public var executable: String

    /// - Parameters:
    ///   - uid: the user's number.
    ///   - user: the user's name.
    ///   - groups: the numbers of its groups.
    ///   - pid: the process.
    ///   - executable: what it runs.
    public init(uid: UInt32, user: String, groups: [UInt32], pid: Int32, executable: String) {
        self.uid = uid
        self.user = user
        self.groups = groups
        self.pid = pid
        self.executable = executable
    }
}

/// The users and groups of this machine, by name and number.
///
/// A value that is asked at every decision would read files each time: a broker asks again once in a while.
public struct Accounts: Sendable {
    private let user: @Sendable (String) -> UInt32?
    private let group: @Sendable (String) -> UInt32?

    /// - Parameters:
    ///   - user: a user's number.
    ///   - group: a group's number.
    public init(
        user: @escaping @Sendable (String) -> UInt32?, group: @escaping @Sendable (String) -> UInt32?
    ) {
        self.user = user
        self.group = group
    }

    /// What the system's databases say (getpwnam_r, getgrnam_r).
    public static let system = Accounts(
        user: { name in
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            var room = [CChar](repeating: 0, count: 1 << 16)
            guard getpwnam_r(name, &entry, &room, room.count, &found) == 0, found != nil else { return nil }
            return entry.pw_uid
        },
        group: { name in
            var entry = Glibc.group()
            var found: UnsafeMutablePointer<Glibc.group>?
            var room = [CChar](repeating: 0, count: 1 << 20)
            guard getgrnam_r(name, &entry, &room, room.count, &found) == 0, found != nil else { return nil }
            return entry.gr_gid
        })

    /// The numbers that a list of names stands for; names that nobody has stand for nobody.
    public func resolve(_ members: Members) -> ResolvedMembers {
        ResolvedMembers(
            users: Set(members.users.compactMap(user)), groups: Set(members.groups.compactMap(group)))
    }
}

/// Users and groups, by name.
public struct Members: Sendable, Equatable {
    /// Users.
    public var users: [String]
    /// Groups.
    public var groups: [String]

    /// - Parameters:
    ///   - users: by name.
    ///   - groups: by name.
    public init(users: [String] = [], groups: [String] = []) {
        self.users = users
        self.groups = groups
    }
}

/// The same by number, as this machine has them now.
public struct ResolvedMembers: Sendable, Equatable {
    /// Users.
    public var users: Set<UInt32>
    /// Groups.
    public var groups: Set<UInt32>

    /// Whether a caller is one of them.
    public func contains(_ caller: Caller) -> Bool {
        users.contains(caller.uid) || caller.groups.contains { groups.contains($0) }
    }
}
