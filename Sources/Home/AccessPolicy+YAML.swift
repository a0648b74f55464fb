public import Access
import Cryptography
public import KeyManagement

/// A group's policy of access as an owner writes and signs it: a YAML file.
extension AccessPolicy {
    private static let format = 1

    /// Reads a policy.
    ///
    /// - Parameters:
    ///   - document: the text, at most ``AccessPolicy/limit`` bytes.
    ///   - place: where it comes from, for messages.
    /// - Throws: ``HomeError`` with `configuration`, naming the line; `AccessError` with `policy`.
    public init(yaml document: [UInt8], from place: String) throws {
        guard document.count <= Self.limit, let text = String(validating: document, as: UTF8.self) else {
            throw HomeError(.configuration, "\(place): has to be UTF-8 of at most \(Self.limit) bytes")
        }
        let root = try YAMLDocument(text: text, from: place)
        try root.expect(only: ["format", "group", "identity", "revision", "owners", "roles", "access", "audit"])
        guard let format = try root.integer("format", in: 1...1_000_000) else {
            throw HomeError(.configuration, "\(place): 'format' is missing; add: format: 1")
        }
        guard format <= Self.format else {
            throw root.error("format", "written for a newer keyroll (format \(format)); install that one")
        }
        guard let group = try root.string("group"), !group.isEmpty else {
            throw HomeError(.configuration, "\(place): 'group' is missing")
        }
        guard let identity = try root.string("identity").flatMap({ Identity(hexadecimal: $0) }) else {
            throw root.error(
                "identity", "'identity' has to be the group's, 32 digits; see: keyroll access policy template")
        }
        guard let revision = try root.integer("revision", in: 1...Int(Int32.max)) else {
            throw HomeError(.configuration, "\(place): 'revision' is missing; the first has 1")
        }
        let owners = try (root.strings("owners") ?? []).map { try Self.certificate($0, root, "owners") }
        let access = try root.part("access")
        try access?.expect(only: ["requesters", "maximumDuration", "maximumWait", "levels"])
        let audit = try root.part("audit")
        try audit?.expect(only: ["checkpointEvery"])
        do {
            try self.init(
                group: group, identity: identity, revision: UInt64(revision), owners: owners, roles: Self.roles(root),
                requesters: Self.members(access, "requesters"), levels: Self.levels(access),
                maximumDuration: access?.duration("maximumDuration") ?? 4 * 3600,
                maximumWait: access?.duration("maximumWait") ?? 24 * 3600,
                checkpointEvery: audit?.integer("checkpointEvery", in: 1...100_000) ?? 1000)
        } catch let error as AccessError {
            throw AccessError(error.code, "\(place): \(error)")
        }
    }

    private static func roles(_ root: YAMLDocument) throws -> [Role: Members] {
        guard let part = try root.part("roles") else { return [:] }
        try part.expect(only: Set(Role.allCases.map(\.rawValue)))
        var roles: [Role: Members] = [:]
        for role in Role.allCases where try part.part(role.rawValue) != nil {
            roles[role] = try members(part, role.rawValue)
        }
        return roles
    }

    private static func members(_ parent: YAMLDocument?, _ key: String) throws -> Members {
        guard let part = try parent?.part(key) else { return Members() }
        try part.expect(only: ["users", "groups"])
        return Members(users: try part.strings("users") ?? [], groups: try part.strings("groups") ?? [])
    }

    private static func levels(_ access: YAMLDocument?) throws -> [ApprovalLevel] {
        try (access?.parts("levels") ?? []).map { part in
            try part.expect(only: ["name", "approvals", "approvers"])
            let approvers = try (part.parts("approvers") ?? []).map { item in
                try item.expect(only: ["user", "certificate"])
                guard let user = try item.string("user"), let pem = try item.string("certificate") else {
                    throw part.error("approvers", "an approver has 'user' and 'certificate'")
                }
                return try Approver(user: user, certificate: certificate(pem, item, "certificate"))
            }
            return try ApprovalLevel(
                name: part.string("name") ?? "", approvals: part.integer("approvals", in: 1...1000) ?? 1,
                approvers: approvers)
        }
    }

    private static func certificate(_ pem: String, _ document: YAMLDocument, _ key: String) throws -> Certificate {
        guard let certificate = try? Certificate(Array(pem.utf8)) else {
            throw document.error(key, "'\(key)' has to hold a certificate as PEM, with its BEGIN and END lines")
        }
        return certificate
    }

    /// A policy to begin with, as text: group and identity filled in.
    public static func template(of ring: Ring) -> String {
        """
        # Who may reach the keys of this group. An owner signs it; see docs/access.md
        format: 1
        group: \(HomeConfiguration.quoted(ring.name))
        identity: "\(ring.group)"
        revision: \((ring.access?.revision ?? 0) + 1)
        owners: # who signs the next revision: certificates as PEM, two spaces further in than the dash
          - |
            PASTE A CERTIFICATE HERE
        roles: # each with users, groups or both
          operator: {users: [], groups: []}
          reader: {users: [], groups: []}
          writer: {users: [], groups: []}
          auditor: {users: [], groups: []}
        access:
          requesters: {users: [], groups: []}
          maximumDuration: 4h
          maximumWait: 24h
          levels: # in this order
            - name: security
              approvals: 1
              approvers:
                - user: NAME
                  certificate: |
                    PASTE A CERTIFICATE HERE
        audit:
          checkpointEvery: 1000

        """
    }
}
