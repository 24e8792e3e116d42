"""The two headers of a GBCS message: the MAC header and the grouping header.

::

    MAC header       DD 000000000000 | LEN | 11 00000000        only where the message has a MAC; LEN counts
                                                                from the 11 to the end of the MAC
    grouping header  DF | 09 CRA counter(8) | 08 originator(8) | 08 recipient(8) | LEN date-time
                     | LEN other-information | LEN content

The transaction id 09 CRA counter, the two system titles, date-time and other-information are the fields of
DLMS general-signing; EUI-64s are big-endian.
Source: facts gb-domain §3.3 (proved on the RTDS vectors).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs import der
from harness.gbcs.octets import Reader, length_octets, with_length

GENERAL_CIPHERING = b"\xdd"
GENERAL_SIGNING = b"\xdf"
SECURITY_HEADER = bytes.fromhex("1100000000")
"""Security control octet (authentication only, suite 1) and the invocation counter, always zero."""
MAC_LENGTH = 12
"""A GMAC tag is cut to its first 12 octets."""
DATE_TIME_LENGTH = 12

_CIPHERING = GENERAL_CIPHERING + bytes(6)
"""How a MAC header begins: the fields that general-ciphering could have are empty."""
_TRANSACTION_ID_LENGTH = 9
_EUI64_LENGTH = b"\x08"
_TO_RECIPIENT = struct.Struct(">3sQBQBQ")
"""A grouping header up to the recipient: its beginning, counter, originator and recipient with lengths."""
_OTHER_NUMBERS = tuple(struct.Struct(f">H{'Q' * following}") for following in range(4))
"""Other-information up to the certificate, by how much of it follows the message code."""


class Cra(IntEnum):
    """Whether a message is a command, a response or an alert; also the kind octet of the MAC's key."""

    COMMAND = 1
    RESPONSE = 2
    ALERT = 3


