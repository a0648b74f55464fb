public import Cryptography
public import Files

/// Checks what an approver signed: CMS SignedData (RFC 5652) over a statement.
public enum ApprovalSignature {
    /// Who signed a statement.
    ///
    /// - Parameters:
    ///   - message: as `openssl cms -sign` writes it: DER, PEM or S/MIME, with the content in it or without; hostile.
    ///   - statement: what has to be signed.
    ///   - trusted: the certificates that count.
    ///   - now: outside its dates a certificate does not sign; nil for what was checked when it was taken.
    /// - Returns: the message as DER, and the certificate whose key signed.
    /// - Throws: ``AccessError`` with `refused`.
    public static func check(
        _ message: [UInt8], of statement: [UInt8], trusted: [Certificate], now: Timestamp?
    ) throws -> (der: [UInt8], signer: Certificate) {
        guard let (der, isDetached) = try? SignedMessage.normalize(message) else {
            throw AccessError(
                .refused,
                "the approval is no CMS signature; make one with: openssl cms -sign -binary -outform PEM -in STATEMENT -signer CERTIFICATE -inkey KEY"
            )
        }
        // Without -binary openssl signs the text with carriage returns.
        let forms = [statement, withCarriageReturns(statement)]
        var failure: CryptographyError?
        for form in forms {
            do {
                let (content, signer) = try SignedMessage.verify(der, of: isDetached ? form : nil, trusted: trusted)
                guard isDetached || content == form else { continue }
                if let now, !signer.isValid(at: now.rawValue) {
                    throw AccessError(.refused, "the certificate '\(signer.subject)' has expired, or is not valid yet")
                }
                return (der, signer)
            } catch let error as CryptographyError { failure = error }
        }
        if failure?.code == .unknownSigner {
            throw AccessError(.refused, "signed by nobody whose signature counts here; see: keyroll access policy show")
        }
        throw AccessError(
            .refused, "the signature does not fit this text: another request was signed, or it was altered")
    }

    private static func withCarriageReturns(_ text: [UInt8]) -> [UInt8] {
        text.reduce(into: []) { result, byte in
            if byte == 10 { result.append(13) }
            result.append(byte)
        }
    }
}
