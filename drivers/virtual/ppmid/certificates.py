"""Whether a device's key agreement certificate, as CS03C brings it, is the one that it must be.

Source: facts gb-domain §5 (profile of device certificates: P-256, key usage, EUI-64 as hardwareModuleName).
"""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs.der import DerReader

_HARDWARE_MODULE_NAME = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4")


def is_good(certificate: bytes, device: Eui64) -> bool:
    """Say whether these octets are a key agreement certificate of this device."""
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        key = parsed.public_key()
        usage = parsed.extensions.get_extension_for_class(x509.KeyUsage).value
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    on_p256 = isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1)
    return on_p256 and usage.key_agreement and device in _modules(names)


def _modules(names: x509.SubjectAlternativeName) -> tuple[Eui64 | None, ...]:
    others = names.get_values_for_type(x509.OtherName)
    return tuple(_module(name.value) for name in others if name.type_id == _HARDWARE_MODULE_NAME)


def _module(value: bytes) -> Eui64 | None:
    """Return the EUI-64 of ``SEQUENCE { OBJECT IDENTIFIER, OCTET STRING }``, None for anything else."""
    try:
        fields = DerReader(value).sequence("hardwareModuleName")
        fields.element("type")
        return Eui64.from_bytes_be(fields.octet_string("serial number", 8))
    except DecodeError:
        return None