_BEGINNINGS = {cra: GENERAL_SIGNING + bytes((_TRANSACTION_ID_LENGTH, cra)) for cra in Cra}


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherInformation:
    """The other-information field: 2, 10, 18 or 26 octets, or more with a certificate.

    ::

        message code (2) [supplementary remote party (8) [its counter (8)
                         [supplementary originator counter (8)] [key agreement certificate (DER)]]]

    Only alerts name a remote party without a counter. A certificate is an ASN.1 SEQUENCE, so what follows the
    first 18 octets is one when it is exactly that, and longer than a counter.
    """

    message_code: int
    supplementary_party: Eui64 | None = None
    supplementary_counter: int | None = None
    supplementary_originator_counter: int | None = None
    certificate: bytes = b""

    def __post_init__(self) -> None:
        _ = self.to_bytes()

    def to_bytes(self) -> bytes:
        """Return the field without its length."""
        return write_other_information(
            self.message_code,
            self.supplementary_party,
            self.supplementary_counter,
            self.supplementary_originator_counter,
            self.certificate,
        )

    @classmethod
    def from_bytes(cls, octets: bytes, *, base: int = 0) -> OtherInformation:
        """Read the field without its length; `base` is its offset in the message. Raises DecodeError."""
        reader = Reader(octets, base=base)
        code = reader.number(2, "message code")
        if not reader.remaining:
            return cls(message_code=code)
        party = Eui64.from_bytes_be(reader.take(8, "supplementary remote party"))
        if not reader.remaining:
            return cls(message_code=code, supplementary_party=party)
        counter = reader.number(8, "supplementary remote party counter")
        originator_counter = None
        if reader.remaining and not _is_certificate(octets[18:]):
            originator_counter = reader.number(8, "supplementary originator counter")
        certificate = reader.rest()
        if certificate and not _is_certificate(certificate):
            raise DecodeError("other-information certificate", "not an ASN.1 SEQUENCE", offset=base + 26)
        return cls(
            message_code=code,
            supplementary_party=party,
            supplementary_counter=counter,
            supplementary_originator_counter=originator_counter,
            certificate=certificate,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupingHeader:
    """The fields from the tag DF up to the content. `date_time` is empty or 12 octets of COSEM date-time."""

    cra: Cra
    counter: int
    originator: Eui64
    recipient: Eui64
    date_time: bytes
    other_information: OtherInformation

    def to_bytes(self) -> bytes:
        """Return the header, tag included; raises ValueError when a field cannot be written."""
        return write_grouping_header(
            self.cra,
            self.counter,
            self.originator,
            self.recipient,
            self.date_time,
            self.other_information.to_bytes(),
        )

    @classmethod
    def read(cls, reader: Reader) -> GroupingHeader:
        """Read the header, tag included; raises DecodeError."""
        reader.literal(GENERAL_SIGNING, "general signing tag")
        reader.literal(bytes([_TRANSACTION_ID_LENGTH]), "length of transaction id")
        cra = _cra(reader)
        counter = reader.number(8, "originator counter")
        originator = _eui64(reader, "business originator")
        recipient = _eui64(reader, "business target")
        date_time = reader.counted("date-time")
        if len(date_time) not in (0, DATE_TIME_LENGTH):
            raise reader.error("date-time", f"has {len(date_time)} octets, expected 12 or none")
        other = reader.counted("other-information")
        return cls(
            cra=cra,
            counter=counter,
            originator=originator,
            recipient=recipient,
            date_time=date_time,
            other_information=OtherInformation.from_bytes(other, base=reader.offset - len(other)),
        )


def write_other_information(
    message_code: int,
    party: Eui64 | None,
    counter: int | None,
    originator_counter: int | None,
    certificate: bytes,
) -> bytes:
    """Return the other-information field without its length; raises ValueError when it cannot be written."""
    numbers = [message_code]
    if party is not None:
        numbers.append(party.value)
    elif counter is not None:
        raise ValueError("no supplementary remote party counter without its party")
    if counter is not None:
        numbers.append(counter)
    elif originator_counter is not None or certificate:
        raise ValueError("what follows the supplementary remote party counter cannot stand without it")
    if originator_counter is not None:
        numbers.append(originator_counter)
    if certificate and not _is_certificate(certificate):
        raise ValueError("a certificate is an ASN.1 SEQUENCE")
    try:
        return _OTHER_NUMBERS[len(numbers) - 1].pack(*numbers) + certificate
    except struct.error:
        raise ValueError(f"message code {message_code} or a supplementary counter is out of range") from None


def write_grouping_header(
    cra: Cra, counter: int, originator: Eui64, recipient: Eui64, date_time: bytes, other_information: bytes
) -> bytes:
    """Return the grouping header, tag included; raises ValueError when a field cannot be written."""
    if len(date_time) not in (0, DATE_TIME_LENGTH):
        raise ValueError(f"a date-time has {DATE_TIME_LENGTH} octets or none, not {len(date_time)}")
    try:
        to_recipient = _TO_RECIPIENT.pack(_BEGINNINGS[cra], counter, 8, originator.value, 8, recipient.value)
    except struct.error:
        raise ValueError(f"counter out of range: {counter}") from None
    return to_recipient + with_length(date_time) + with_length(other_information)


def mac_header(following: int) -> bytes:
    """Return the MAC header of `following` octets: grouping header, content, signature and MAC together."""
    return _CIPHERING + length_octets(len(SECURITY_HEADER) + following) + SECURITY_HEADER


def read_mac_header(reader: Reader) -> None:
    """Read the MAC header and check its length against what follows; raises DecodeError."""
    reader.literal(_CIPHERING, "MAC header")
    announced = reader.length("length in the MAC header")
    if announced != reader.remaining:
        raise reader.error("length in the MAC header", f"says {announced}, {reader.remaining} octets follow")
    reader.literal(SECURITY_HEADER, "security header")


def _cra(reader: Reader) -> Cra:
    value = reader.number(1, "CRA flag")
    if value not in tuple(Cra):
        reader.position -= 1
        raise reader.error("CRA flag", f"expected 01, 02 or 03, found {value:02X}")
    return Cra(value)


def _eui64(reader: Reader, field: str) -> Eui64:
    reader.literal(_EUI64_LENGTH, f"length of {field}")
    return Eui64.from_bytes_be(reader.take(8, field))


def _is_certificate(octets: bytes) -> bool:
    return len(octets) > 8 and der.is_sequence(octets)
