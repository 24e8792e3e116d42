"""Key stores over the published formats: a folder of PEM files, and the ZAZ1 key store.

The only module of this room that touches files, and only when asked for a key. Validity dates are not looked
at: the published test certificates have expired.
Source: facts gb-domain §5.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key, load_pem_private_key

from harness.errors import ConfigError
from harness.eui64 import Eui64
from harness.gbcs.certificates import BAD_CERTIFICATE
from harness.gbcs.keys import KeyNotFound, KeyUsage

_NAME = re.compile(r"^((?:[0-9a-f]{2}-?){7}[0-9a-f]{2})-((?:pp-)?ka|ds)\.(pem|key)$")
_FIRST_XML_SIGNING_ROLE = 128
_ZAZ1_USES = ("keyAgreement", "digitalSignature")


class PemFolderKeyStore:
    """Certificates ``<eui>-{ka,ds,pp-ka}.pem`` and private keys ``….key`` (PKCS #8, PEM or DER).

    The EUI-64 is 16 hex digits in either case, with or without hyphens. Files are read when first asked for.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        """`files` maps names such as ``00db1234567890a4-ka.pem``, digits in lower case, to paths."""
        self._files = files
        self._private: dict[str, EllipticCurvePrivateKey] = {}
        self._public: dict[str, EllipticCurvePublicKey] = {}

    @classmethod
    def load(cls, folder: Path) -> PemFolderKeyStore:
        """Look into a folder; raises ConfigError when there is none."""
        if not folder.is_dir():
            raise ConfigError("no such folder of keys", file=folder)
        found = ((_NAME.match(path.name.lower()), path) for path in sorted(folder.iterdir()))
        return cls({f"{name[1].replace('-', '')}-{name[2]}.{name[3]}": path for name, path in found if name})

    def check(self) -> None:
        """Read every file now; raises ConfigError for a bad one, or a key that is not its certificate's."""
        for name, path in self._files.items():
            stem, _, kind = name.rpartition(".")
            eui_text, _, usage_text = stem.partition("-")
            eui, usage = Eui64(int(eui_text, 16)), KeyUsage(usage_text)
            if kind == "pem":
                self.public_key(eui, usage)
                continue
            private = self.private_key(eui, usage)
            beside = self._files.get(f"{stem}.pem")
            if beside is not None and private.public_key() != self.public_key(eui, usage):
                raise ConfigError(f"not the private key of the certificate in {beside.name}", file=path)

    def private_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePrivateKey:
        """Return a private key; raises KeyNotFound, or ConfigError when its file is no P-256 key."""
        name = f"{eui.value:016x}-{usage.value}.key"
        if name not in self._private:
            self._private[name] = _private_key(self._octets(name, eui, usage), self._files[name])
        return self._private[name]

    def public_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePublicKey:
        """Return a certificate's key; raises KeyNotFound, or ConfigError when its file is no certificate."""
        name = f"{eui.value:016x}-{usage.value}.pem"
        if name not in self._public:
            self._public[name] = _certified_key(self._octets(name, eui, usage), self._files[name])
        return self._public[name]

    def certificate(self, eui: Eui64, usage: KeyUsage) -> bytes:
        """Return a certificate (DER); raises KeyNotFound, or ConfigError when its file is none."""
        name = f"{eui.value:016x}-{usage.value}.pem"
        return _certificate(self._octets(name, eui, usage), self._files[name]).public_bytes(Encoding.DER)

    def _octets(self, name: str, eui: Eui64, usage: KeyUsage) -> bytes:
        path = self._files.get(name)
        if path is None:
            raise KeyNotFound(eui, usage, "private key" if name.endswith(".key") else "certificate")
        try:
            return path.read_bytes()
        except OSError as error:
            raise ConfigError(f"cannot be read: {error.strerror}", file=path) from None


class Zaz1KeyStore:
    """The published ZAZ1 test keys: organisations only, by EUI-64, use and certificate serial.

    Where a party has several generations of a key, the one whose certificate ends last is taken. A prepayment
    key is told by ``PP-ka`` at the end of its name. Left out are XML-signing entries (roles from 128 on) and
    certificates that do not decode (the published ``mdr`` ones).
    """

    def __init__(self, text: str, *, file: Path | str = "keystore.json") -> None:
        """Read the json text; raises ConfigError. `file` is used in messages only."""
        try:
            entries = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"not json: {error}", file=file) from None
        self._entries: dict[tuple[Eui64, KeyUsage], tuple[x509.Certificate, str, str]] = {}
        field = "the whole"
        try:
            for eui_text, uses in entries.items():
                field = eui_text
                eui = Eui64.parse(eui_text)
                for use in _ZAZ1_USES:
                    for serial, entry in uses.get(use, {}).items():
                        field = f"{eui_text} {use} {serial}"
                        self._add(eui, entry, field)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            says = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise ConfigError(f"not a ZAZ1 key store, at `{field}`: {says}", file=file) from None
        self._file = file
        self._private: dict[tuple[Eui64, KeyUsage], EllipticCurvePrivateKey] = {}
        self._public: dict[tuple[Eui64, KeyUsage], EllipticCurvePublicKey] = {}

    @classmethod
    def load(cls, file: Path) -> Zaz1KeyStore:
        """Read the file; raises ConfigError."""
        try:
            return cls(file.read_text(encoding="utf-8"), file=file)
        except OSError as error:
            raise ConfigError(f"cannot be read: {error.strerror}", file=file) from None

    def private_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePrivateKey:
        """Return a private key; raises KeyNotFound."""
        if (eui, usage) not in self._private:
            _, text, field = self._entry(eui, usage, "private key")
            self._private[eui, usage] = _private_key(text.encode(), self._file, f"`{field} privateKey` is ")
        return self._private[eui, usage]

    def public_key(self, eui: Eui64, usage: KeyUsage) -> EllipticCurvePublicKey:
        """Return a certificate's key; raises KeyNotFound."""
        if (eui, usage) not in self._public:
            certificate = self._entry(eui, usage, "certificate")[0]
            self._public[eui, usage] = _certified_key(certificate.public_bytes(Encoding.PEM), self._file)
        return self._public[eui, usage]

    def certificate(self, eui: Eui64, usage: KeyUsage) -> bytes:
        """Return a certificate (DER); raises KeyNotFound."""
        return self._entry(eui, usage, "certificate")[0].public_bytes(Encoding.DER)

    def check(self) -> None:
        """Read every private key now; raises ConfigError for one that is bad, or not its certificate's."""
        for (eui, usage), (_, _, field) in self._entries.items():
            if self.private_key(eui, usage).public_key() != self.public_key(eui, usage):
                raise ConfigError(f"`{field} privateKey` is not that of its certificate", file=self._file)

    def _entry(self, eui: Eui64, usage: KeyUsage, what: str) -> tuple[x509.Certificate, str, str]:
        entry = self._entries.get((eui, usage))
        if entry is None:
            raise KeyNotFound(eui, usage, what)
        return entry

    def _add(self, eui: Eui64, entry: dict[str, Any], field: str) -> None:
        if int(entry["role"]) >= _FIRST_XML_SIGNING_ROLE:
            return
        try:
            certificate = x509.load_pem_x509_certificate(str(entry["certificate"]).encode())
        except BAD_CERTIFICATE:
            return
        usage = _usage(str(entry["name"]).lower())
        known = self._entries.get((eui, usage))
        if known is None or known[0].not_valid_after_utc < certificate.not_valid_after_utc:
            self._entries[eui, usage] = (certificate, str(entry["privateKey"]), field)


def _usage(name: str) -> KeyUsage:
    if name.endswith("-ds"):
        return KeyUsage.DIGITAL_SIGNATURE
    return KeyUsage.PREPAYMENT_KEY_AGREEMENT if name.endswith("pp-ka") else KeyUsage.KEY_AGREEMENT


def _private_key(octets: bytes, file: Path | str, where: str = "") -> EllipticCurvePrivateKey:
    load = load_pem_private_key if octets.startswith(b"-----BEGIN") else load_der_private_key
    try:
        key = load(octets, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{where}not a private key without a password: {error}", file=file) from None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise ConfigError(f"{where}not a P-256 key", file=file)
    return key


def _certificate(octets: bytes, file: Path | str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(octets)
    except BAD_CERTIFICATE as error:
        raise ConfigError(f"not a certificate: {error}", file=file) from None


def _certified_key(octets: bytes, file: Path | str) -> EllipticCurvePublicKey:
    try:
        key = _certificate(octets, file).public_key()
    except BAD_CERTIFICATE as error:
        raise ConfigError(f"not a certificate: {error}", file=file) from None
    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise ConfigError("not a certificate of a P-256 key", file=file)
    return key
