"""A message of the supplier's on a meter's display (ECS10, GCS07).

::

    ECS10  to an ESME, DLMS: set 2 of the data object 0-2:96.13.1.255 (class 1), the text in octets
    GCS07  to a GSME, GBZ: Display Message (cluster 0703, command 00) { message id (4), message control (1),
           start time (4), minutes (2), text with its length, extended message control (1) }

Display Message is little-endian; a start time of 0 is now, FFFF minutes until it is changed. Its message id
is a time in seconds since 2000. It is answered by a ZCL default response. All are MAC only both ways.
Source: RTDS 3.1_ECS10, 3.1_GCS07; ZSE Messaging cluster (names).
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import DecodeError
from harness.gbcs import dlms
from harness.gbcs.access import Access, Specification
from harness.gbcs.builder import Protection
from harness.gbcs.dlms import DlmsReader
from harness.gbcs.gbz import (
    MESSAGING_CLUSTER,
    GbzComponent,
    GbzPayload,
    ZclStatus,
    default_response,
    expect_component,
    read_default_response,
)
from harness.gbcs.use_case import Content, UseCase
from harness.gbcs.use_cases.device_log import outcome_content, request_content

LONGEST_MESSAGE = 116
_SUPPLIER_MESSAGE = Specification(Access.SET, 0x0001, bytes.fromhex("0002600D01FF"), 2)
_DISPLAY_MESSAGE, _TO_CLIENT, _FROM_CLIENT = 0x00, 0x09, 0x00
_NOTHING_SPECIAL, _NOW, _UNTIL_CHANGED = b"\x00", bytes(4), b"\xff\xff"


@dataclass(frozen=True, slots=True, kw_only=True)
class GasMessage:
    """GCS07: a text of 1 to 116 printable ASCII characters, under an id of four octets."""

    text: str
    message_id: int


def _octets(text: str) -> bytes:
    """Return the text's octets; raises ValueError for a text that no meter shows."""
    if not 1 <= len(text) <= LONGEST_MESSAGE or not (text.isascii() and text.isprintable()):
        raise ValueError(f"a message has 1 to {LONGEST_MESSAGE} printable ASCII characters, not {text!r}")
    return text.encode("ascii")


def _text(octets: bytes) -> str:
    try:
        text = octets.decode("ascii")
        _octets(text)
    except ValueError:
        raise DecodeError("message", f"is not 1 to {LONGEST_MESSAGE} printable ASCII characters") from None
    return text


def _read_electricity(reader: DlmsReader) -> str:
    return _text(reader.octet_string("message"))


def _write_gas(fields: GasMessage, _: int) -> bytes:
    text = _octets(fields.text)
    payload = b"".join(
        (
            fields.message_id.to_bytes(4, "little"),
            _NOTHING_SPECIAL,
            _NOW,
            _UNTIL_CHANGED,
            bytes((len(text),)),
            text,
        )
    )
    component = GbzComponent(
        cluster=MESSAGING_CLUSTER, frame_control=_TO_CLIENT, command=_DISPLAY_MESSAGE, payload=payload
    )
    return GbzPayload((component,)).to_bytes()


def _read_gas(octets: bytes, _: int) -> GasMessage:
    reader = expect_component(octets, MESSAGING_CLUSTER, _DISPLAY_MESSAGE, _TO_CLIENT)
    message_id = int.from_bytes(reader.take(4, "message id"), "little")
    reader.literal(_NOTHING_SPECIAL, "message control")
    reader.literal(_NOW, "start time")
    reader.literal(_UNTIL_CHANGED, "duration")
    text = _text(reader.take(reader.number(1, "length of the message"), "message"))
    reader.end("Display Message")
    return GasMessage(text=text, message_id=message_id)


def _write_shown(status: ZclStatus, _: int) -> bytes:
    return default_response(MESSAGING_CLUSTER, _DISPLAY_MESSAGE, status, frame_control=_FROM_CLIENT)


def _read_shown(octets: bytes, _: int) -> ZclStatus:
    return read_default_response(octets, MESSAGING_CLUSTER, _DISPLAY_MESSAGE, frame_control=_FROM_CLIENT)


ECS10 = UseCase(
    name="ECS10",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=request_content(
        _SUPPLIER_MESSAGE, lambda text: dlms.octet_string(_octets(text)), _read_electricity
    ),
    response_content=outcome_content(Access.SET),
)
GCS07 = UseCase(
    name="GCS07",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=Content(_write_gas, _read_gas),
    response_content=Content(_write_shown, _read_shown),
)
