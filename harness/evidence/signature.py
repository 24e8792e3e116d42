"""A user's signature over a pack's checksums, in a file of its own: Ed25519, or ECDSA with SHA-256.

The file holds the bare signature (DER for ECDSA), as ``openssl`` makes and checks it.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509 import load_pem_x509_certificate

from harness.errors import ConfigError
from harness.evidence.sums import SIGNATURE, SUMS, write_whole

PASSPHRASE = "PPMID_BENCH_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
SigningKey = Ed25519PrivateKey | EllipticCurvePrivateKey
CheckingKey = Ed25519PublicKey | EllipticCurvePublicKey
_WANTED = "an Ed25519 or an elliptic-curve key in PEM"


def signing_key(path: Path) -> SigningKey:
    """Read a private key. Raises ConfigError."""
    passphrase = os.environ.get(PASSPHRASE)
    try:
        key = load_pem_private_key(_read(path), passphrase.encode() if passphrase else None)
    except TypeError:
        remedy = f"put its passphrase into {PASSPHRASE}" if not passphrase else f"unset {PASSPHRASE}"
        raise ConfigError("the passphrase does not fit this key", file=path, remedy=remedy) from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"expected {_WANTED}: {error}", file=path) from None
    if not isinstance(key, SigningKey):
        raise ConfigError(f"expected {_WANTED}, not {type(key).__name__}", file=path)
    return key


def checking_key(path: Path) -> CheckingKey:
    """Read a public key, or a certificate that has one. Raises ConfigError."""
    pem = _read(path)
    try:
        if b"BEGIN CERTIFICATE" in pem:
            key: object = load_pem_x509_certificate(pem).public_key()
        else:
            key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"expected the public half of {_WANTED}: {error}", file=path) from None
    if not isinstance(key, CheckingKey):
        raise ConfigError(f"expected {_WANTED}, not {type(key).__name__}", file=path)
    return key


def sign(folder: Path, key: SigningKey) -> Path:
    """Sign a pack's checksums; return the signature's file."""
    said = (folder / SUMS).read_bytes()
    made = key.sign(said) if isinstance(key, Ed25519PrivateKey) else key.sign(said, ECDSA(hashes.SHA256()))
    return write_whole(folder / SIGNATURE, made)


def signature_holds(folder: Path, key: CheckingKey) -> bool:
    """Say whether a pack's signature is there and was made with this key over its checksums."""
    try:
        made, said = (folder / SIGNATURE).read_bytes(), (folder / SUMS).read_bytes()
        if isinstance(key, Ed25519PublicKey):
            key.verify(made, said)
        else:
            key.verify(made, said, ECDSA(hashes.SHA256()))
    except (InvalidSignature, FileNotFoundError):
        return False
    return True


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=path) from None
