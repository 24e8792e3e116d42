"""The RTDS vectors: GBCS messages as ASCII hex, and the keys of their cast."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from harness.eui64 import Eui64
from harness.gbcs.key_files import PemFolderKeyStore
from tests.dcc_data import DCC_DATA, dcc_data

VECTORS = Path("gbcs", "rtds-4.5.0")
ACB = Eui64.parse("90B3D51F30000002")
SUPPLIER = Eui64.parse("90B3D51F30010000")
ESME, GSME, CHF, GPF, PPMID, HCALCS = (Eui64.parse(f"00DB1234567890A{digit}") for digit in range(6))


def vector(name: str) -> bytes:
    """Return one vector, such as ``11.2_CS08/CS08_11.2_SUCCESS_COMMAND``; skip where the data is absent."""
    return bytes.fromhex(dcc_data(str(VECTORS), f"{name}_GBCS.HEX").read_text().strip())


def vectors() -> dict[str, bytes]:
    """Return all vectors by directory and name."""
    root = dcc_data(str(VECTORS))
    files = sorted(root.glob("*/*.HEX"))
    return {f"{file.parent.name}/{file.stem}": bytes.fromhex(file.read_text().strip()) for file in files}


@cache
def _rtds_keys() -> PemFolderKeyStore:
    return PemFolderKeyStore.load(dcc_data("pki", "rtds"))


def rtds_keys() -> PemFolderKeyStore:
    """Return the cast's keys: certificates of all, private keys of organisations; skip where absent."""
    if DCC_DATA is None:
        pytest.skip("no published DCC data here; set PPMID_BENCH_DCC_DATA to its folder")
    return _rtds_keys()


def rtds_certificate(eui: Eui64, usage: str = "ka") -> bytes:
    """Return the DER octets of a certificate of the cast."""
    pem = dcc_data("pki", "rtds", f"{eui.value:016x}-{usage}.pem").read_bytes()
    return load_pem_x509_certificate(pem).public_bytes(Encoding.DER)
