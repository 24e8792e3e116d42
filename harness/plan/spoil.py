"""GBCS commands and responses spoilt in one thing each, under a MAC that is right where it can be.

So each check of the receiver is put to the test by itself: a wrong originator under a wrong MAC would be
refused for the MAC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from enum import Enum
from typing import Any

from harness.eui64 import Eui64
from harness.gbcs import SUPPLIER, GbcsMessage, KeyStore, KeyUsage, parse
from harness.gbcs.builder import Protection, secure
from harness.gbcs.codes import CODES
from harness.gbcs.keys import ACB
from harness.gbcs.use_cases.joining import CS03C

SOMEBODY_ELSE = Eui64(0x00DB_FFFF_FFFF_FF01)
_NO_USE_CASE = 0x0FFF


class Spoilt(Enum):
    """What is wrong with a message."""

    MAC = "mac"  # its last bit turned
    SIGNATURE = "signature"  # a bit of it turned, the MAC right for that
    BIT = "bit"  # a bit of the content turned
    TRUNCATED = "truncated"  # the last octet is missing
    TARGET = "target"  # to another device
    ORIGINATOR = "originator"  # from a supplier instead of the ACB
    CODE = "code"  # a message code that nobody has
    REPLAYED = "replayed"  # right, and sent before
    CERTIFICATE = "certificate"  # of a join by method C: another device's


def spoil(octets: bytes, how: Spoilt, keys: KeyStore) -> bytes:
    """Return a command of the ACB's spoilt; `keys` holds the ACB's. One that is `REPLAYED` is as it was.

    Raises ValueError when a message without a signature is to have a spoilt one.
    """
    return _WAYS[how](octets, keys)


class SpoiltResponse(Enum):
    """What is wrong with a response to the ACB; originator, code and counters under a MAC that is right."""

    MAC = "mac"  # its last bit turned
    BIT = "bit"  # a bit of the content turned
    TRUNCATED = "truncated"  # the last octet is missing
    TARGET = "target"  # to somebody else: its MAC cannot be right, that key is neither side's
    ORIGINATOR = "originator"  # from another device
    CODE = "code"  # of another use case
    COUNTER = "counter"  # echoes an originator counter that was not sent
    USER = "user"  # echoes another counter of the supplementary remote party
    REPLAYED = "replayed"  # the response to an earlier command


def spoil_response(octets: bytes, how: SpoiltResponse, keys: KeyStore, earlier: bytes) -> bytes:
    """Return a MACed response to the ACB spoilt; `keys` holds the ACB's, `earlier` is one to be replayed."""
    message = parse(octets)
    if how is SpoiltResponse.REPLAYED:
        return earlier
    if how is SpoiltResponse.TARGET:
        return replace(message, recipient=SOMEBODY_ELSE).to_bytes()
    if how in _FIELDS_OF_RESPONSES:
        return secure(replace(message, **_FIELDS_OF_RESPONSES[how](message)), keys, Protection.MACED)
    return _WAYS[Spoilt(how.value)](octets, keys)


_FIELDS_OF_RESPONSES: Mapping[SpoiltResponse, Callable[[GbcsMessage], dict[str, Any]]] = {
    SpoiltResponse.ORIGINATOR: lambda _: {"originator": SOMEBODY_ELSE},
    SpoiltResponse.CODE: lambda _: {"message_code": CODES["CS07"]},
    SpoiltResponse.COUNTER: lambda message: {"counter": message.counter + 1},
    SpoiltResponse.USER: lambda message: {"supplementary_counter": (message.supplementary_counter or 0) + 1},
}


def turned(octets: bytes, place: int) -> bytes:
    """Return octets with one bit turned; `place` counts from the end when it is negative."""
    place %= len(octets)
    return octets[:place] + bytes([octets[place] ^ 1]) + octets[place + 1 :]


def _signature(octets: bytes, keys: KeyStore) -> bytes:
    message = parse(octets)
    if not message.signature:
        raise ValueError("the message has no signature that could be spoilt")
    return secure(message, keys, Protection.MACED, signature=turned(message.signature, 0))


def _bit(octets: bytes, _: KeyStore) -> bytes:
    message = parse(octets)
    return replace(message, content=turned(message.content, -1)).to_bytes()


def _certificate(octets: bytes, keys: KeyStore) -> bytes:
    message = parse(octets)
    another = keys.certificate(SOMEBODY_ELSE, KeyUsage.KEY_AGREEMENT)
    join = replace(CS03C.command_fields(message), certificate=another)
    content = CS03C.command_content.write(join, message.counter)
    return _secured(replace(message, content=content), keys)


def _changed(**fields: object) -> Callable[[bytes, KeyStore], bytes]:
    def change(octets: bytes, keys: KeyStore) -> bytes:
        return _secured(replace(parse(octets), **fields), keys)  # type: ignore[arg-type]

    return change


def _secured(message: GbcsMessage, keys: KeyStore) -> bytes:
    """Sign for the ACB what was signed, whoever the originator is said to be: the ACB holds no other key."""
    if not message.signature:
        return secure(message, keys, Protection.MACED)
    signed = parse(secure(replace(message, originator=ACB), keys, Protection.SIGNED))
    return secure(message, keys, Protection.MACED, signature=signed.signature)


_WAYS: Mapping[Spoilt, Callable[[bytes, KeyStore], bytes]] = {
    Spoilt.MAC: lambda octets, _: turned(octets, -1),
    Spoilt.SIGNATURE: _signature,
    Spoilt.BIT: _bit,
    Spoilt.TRUNCATED: lambda octets, _: octets[:-1],
    Spoilt.TARGET: _changed(recipient=SOMEBODY_ELSE),
    Spoilt.ORIGINATOR: _changed(originator=SUPPLIER),
    Spoilt.CODE: _changed(message_code=_NO_USE_CASE),
    Spoilt.REPLAYED: lambda octets, _: octets,
    Spoilt.CERTIFICATE: _certificate,
}
