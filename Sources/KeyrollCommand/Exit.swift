import Access
import Archives
import ArgumentParser
import Audit
import Broker
import BrokerWire
import Cryptography
import Custody
import Databases
import Envelopes
import Evidence
import Files
import Glibc
import Home
import Interchange
import KeyManagement
import PostgreSQL
import Protection
import Rotation
import SecretStores

/// The documented exit codes, and which error has which.
enum Exit: Int32 {
    case done = 0
    case needsAttention = 3
    case usage = 64
    case someFailed = 65
    case notFound = 66
    case unreachable = 69
    case fault = 70
    case exists = 73
    case inputOutput = 74
    case tryAgain = 75
    case notPermitted = 77
    case refused = 78

    /// Says what is wrong in one line and ends the process.
    static func fail(_ error: any Error) -> Never {
        Output.error("\(error)")
        AuditForwarding.finish()
        Glibc.exit(code(error).rawValue)
    }

    /// Ends the process.
    func leave() -> Never {
        AuditForwarding.finish()
        Glibc.exit(rawValue)
    }

    static func code(_ error: any Error) -> Exit {
        switch error {
        case let error as FileError: code(error)
        case let error as DatabaseFailure: code(error)
        case let error as ServerFailure: code(error)
        case let error as KeyManagementError: code(error)
        case let error as StoreError: code(error)
        case let error as HomeError: code(error)
        case let error as RotationError: code(error)
        case let error as ArchiveError: code(error)
        case let error as CustodyError: code(error)
        case let error as AuditError: code(error)
        case is EvidenceChain.Broken: .someFailed
        case is OwnerLock.Busy: .tryAgain
        case let error as AccessError: code(error)
        case let error as AuditError: error.code == .altered ? .refused : .inputOutput
        case let error as BrokerError: code(error)
        case is SecretCipher.Failure, is EnvelopeError: .someFailed
        case let error as ImportError: code(error)
        case is ExportError: .inputOutput
        case let error as CryptographyError: code(error)
        default: .fault
        }
    }

    private static func code(_ error: FileError) -> Exit {
        switch error.code {
        case .missing: .unreachable
        case .exists: .exists
        case .notPermitted: .notPermitted
        case .unsafe: .refused
        case .inputOutput: .inputOutput
        }
    }

    private static func code(_ error: DatabaseFailure) -> Exit {
        switch error.code {
        case .full, .inputOutput, .damaged: .inputOutput
        case .busy: .tryAgain
        case .notPermitted: .notPermitted
        case .missing: .unreachable
        case .internalError: .fault
        }
    }

    private static func code(_ error: ServerFailure) -> Exit {
        switch error.code {
        case .unreachable, .readsOnly, .missing: .unreachable
        case .notPermitted: .notPermitted
        case .unsafe, .configuration: .refused
        case .busy: .tryAgain
        case .full, .inputOutput: .inputOutput
        case .duplicate, .condition, .internalError: .fault
        }
    }

    private static func code(_ error: KeyManagementError) -> Exit {
        switch error.code {
        case .wrongRootKey, .ringNotAuthentic, .rootKeyMalformed, .newerFormat, .olderFormat: .refused
        case .rootKeyUnavailable: .unreachable
        case .transitionRefused, .challengeFailed: .notPermitted
        case .noSuchGeneration, .noActiveGeneration, .noSuchRecipient, .noSuchCopy: .notFound
        case .changedMeanwhile: .tryAgain
        case .exists: .exists
        case .probeFailed: .fault
        }
    }

    private static func code(_ error: StoreError) -> Exit {
        switch error.code {
        case .fenced, .claimLost: .tryAgain
        case .otherGroup, .foreignGenerations, .newerFormat, .olderFormat: .refused
        case .exists: .exists
        case .noSuchSecret: .notFound
        case .notAccepted: .usage
        case .damaged: .inputOutput
        }
    }

    private static func code(_ error: CryptographyError) -> Exit {
        switch error.code {
        case .memory: .inputOutput
        case .malformed: .someFailed
        case .unknownSigner, .notARecipient: .refused
        default: .fault
        }
    }

    private static func code(_ error: HomeError) -> Exit {
        switch error.code {
        case .noHome, .configuration: .refused
        case .exists: .exists
        case .noSuchFile, .noSuchStore: .notFound
        case .unreachable: .unreachable
        case .changedMeanwhile: .tryAgain
        }
    }

    private static func code(_ error: ArchiveError) -> Exit {
        switch error.code {
        case .noSuchBundle: .notFound
        case .damaged, .malformed, .notRestorable: .someFailed
        case .unknownSigner, .otherGeneration, .wrongKey, .newerFormat: .refused
        }
    }

    private static func code(_ error: CustodyError) -> Exit {
        switch error.code {
        case .refused: .notPermitted
        case .exists: .exists
        case .missing: .notFound
        case .doesNotBelong: .refused
        case .usage: .usage
        }
    }

    private static func code(_ error: AuditError) -> Exit {
        switch error.code {
        case .altered: .someFailed
        case .inputOutput, .syncFailed: .inputOutput
        case .closed: .tryAgain
        case .missing: .notFound
        case .usage: .usage
        }
    }

    private static func code(_ error: RotationError) -> Exit {
        switch error.code {
        case .incomplete: .someFailed
        case .outcomesDoNotAddUp: .fault
        case .noSuchJob: .notFound
        case .forgedJob: .refused
        case .leaseTooShort: .usage
        case .otherTarget: .notFound
        case .plannedMeanwhile: .tryAgain
        }
    }

    private static func code(_ error: AccessError) -> Exit {
        switch error.code {
        case .refused: .notPermitted
        case .noSuchRequest: .notFound
        case .notAccepted: .usage
        case .policy, .altered: .refused
        }
    }

    private static func code(_ error: BrokerError) -> Exit {
        switch error.code {
        case .unreachable: .unreachable
        case .refused: .notPermitted
        case .busy: .tryAgain
        case .failed(let exit): Exit(rawValue: exit) ?? .fault
        case .malformed: .fault
        }
    }

    private static func code(_ error: ImportError) -> Exit {
        switch error.code {
        case .noSuchPath: .notFound
        case .unknownFormat, .standardInputHasNoName: .usage
        case .unreadable: .inputOutput
        default: .someFailed
        }
    }
}

/// Runs a command's body, and turns what it throws into one line and an exit code.
func reporting(_ body: () throws -> Exit) -> Never {
    do { try body().leave() } catch { Exit.fail(error) }
}
