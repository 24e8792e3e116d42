"""Which commands a device obeys, and why not the others: the checks that every GBCS device makes.

A command is taken when it parses, is a command, to this device, from somebody who may command it, of a use
case that the device has, rightly protected, with a counter higher than any before it from that originator,
and with a content that reads. What is forged uses up no counter: the caller notes one of what was taken only.
Source: facts gb-domain §3.3 (MAC, signature, whose keys); GBCS §4.3 (Protection Against Replay).
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs.builder import Protection
from harness.gbcs.header import Cra
from harness.gbcs.keys import ACB, KeyNotFound, KeyStore, KeyUsage
from harness.gbcs.mac import KeyAgreement, mac_of
from harness.gbcs.message import GbcsMessage, parse
from harness.gbcs.signature import check_signature
from harness.gbcs.use_case import UseCase


class Refusal(Enum):
    """Why a device does not obey; the word is that of the PPMID's test port."""

    MALFORMED = "malformed"
    NOT_A_COMMAND = "not-a-command"
    WRONG_TARGET = "wrong-target"
    WRONG_ORIGINATOR = "not-from-acb"
    UNSUPPORTED = "unsupported"
    BAD_MAC = "bad-mac"
    BAD_SIGNATURE = "bad-signature"
    REPLAYED = "replayed"


class Refused(Exception):
    """A command is not taken. `message` is None when it did not parse."""

    def __init__(self, refusal: Refusal, reason: str, message: GbcsMessage | None = None) -> None:
        super().__init__(f"{refusal.value}: {reason}")
        self.refusal = refusal
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Accepted:
    """A command that is taken: its message, its use case, and the fields of its content."""

    message: GbcsMessage
    use_case: UseCase[Any, Any]
    fields: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What one device takes: `use_cases` by message code, from `originators`.

    `leaves_out` names checks that a deliberately defective device does not make.
    """

    device: Eui64
    originators: Collection[Eui64]
    use_cases: Mapping[int, UseCase[Any, Any]]
    keys: KeyStore
    leaves_out: Collection[Refusal] = ()

    def take(self, octets: bytes, counters: Mapping[Eui64, int]) -> Accepted:
        """Return the command; raises Refused. `counters` has the highest taken from each originator."""
        try:
            message = parse(octets)
        except DecodeError as error:
            raise Refused(Refusal.MALFORMED, str(error)) from None
        use_case = self._addressed(message)
        self._protected(message, use_case.command if use_case else Protection.MACED)
        last = counters.get(message.originator, -1)
        if message.counter <= last:
            self._refuse(Refusal.REPLAYED, f"counter {message.counter} after {last}", message)
        if use_case is None:
            raise Refused(Refusal.UNSUPPORTED, f"message code {message.message_code:04X}", message)
        try:
            return Accepted(message, use_case, use_case.command_fields(message))
        except DecodeError as error:
            raise Refused(Refusal.MALFORMED, str(error), message) from None

    def _addressed(self, message: GbcsMessage) -> UseCase[Any, Any] | None:
        if message.cra is not Cra.COMMAND:
            raise Refused(Refusal.NOT_A_COMMAND, f"a {message.cra.name.lower()}", message)
        if message.recipient != self.device:
            self._refuse(Refusal.WRONG_TARGET, f"is to {message.recipient}", message)
        if message.originator not in self.originators:
            self._refuse(Refusal.WRONG_ORIGINATOR, f"is from {message.originator}", message)
        return self.use_cases.get(message.message_code)

    def _protected(self, message: GbcsMessage, wanted: Protection) -> None:
        has_mac, has_signature = message.mac is not None, bool(message.signature)
        try:
            if has_mac != (Protection.MACED in wanted):
                self._refuse(Refusal.BAD_MAC, "none" if not has_mac else "out of place", message)
            elif has_mac and message.recipient == self.device and not self.mac_is_right(message):
                self._refuse(Refusal.BAD_MAC, "does not verify", message)
            if has_signature != (Protection.SIGNED in wanted):
                why = "none" if not has_signature else "out of place"
                self._refuse(Refusal.BAD_SIGNATURE, why, message)
            elif has_signature and not self._signature_is_right(message):
                self._refuse(Refusal.BAD_SIGNATURE, "does not verify", message)
        except KeyNotFound as missing:
            raise Refused(Refusal.WRONG_ORIGINATOR, f"not trusted: {missing}", message) from None

    def mac_is_right(self, message: GbcsMessage) -> bool:
        """Whether the message has a MAC, and it is one of this device and the ACB; raises KeyNotFound."""
        usage = KeyUsage.KEY_AGREEMENT
        agreement = KeyAgreement(self.keys.private_key(self.device, usage), self.keys.public_key(ACB, usage))
        return message.mac is not None and hmac.compare_digest(message.mac, mac_of(message, agreement))

    def _signature_is_right(self, message: GbcsMessage) -> bool:
        return check_signature(message, self.keys.public_key(message.originator, KeyUsage.DIGITAL_SIGNATURE))

    def _refuse(self, refusal: Refusal, reason: str, message: GbcsMessage) -> None:
        """Raise, unless this device leaves the check out."""
        if refusal not in self.leaves_out:
            raise Refused(refusal, reason, message)
