"""One bit changed, one octet too few or too many: noticed in every published message that is protected.

Noticed means a DecodeError that names the field, whether the octets, the MAC or the signature gave it away.
A message is judged by the protection that it had before. No bit of any of them goes unnoticed. Left out are
the 178 pre-commands, which have none, and the four messages between devices whose keys are not published.
"""

from __future__ import annotations

import random

import pytest

from harness.errors import DecodeError
from harness.gbcs.builder import Protection, verify
from harness.gbcs.message import parse
from tests.gbcs.test_vectors import WITHOUT_KEYS
from tests.gbcs.vectors import rtds_keys, vector, vectors

pytestmark = pytest.mark.dcc_data
PARTS = 24

EXHAUSTIVE = [
    "8.11_CCS01/CCS01_8.11_SUCCESS_COMMAND",  # MAC, DLMS
    "8.7.2_CS03CNonCritical/CS03CNonCritical_8.7.2_SUCCESS_COMMAND",  # signature and MAC, a certificate
    "8.7.2_CS03CNonCritical/CS03CNonCritical_8.7.2_SUCCESS_RESPONSE",  # signature only
    "NA_CS09/CS09_NA_8F8B_ALERT",  # an alert that is signed
    "NA_CS14/CS14_NA_8F12_ALERT",  # an alert with a MAC
    "2.2_CS01b/CS01b_2.2_SUCCESS_RESPONSE",  # GBZ, a date-time in the header
]


def protection_of(octets: bytes) -> Protection:
    message = parse(octets)
    signed = Protection.SIGNED if message.signature else Protection.NONE
    return signed | (Protection.MACED if message.mac else Protection.NONE)


def judge(octets: bytes, protection: Protection) -> None:
    verify(parse(octets), rtds_keys(), protection)


def assert_noticed(octets: bytes, protection: Protection, where: object) -> None:
    try:
        judge(octets, protection)
    except DecodeError as noticed:
        if noticed.field and noticed.reason:
            return
    pytest.fail(f"not noticed, or no field named: {where}")


def protected() -> dict[str, tuple[bytes, Protection]]:
    return {
        name: (octets, protection_of(octets))
        for name, octets in vectors().items()
        if protection_of(octets) and name not in WITHOUT_KEYS
    }


def flipped(octets: bytes, bit: int) -> bytes:
    wrong = bytearray(octets)
    wrong[bit // 8] ^= 1 << bit % 8
    return bytes(wrong)


@pytest.mark.parametrize("name", EXHAUSTIVE, ids=lambda name: name.split("/")[1])
def test_every_bit_of_a_message_counts(name):
    right = vector(name)
    protection = protection_of(right)
    judge(right, protection)
    for bit in range(len(right) * 8):
        assert_noticed(flipped(right, bit), protection, f"bit {bit} of {name}")


def test_bits_all_over_every_protected_message_count():
    rng = random.Random(20)
    messages = protected()
    assert len(messages) == 1275 - 178 - 4
    for name, (right, protection) in messages.items():
        for bit in rng.sample(range(len(right) * 8), 8):
            assert_noticed(flipped(right, bit), protection, f"bit {bit} of {name}")


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_bit_of_every_protected_message_counts(part):
    messages = protected()
    assert sum(len(right) for right, _ in messages.values()) == 244_745
    for name, (right, protection) in list(messages.items())[part::PARTS]:
        judge(right, protection)
        for bit in range(len(right) * 8):
            assert_noticed(flipped(right, bit), protection, f"bit {bit} of {name}")


@pytest.mark.parametrize("name", EXHAUSTIVE, ids=lambda name: name.split("/")[1])
def test_a_message_cut_short_anywhere_is_noticed(name):
    right = vector(name)
    for count in range(len(right)):
        assert_noticed(right[:count], protection_of(right), f"{count} octets of {name}")


def test_every_protected_message_cut_short_or_too_long_is_noticed():
    rng = random.Random(21)
    for name, (right, protection) in protected().items():
        for count in (0, len(right) - 1, rng.randrange(len(right))):
            assert_noticed(right[:count], protection, f"{count} octets of {name}")
        for more in (b"\x00", b"\xff", right, bytes(70_000)):
            assert_noticed(right + more, protection, f"{len(more)} more octets after {name}")


def test_a_precommand_cut_short_or_too_long_is_no_message():
    precommands = {name: octets for name, octets in vectors().items() if parse(octets).signature is None}
    assert len(precommands) == 178
    for name, right in precommands.items():
        for count in range(len(right)):
            with pytest.raises(DecodeError):
                parse(right[:count])
        assert parse(right + b"\x00").signature == b""  # as DUIS carries it
        for more in (b"\x01", b"\x00\x00", b"\x40" + bytes(63), b"\x40" + bytes(65)):
            with pytest.raises(DecodeError, match=r"signature|message"):
                parse(right + more)
        assert name
