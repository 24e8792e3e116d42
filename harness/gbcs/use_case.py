"""What a use case is: its message code, how its messages are protected, and what is in them.

A use case makes its command and response from fields and reads them back; so does an alert case with its
alert. The device log, counters and whatever else must be remembered is the device's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, Unpack

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs import der
from harness.gbcs.builder import Heading, Protection, answer, as_message, expect_answer, secure, verify
from harness.gbcs.codes import CODES
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.header import Cra
from harness.gbcs.keys import KeyStore
from harness.gbcs.message import Draft, GbcsMessage, draft, parse

T = TypeVar("T")
C = TypeVar("C")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Content(Generic[T]):
    """How fields become a message's content and are read back.

    Both take the message's originator counter, of which DLMS repeats three octets. `read` raises DecodeError.
    """

    write: Callable[[T, int], bytes]
    read: Callable[[bytes, int], T]


def der_content(name: str, write: Callable[[T], bytes], read: Callable[[der.DerReader], T]) -> Content[T]:
    """Return a content of one DER value, which `name` names in errors."""
    return Content(lambda fields, _: write(fields), lambda octets, _: der.read_whole(octets, name, read))


def nothing(name: str) -> Content[None]:
    """Return the content DER NULL."""
    return der_content(name, lambda _: der.NULL, lambda reader: reader.null(name))


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCase(Generic[C, R]):
    """A use case of command and response, each with its protection and content."""

    name: str
    command: Protection
    response: Protection
    command_content: Content[C]
    response_content: Content[R]

    @property
    def code(self) -> int:
        """The message code."""
        return CODES[self.name]

    def compose_command(self, fields: C, **heading: Unpack[Heading]) -> GbcsMessage:
        """Return the command unprotected, as a pre-command is."""
        return parse(self._draft(fields, heading).written)

    def _draft(self, fields: C, heading: Heading) -> Draft:
        return draft(
            Cra.COMMAND,
            heading["counter"],
            heading["originator"],
            heading["device"],
            self.code,
            self.command_content.write(fields, heading["counter"]),
            supplementary_party=heading.get("supplementary_party"),
            supplementary_counter=heading.get("supplementary_counter"),
            supplementary_originator_counter=heading.get("supplementary_originator_counter"),
            certificate=heading.get("certificate", b""),
        )

    def build_command(
        self, fields: C, keys: KeyStore, *, signature: bytes | None = None, **heading: Unpack[Heading]
    ) -> bytes:
        """Return the command on the wire; raises KeyNotFound.

        `signature` is one made elsewhere, as in a signed pre-command.
        """
        return secure(self._draft(fields, heading), keys, self.command, signature=signature)

    def compose_response(
        self, command: bytes | GbcsMessage, fields: R, *, time: CosemTime | None = None
    ) -> GbcsMessage:
        """Return the response unprotected: the command's ids swapped, its counters echoed.

        `time` goes into the header where the use case has it there.
        """
        message = as_message(command)
        content = self.response_content.write(fields, message.counter)
        return answer(message, content, date_time=time.to_bytes() if time else b"")

    def build_response(
        self,
        command: bytes | GbcsMessage,
        fields: R,
        keys: KeyStore,
        *,
        time: CosemTime | None = None,
        signature: bytes | None = None,
    ) -> bytes:
        """Return the response on the wire; raises KeyNotFound. See `compose_response`."""
        message = self.compose_response(command, fields, time=time)
        return secure(message, keys, self.response, signature=signature)

    def open_command(
        self, octets: bytes | GbcsMessage, keys: KeyStore, device: Eui64 | None = None
    ) -> GbcsMessage:
        """Check a command of this use case to `device` (None: to whomever); raises DecodeError.

        MAC and signature are checked; whether the counter is a new one is the device's to know.
        """
        message = as_message(octets)
        expect_kind(message, self.name, Cra.COMMAND)
        if device is not None and message.recipient != device:
            raise DecodeError("business target", f"is {message.recipient}, not {device}")
        verify(message, keys, self.command)
        return message

    def open_response(
        self, octets: bytes | GbcsMessage, keys: KeyStore, command: bytes | GbcsMessage | None = None
    ) -> GbcsMessage:
        """Check a response of this use case, and that it answers `command` if given; raises DecodeError."""
        message = as_message(octets)
        expect_kind(message, self.name, Cra.RESPONSE)
        if command is not None:
            expect_answer(message, as_message(command))
        verify(message, keys, self.response)
        return message

    def read_command(self, octets: bytes | GbcsMessage, keys: KeyStore, *, device: Eui64 | None = None) -> C:
        """Check a command as `device` does and return its fields; raises DecodeError naming what is wrong."""
        return self.command_fields(self.open_command(octets, keys, device))

    def read_response(
        self, octets: bytes | GbcsMessage, keys: KeyStore, *, command: bytes | GbcsMessage | None = None
    ) -> R:
        """Check a response, and that it answers `command` if given, and return its fields."""
        return self.response_fields(self.open_response(octets, keys, command))

    def command_fields(self, message: GbcsMessage) -> C:
        """Read a command's fields without checking who sent it; raises DecodeError."""
        return self.command_content.read(message.content, message.counter)

    def response_fields(self, message: GbcsMessage) -> R:
        """Read a response's fields without checking who sent it; raises DecodeError."""
        return self.response_content.read(message.content, message.counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCase(Generic[T]):
    """A use case that is an alert, with its protection and content."""

    name: str
    alert: Protection
    content: Content[T]

    @property
    def code(self) -> int:
        """The message code."""
        return CODES[self.name]

    def build_alert(
        self,
        fields: T,
        keys: KeyStore,
        *,
        originator: Eui64,
        recipient: Eui64,
        counter: int,
        supplementary_party: Eui64 | None = None,
        supplementary_counter: int | None = None,
        signature: bytes | None = None,
    ) -> bytes:
        """Return the alert on the wire; raises KeyNotFound."""
        message = draft(
            Cra.ALERT,
            counter,
            originator,
            recipient,
            self.code,
            self.content.write(fields, counter),
            supplementary_party=supplementary_party,
            supplementary_counter=supplementary_counter,
        )
        return secure(message, keys, self.alert, signature=signature)

    def open_alert(
        self, octets: bytes | GbcsMessage, keys: KeyStore, *, originator: Eui64 | None = None
    ) -> GbcsMessage:
        """Check an alert of this use case, and that it is `originator`'s if given; raises DecodeError."""
        message = as_message(octets)
        expect_kind(message, self.name, Cra.ALERT)
        if originator is not None and message.originator != originator:
            raise DecodeError("business originator", f"is {message.originator}, not {originator}")
        verify(message, keys, self.alert)
        return message

    def read_alert(
        self, octets: bytes | GbcsMessage, keys: KeyStore, *, originator: Eui64 | None = None
    ) -> T:
        """Check an alert, and that it is `originator`'s if given, and return its fields."""
        return self.alert_fields(self.open_alert(octets, keys, originator=originator))

    def alert_fields(self, message: GbcsMessage) -> T:
        """Read an alert's fields without checking who sent it; raises DecodeError."""
        return self.content.read(message.content, message.counter)


def expect_kind(message: GbcsMessage, name: str, cra: Cra) -> None:
    """Raise DecodeError unless the message is this use case's command, response or alert."""
    if message.message_code != CODES[name]:
        raise DecodeError("message code", f"is {message.message_code:04X}, {name} has {CODES[name]:04X}")
    if message.cra != cra:
        raise DecodeError("CRA flag", f"is {message.cra.name.lower()}, expected {cra.name.lower()}")
