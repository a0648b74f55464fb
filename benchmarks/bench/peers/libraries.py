"""The peers that are libraries."""

import os

from . import kms
from .transform import Library


def multifernet():
    from cryptography.fernet import Fernet, MultiFernet

    old, new = Fernet(Fernet.generate_key()), Fernet(Fernet.generate_key())
    both = MultiFernet([new, old])
    return (lambda count, size: [old.encrypt(os.urandom(size)) for _ in range(count)],
            lambda tokens: [both.rotate(token) for token in tokens])


def tink_aead():
    import tink
    from tink import aead

    aead.register()
    template = aead.aead_key_templates.AES256_GCM
    # As a rotation goes: the new key joins the keyset and becomes the primary one; the old one still decrypts.
    first = tink.new_keyset_handle(template)
    old = first.primitive(aead.Aead)
    both = with_new_primary(first, template).primitive(aead.Aead)
    decrypt, encrypt = both.decrypt, both.encrypt
    return (lambda count, size: [old.encrypt(os.urandom(size), b"") for _ in range(count)],
            lambda texts: [encrypt(decrypt(text, b""), b"") for text in texts])


def with_new_primary(handle, template):
    """The keyset of `handle` with another key, which is the primary one."""
    import io

    import tink
    from tink import cleartext_keyset_handle
    from tink.proto import tink_pb2

    def keyset(of):
        stream = io.BytesIO()
        cleartext_keyset_handle.write(tink.BinaryKeysetWriter(stream), of)
        return tink_pb2.Keyset.FromString(stream.getvalue())

    joined = keyset(handle)
    added = keyset(tink.new_keyset_handle(template))
    joined.key.extend(added.key)
    joined.primary_key_id = added.primary_key_id
    return cleartext_keyset_handle.read(tink.BinaryKeysetReader(joined.SerializeToString()))


def key_wrap():
    from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap

    old, new = os.urandom(32), os.urandom(32)
    return (lambda count, size: [aes_key_wrap(old, os.urandom(32)) for _ in range(count)],
            lambda keys: [aes_key_wrap(new, aes_key_unwrap(old, key)) for key in keys])


def jwe():
    from joserfc.jwe import decrypt_compact, encrypt_compact
    from joserfc.jwk import OctKey

    old, new = OctKey.generate_key(256), OctKey.generate_key(256)
    header = {"alg": "A256KW", "enc": "A256GCM"}
    return (lambda count, size: [encrypt_compact(header, os.urandom(size), old) for _ in range(count)],
            lambda tokens: [encrypt_compact(header, decrypt_compact(token, old).plaintext, new) for token in tokens])


def vault():
    from ansible.constants import DEFAULT_VAULT_ID_MATCH
    from ansible.parsing.vault import VaultLib, VaultSecret

    old, new = (VaultLib([(DEFAULT_VAULT_ID_MATCH, VaultSecret(os.urandom(16).hex().encode()))]) for _ in range(2))
    return (lambda count, size: [old.encrypt(os.urandom(size)) for _ in range(count)],
            lambda texts: [new.encrypt(old.decrypt(text)) for text in texts])


def rage():
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    old = [identity.to_public()]
    new = [pyrage.x25519.Identity.generate().to_public()]
    return (lambda count, size: [pyrage.encrypt(os.urandom(size), old) for _ in range(count)],
            lambda files: [pyrage.encrypt(pyrage.decrypt(file, [identity]), new) for file in files])


STORES = ("memory", "memory x 2", "SQLite", "SQLite x 2")

LIBRARIES = [
    Library(
        "MultiFernet.rotate", "cryptography", "AES-128-CBC and HMAC of the content, old and new", multifernet,
        ways=STORES, sizes=(64, 256),
        like="No: it encrypts the content again, under the master key itself; a rewrap moves 44 bytes whatever the content's "
             "size. What Airflow and Keystone run. It has no data keys, states, fence or compare-and-swap; its key is its "
             "user's to keep. It needs no store."),
    Library(
        "Tink AEAD", "tink", "AES-256-GCM of the content, decrypted and encrypted under the new primary key", tink_aead,
        is_fast=True, ways=STORES, sizes=(64, 256),
        like="With re-encrypt, as to the bytes: both decrypt and encrypt AES-256-GCM. keyroll makes a new data key for "
             "each secret, wraps it, authenticates name and context, and commits durably; Tink encrypts all under one key."),
    Library(
        "AES-KW", "cryptography", "RFC 3394 unwrap and wrap of a 32-byte data key", key_wrap,
        is_fast=True, takes_contents=False, ways=STORES, sizes=(64,),
        like="Yes, with rotate, as to the cryptography and the commits: a wrapped key a row, WAL, 10,240 rows a "
             "transaction, synchronous=NORMAL and one full commit at the end. No compare-and-swap, counters, journal, "
             "quarantine or fence."),
    Library(
        "joserfc JWE", "joserfc", "A256KW and A256GCM, decrypted and encrypted anew, base64", jwe,
        like="With re-encrypt: a new content key for each, wrapped, as in COSE; in memory, no store."),
    Library(
        "age format (pyrage)", "pyrage", "X25519 and ChaCha20-Poly1305, decrypted and encrypted to a new recipient", rage,
        like="With re-encrypt; to a public key, so that the writer needs no secret, which keyroll cannot. In memory."),
    Library(
        "ansible-vault, VaultLib", "ansible-core", "PBKDF2, AES-256-CTR and HMAC, old and new", vault,
        like="With re-encrypt; each secret derives its key from a passphrase, on purpose slowly. In memory."),
    Library(
        "KMS ReEncrypt, moto", "moto", "ReEncrypt through boto3", kms.through_boto, ways=("memory",), beside=kms.moto,
        like="A simulator (moto's server on loopback), so a figure of the simulator: no hardware, no network, no quota. "
             "The real one keeps its keys in hardware, which keyroll does not, and each call is a round trip."),
    Library(
        "KMS ReEncrypt, bare HTTP", "cryptography", "AES-256-GCM behind one HTTP request each", kms.through_http,
        ways=("memory", "memory x 2"), beside=kms.bare,
        like="A simulator of 40 lines on loopback: what one request a secret costs at the least. As above otherwise."),
]
