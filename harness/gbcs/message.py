"""A GBCS message as a value, and the way from octets to it and back.

::

    [MAC header] grouping header, content [signature: 00 or 40 and 64 octets] [MAC (12)]

What `parse` accepts, `to_bytes` writes back octet for octet. Nothing is verified here: see `mac` and
`signature`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from harness.eui64 import Eui64
from harness.gbcs.codes import use_case_name
from harness.gbcs.header import (
    GENERAL_CIPHERING,
    MAC_LENGTH,
    Cra,
    GroupingHeader,
    mac_header,
    read_mac_header,
    write_grouping_header,
    write_other_information,
)
from harness.gbcs.octets import Reader, with_length

SIGNATURE_LENGTH = 64


class Draft(NamedTuple):
    """A message written up to the end of its content, and what of it the choice of keys and the MAC ask for.

    That is all that protecting a message takes; a GbcsMessage, every field at hand, serves as well.
    """

    cra: Cra
    counter: int
    originator: Eui64
    recipient: Eui64
    message_code: int
    written: bytes

    def body(self) -> bytes:
        """Return everything from the tag DF to the end of the content."""
        return self.written


def draft(
    cra: Cra,
    counter: int,
    originator: Eui64,
    recipient: Eui64,
    message_code: int,
    content: bytes,
    *,
    date_time: bytes = b"",
    supplementary_party: Eui64 | None = None,
    supplementary_counter: int | None = None,
    supplementary_originator_counter: int | None = None,
    certificate: bytes = b"",
) -> Draft:
    """Write a message that is to be protected; raises ValueError when a field cannot be written."""
    other_information = write_other_information(
        message_code,
        supplementary_party,
        supplementary_counter,
        supplementary_originator_counter,
        certificate,
    )
    header = write_grouping_header(cra, counter, originator, recipient, date_time, other_information)
    return Draft(cra, counter, originator, recipient, message_code, header + with_length(content))


@dataclass(frozen=True, slots=True, kw_only=True)
class GbcsMessage:
    """One GBCS message.

    `signature` is None where the field is absent (a pre-command), ``b""`` where it is null, else r || s in 64
    octets. `mac` is None or 12 octets. Raises ValueError when a field cannot be written.
    """

    cra: Cra
    counter: int
    originator: Eui64
    recipient: Eui64
    message_code: int
    content: bytes
    date_time: bytes = b""
    supplementary_party: Eui64 | None = None
    supplementary_counter: int | None = None
    supplementary_originator_counter: int | None = None
    certificate: bytes = b""
    signature: bytes | None = b""
    mac: bytes | None = None
    _body: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.signature is not None and len(self.signature) not in (0, SIGNATURE_LENGTH):
            raise ValueError(f"a signature has {SIGNATURE_LENGTH} octets or none, not {len(self.signature)}")
        if self.mac is not None and len(self.mac) != MAC_LENGTH:
            raise ValueError(f"a MAC has {MAC_LENGTH} octets, not {len(self.mac)}")
        if self.mac is not None and self.signature is None:
            raise ValueError("a message with a MAC has a signature field, if only a null one")
        # Written once: signature, MAC and message all need it, and it shows that every field can be written.
        written = draft(
            self.cra,
            self.counter,
            self.originator,
            self.recipient,
            self.message_code,
            self.content,
            date_time=self.date_time,
            supplementary_party=self.supplementary_party,
            supplementary_counter=self.supplementary_counter,
            supplementary_originator_counter=self.supplementary_originator_counter,
            certificate=self.certificate,
        ).written
        object.__setattr__(self, "_body", written)

    @property
    def use_case(self) -> str | None:
        """The use case's name such as ``CS08``, None for a message code that is not known."""
        return use_case_name(self.message_code)

    def body(self) -> bytes:
        """Return everything from the tag DF to the end of the content."""
        return self._body

    def unprotected(self) -> bytes:
        """Return the message without MAC header and MAC: what a MAC is computed over."""
        return self.body() + (b"" if self.signature is None else with_length(self.signature))

    def to_bytes(self) -> bytes:
        """Return the whole message."""
        return self.unprotected() if self.mac is None else with_mac(self.unprotected(), self.mac)

    def with_signature(self, signature: bytes | None) -> GbcsMessage:
        """Return the same message with this signature; its MAC, which covers the old one, is dropped."""
        return replace(self, signature=signature, mac=None)

    def with_mac(self, mac: bytes) -> GbcsMessage:
        """Return the same message with this MAC; an absent signature field becomes a null one."""
        return replace(self, mac=mac, signature=self.signature or b"")

    def __str__(self) -> str:
        name = self.use_case or f"{self.message_code:04X}"
        return f"{name} {self.cra.name.lower()} {self.counter} {self.originator} > {self.recipient}"


def with_mac(unprotected: bytes, mac: bytes) -> bytes:
    """Return a message on the wire from what its MAC is computed over, and the MAC."""
    return mac_header(len(unprotected) + len(mac)) + unprotected + mac


def parse(octets: bytes) -> GbcsMessage:
    """Read one whole message; raises DecodeError for anything else.

    A pre-command may end after the content (as in the RTDS) or with a null signature (as DUIS carries it).
    """
    reader = Reader(octets)
    if not octets:
        raise reader.error("message", "is empty")
    ciphered = octets[:1] == GENERAL_CIPHERING
    if ciphered:
        read_mac_header(reader)
        if reader.remaining < MAC_LENGTH:
            raise reader.error("MAC", f"needs {MAC_LENGTH} octets, {reader.remaining} are left")
    header = GroupingHeader.read(reader)
    content = reader.counted("content")
    signature = _signature(reader) if reader.remaining or ciphered else None
    mac = reader.take(MAC_LENGTH, "MAC") if ciphered else None
    reader.end("message")
    other = header.other_information
    return GbcsMessage(
        cra=header.cra,
        counter=header.counter,
        originator=header.originator,
        recipient=header.recipient,
        message_code=other.message_code,
        content=content,
        date_time=header.date_time,
        supplementary_party=other.supplementary_party,
        supplementary_counter=other.supplementary_counter,
        supplementary_originator_counter=other.supplementary_originator_counter,
        certificate=other.certificate,
        signature=signature,
        mac=mac,
    )


def _signature(reader: Reader) -> bytes:
    signature = reader.counted("signature")
    if len(signature) not in (0, SIGNATURE_LENGTH):
        reader.position -= len(signature)
        raise reader.error("signature", f"has {len(signature)} octets, expected {SIGNATURE_LENGTH} or none")
    return signature
