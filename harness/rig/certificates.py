"""Smart Energy certificates of a user's own, by Certicom or another, from files.

A file of `ppmid-bench/certificate@1` has what a device holds for one suite: `certificate` (48 octets for
suite 1, 74 for suite 2), `private-key`, and `ca-key`, its issuer's public key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.documents import HexBytes, Node, bind, load_document
from harness.errors import ConfigError, DecodeError
from harness.eui64 import Eui64
from harness.zigbee.cbke.authority import BenchAuthority, DeviceCredentials
from harness.zigbee.cbke.certificates import Certificate
from harness.zigbee.cbke.suites import SUITES, Suite

_BY_LENGTH = {suite.certificate_octets: suite for suite in SUITES.values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class _CertificateFile:
    certificate: HexBytes
    private_key: HexBytes
    ca_key: HexBytes
    where: Node


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """A CredentialStore of files; a suite that no file is for is the bench's own authority's."""

    files: Mapping[tuple[Eui64, Suite], DeviceCredentials]
    otherwise: BenchAuthority

    def credentials(self, eui64: Eui64, suite: Suite) -> DeviceCredentials:
        """Return a device's credentials; KeyError when there are files for the suite, and none is its own."""
        if any(known is suite for _, known in self.files):
            return self.files[eui64, suite]
        return self.otherwise.credentials(eui64, suite)


def load_certificates(paths: Iterable[Path], otherwise: BenchAuthority) -> CertificateFiles:
    """Read the files; raises ConfigError."""
    files: dict[tuple[Eui64, Suite], DeviceCredentials] = {}
    for path in paths:
        found = load_certificate(path)
        name = (found.certificate.subject, found.suite)
        if name in files:
            raise ConfigError(f"a second {found.suite.name} certificate for {name[0]}", file=path)
        files[name] = found
    return CertificateFiles(files=files, otherwise=otherwise)


def load_certificate(path: Path) -> DeviceCredentials:
    """Read one file; raises ConfigError with its line for what is wrong."""
    entry = bind(load_document(path, "certificate"), _CertificateFile)
    places = entry.where.items
    suite = _BY_LENGTH.get(len(entry.certificate))
    if suite is None:
        raise places["certificate"].error(
            f"`certificate` has 48 octets (suite 1) or 74 (suite 2), not {len(entry.certificate)}"
        )
    private_key = int.from_bytes(entry.private_key, "big")
    if not 0 < private_key < suite.curve.order:
        raise places["private-key"].error(f"`private-key` is no private key of {suite.name}")
    try:
        issuer_key = suite.curve.decode(entry.ca_key, "CA key")
    except DecodeError as error:
        raise places["ca-key"].error(f"`ca-key` is no public key of {suite.name}: {error}") from None
    try:
        found = DeviceCredentials(
            certificate=Certificate(suite, bytes(entry.certificate)),
            private_key=private_key,
            issuer_key=issuer_key,
        )
        fits = found.consistent()
    except DecodeError as error:
        raise places["certificate"].error(f"`certificate` is none of {suite.name}: {error}") from None
    if not fits:
        raise entry.where.error("certificate, private key and CA key do not belong together")
    return found
