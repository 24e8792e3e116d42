"""Commands, responses and alerts from their fields, protected with the keys that the message calls for.

A command's MAC is made between the ACB and the device, whoever its originator is: a supplier signs, the ACB
vouches. A response's or alert's MAC is made between the device and the header's recipient. The one exception
are the commands that a PPMID sends to the GSME.
Source: facts gb-domain §3.3 (whose keys).
"""

from __future__ import annotations

import hmac
from enum import Flag, auto
from typing import TypedDict

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs.codes import BETWEEN_DEVICES
from harness.gbcs.header import Cra
from harness.gbcs.keys import ACB, KeyNotFound, KeyStore, KeyUsage
from harness.gbcs.mac import KeyAgreement, mac_of, mac_with_secret
from harness.gbcs.message import SIGNATURE_LENGTH, Draft, GbcsMessage, parse, with_mac
from harness.gbcs.octets import with_length
from harness.gbcs.signature import check_signature, signature_of


class Protection(Flag):
    """How a message is protected."""

    NONE = 0
    SIGNED = auto()
    MACED = auto()
    SIGNED_AND_MACED = SIGNED | MACED

    @property
    def signs(self) -> bool:
        """Whether there is a signature."""
        return self is _SIGNED or self is _SIGNED_AND_MACED

    @property
    def macs(self) -> bool:
        """Whether there is a MAC."""
        return self is _MACED or self is _SIGNED_AND_MACED


_SIGNED, _MACED, _SIGNED_AND_MACED = Protection.SIGNED, Protection.MACED, Protection.SIGNED_AND_MACED


class _RequiredHeading(TypedDict):
    originator: Eui64
    device: Eui64
    counter: int


class Heading(_RequiredHeading, total=False):
    """Who sends a command to which device, under which counters.

    `counter` is the originator's own. A command of the ACB's on a user's behalf names the user as
    `supplementary_party` and the counter of his service request as `supplementary_counter`.
    """

    supplementary_party: Eui64
    supplementary_counter: int
    supplementary_originator_counter: int
    certificate: bytes


def as_message(message: bytes | GbcsMessage) -> GbcsMessage:
    """Parse octets; leave a message as it is."""
    return message if isinstance(message, GbcsMessage) else parse(message)


def answer(command: GbcsMessage, content: bytes, *, date_time: bytes = b"") -> GbcsMessage:
    """Return the unprotected response to a command: ids swapped, counter and other-information echoed."""
    return GbcsMessage(
        cra=Cra.RESPONSE,
        counter=command.counter,
        originator=command.recipient,
        recipient=command.originator,
        message_code=command.message_code,
        content=content,
        date_time=date_time,
        supplementary_party=command.supplementary_party,
        supplementary_counter=command.supplementary_counter,
        supplementary_originator_counter=command.supplementary_originator_counter,
    )


def expect_answer(response: GbcsMessage, command: GbcsMessage) -> None:
    """Raise DecodeError, naming the field, unless `response` answers `command`."""
    expected = answer(command, b"")
    for field, name in (
        ("message_code", "message code"),
        ("originator", "business originator"),
        ("recipient", "business target"),
        ("counter", "originator counter"),
        ("supplementary_party", "supplementary remote party"),
        ("supplementary_counter", "supplementary remote party counter"),
    ):
        found, wanted = getattr(response, field), getattr(expected, field)
        if found != wanted:
            raise DecodeError(name, f"is {found} in the response, the command calls for {wanted}")


def mac_parties(message: Draft | GbcsMessage) -> tuple[Eui64, Eui64]:
    """Return the two parties whose key agreement keys make the MAC."""
    if message.cra is Cra.COMMAND and message.message_code not in BETWEEN_DEVICES:
        return ACB, message.recipient
    return message.originator, message.recipient


def key_agreement(message: Draft | GbcsMessage, keys: KeyStore) -> KeyAgreement:
    """Return the keys of the message's MAC from whichever end `keys` holds; raises KeyNotFound."""
    one, other = mac_parties(message)
    try:
        private = keys.private_key(one, KeyUsage.KEY_AGREEMENT)
    except KeyNotFound:
        one, other = other, one
        private = keys.private_key(one, KeyUsage.KEY_AGREEMENT)
    return KeyAgreement(private, keys.public_key(other, KeyUsage.KEY_AGREEMENT))


def secure(
    message: Draft | GbcsMessage,
    keys: KeyStore,
    protection: Protection,
    *,
    signature: bytes | None = None,
) -> bytes:
    """Return the message on the wire, signed by its originator and MACed as `protection` says.

    With `signature` given, that one is put in. A signature that is not asked for is a null one. Raises
    KeyNotFound, and ValueError for a signature of another length.
    """
    if signature is None:
        signature = b""
        if protection.signs:
            private = keys.private_key(message.originator, KeyUsage.DIGITAL_SIGNATURE)
            signature = signature_of(message, private)
    elif len(signature) not in (0, SIGNATURE_LENGTH):
        raise ValueError(f"a signature has {SIGNATURE_LENGTH} octets or none, not {len(signature)}")
    unprotected = message.body() + with_length(signature)
    if not protection.macs:
        return unprotected
    secret = key_agreement(message, keys).shared_secret()
    return with_mac(unprotected, mac_with_secret(message, secret, unprotected))


def sign_precommand(octets: bytes, keys: KeyStore) -> bytes:
    """Return a pre-command with its originator's signature; raises DecodeError and KeyNotFound.

    The pre-command may end before the signature or with a null one.
    """
    message = parse(octets)
    if message.cra is not Cra.COMMAND or message.mac is not None or message.signature:
        raise DecodeError("pre-command", "is no command, or is protected already")
    return secure(message, keys, Protection.SIGNED)


def command_of(signed_precommand: bytes, keys: KeyStore) -> bytes:
    """Return the command that a signed pre-command becomes: the same, with the ACB's MAC.

    Raises DecodeError, also when the signature is not the originator's, and KeyNotFound.
    """
    message = parse(signed_precommand)
    verify(message, keys, Protection.SIGNED)
    return secure(message, keys, Protection.MACED, signature=message.signature)


def verify(message: GbcsMessage, keys: KeyStore, protection: Protection) -> None:
    """Check that the message is protected as it must be, and rightly; raises DecodeError naming what is not.

    A key that is missing for it is a DecodeError too: nobody here trusts that party.
    """
    if (message.mac is not None) != protection.macs:
        raise DecodeError("MAC", "is missing" if message.mac is None else "has no place in this message")
    if bool(message.signature) != protection.signs:
        raise DecodeError("signature", "has no place in this message" if message.signature else "is missing")
    try:
        if message.mac is not None:
            expected = mac_of(message, key_agreement(message, keys))
            if not hmac.compare_digest(message.mac, expected):
                raise DecodeError("MAC", "does not verify")
        if message.signature:
            public = keys.public_key(message.originator, KeyUsage.DIGITAL_SIGNATURE)
            if not check_signature(message, public):
                raise DecodeError("signature", "does not verify")
    except KeyNotFound as missing:
        raise DecodeError("business originator", f"is not trusted: {missing}") from None
