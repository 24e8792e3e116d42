"""UTRNs: the 20 digits that top up a prepayment meter.

::

    PTUT  = 0000000 | counter bits 41..32 (10) | value class (2) | value (13) | MAC (32)
    MAC   = last 4 octets of the 16-octet GMAC tag under K, IV = supplier || 00000000,
            AAD = 110000000000 || supplier || meter || 01 || counter (8) || upper 32 bits of PTUT
    K     = the key of a command with this counter, from the supplier's prepayment key and the meter's
    UTRN  = 19 digits of PTUT + 7394156990786306048, and a check digit

The check digit is Verhoeff's, begun at the fifth permutation, its inverse permuted once.
Source: facts gb-domain §4; GBCS 14 (tables 14.8a to 14.8c); proved on RTDS CS01a.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import IntEnum

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs.header import Cra
from harness.gbcs.keys import KeyNotFound, KeyStore, KeyUsage
from harness.gbcs.mac import KeyAgreement, derive_key, gmac_tag

DIGITS = 20
LARGEST_VALUE = 0x1FFF

_OFFSET = 7_394_156_990_786_306_048
_PTUT_BITS = 57
_FIRST_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
_START = 4
_AAD_PREFIX = bytes.fromhex("110000000000")


class ValueClass(IntEnum):
    """What a value counts. 2 and 3 have no published meaning."""

    PENCE = 0
    POUNDS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """What a UTRN says: the value, ten bits of the originator counter, and the supplier's MAC (4 octets)."""

    value: int
    value_class: int
    counter_bits: int
    mac: bytes


def make_utrn(
    value: int,
    *,
    supplier: Eui64,
    meter: Eui64,
    counter: int,
    keys: KeyStore,
    value_class: ValueClass = ValueClass.PENCE,
) -> str:
    """Return the UTRN of a top-up, made with the supplier's private prepayment key or the meter's.

    Raises ValueError when the value is not 0 to 8191, and KeyNotFound.
    """
    if not 0 <= value <= LARGEST_VALUE:
        raise ValueError(f"a UTRN carries 0 to {LARGEST_VALUE}, not {value}")
    upper = (counter >> 32 & 0x3FF) << 15 | value_class << 13 | value
    mac = _mac(upper, supplier=supplier, meter=meter, counter=counter, keys=keys)
    digits = str(_OFFSET + (upper << 32 | int.from_bytes(mac, "big")))
    return digits + check_digit(digits)


def read_utrn(utrn: str) -> TopUp:
    """Read what a UTRN says; raises DecodeError when it is none, or its check digit is wrong."""
    if len(utrn) != DIGITS or not (utrn.isascii() and utrn.isdigit()):
        raise DecodeError("UTRN", f"has {DIGITS} digits, this is {utrn!r}")
    if check_digit(utrn[:-1]) != utrn[-1]:
        raise DecodeError("check digit of the UTRN", f"expected {check_digit(utrn[:-1])}, found {utrn[-1]}")
    ptut = int(utrn[:-1]) - _OFFSET
    if not 0 <= ptut < 1 << _PTUT_BITS:
        raise DecodeError("UTRN", f"{utrn} lies outside the range of prepayment tokens")
    upper = ptut >> 32
    return TopUp(
        value=upper & LARGEST_VALUE,
        value_class=upper >> 13 & 3,
        counter_bits=upper >> 15 & 0x3FF,
        mac=(ptut & 0xFFFFFFFF).to_bytes(4, "big"),
    )


def check_utrn(utrn: str, *, supplier: Eui64, meter: Eui64, counter: int, keys: KeyStore) -> TopUp:
    """Check as `meter` does that a UTRN is the supplier's under this originator counter; raises DecodeError.

    Whether the counter is a new one is the meter's to know.
    """
    top_up = read_utrn(utrn)
    if top_up.counter_bits != counter >> 32 & 0x3FF:
        raise DecodeError("counter bits of the UTRN", f"are {top_up.counter_bits:03X}, not the counter's")
    upper = top_up.counter_bits << 15 | top_up.value_class << 13 | top_up.value
    try:
        expected = _mac(upper, supplier=supplier, meter=meter, counter=counter, keys=keys)
    except KeyNotFound as missing:
        raise DecodeError("UTRN", f"its supplier is not trusted: {missing}") from None
    if not hmac.compare_digest(top_up.mac, expected):
        raise DecodeError("MAC of the UTRN", "does not verify")
    return top_up


def check_digit(digits: str) -> str:
    """Return the check digit of decimal digits."""
    total = 0
    for place, digit in enumerate(digits, start=_START):
        total = _multiply(total, _permute(int(digit), place % 8))
    return str(_permute(_inverse(total), 1))


def _mac(upper: int, *, supplier: Eui64, meter: Eui64, counter: int, keys: KeyStore) -> bytes:
    secret = _agreement(supplier, meter, keys).shared_secret()
    key = derive_key(secret, originator=supplier, recipient=meter, counter=counter, kind=Cra.COMMAND)
    associated = b"".join(
        (
            _AAD_PREFIX,
            supplier.to_bytes_be(),
            meter.to_bytes_be(),
            b"\x01",
            counter.to_bytes(8, "big"),
            upper.to_bytes(4, "big"),
        )
    )
    return gmac_tag(key, supplier, associated)[-4:]


def _agreement(supplier: Eui64, meter: Eui64, keys: KeyStore) -> KeyAgreement:
    try:
        private = keys.private_key(supplier, KeyUsage.PREPAYMENT_KEY_AGREEMENT)
    except KeyNotFound:
        private = keys.private_key(meter, KeyUsage.KEY_AGREEMENT)
        return KeyAgreement(private, keys.public_key(supplier, KeyUsage.PREPAYMENT_KEY_AGREEMENT))
    return KeyAgreement(private, keys.public_key(meter, KeyUsage.KEY_AGREEMENT))


def _multiply(one: int, other: int) -> int:
    """Multiply in the dihedral group of order 10: 0 to 4 turn, 5 to 9 turn and mirror."""
    if one < 5:
        return (one + other) % 5 if other < 5 else 5 + (one + other) % 5
    return 5 + (one - other) % 5 if other < 5 else (one - other) % 5


def _inverse(one: int) -> int:
    return -one % 5 if one < 5 else one


def _permute(digit: int, times: int) -> int:
    for _ in range(times):
        digit = _FIRST_PERMUTATION[digit]
    return digit
