"""CS08, read PPMID/HCALCS firmware version (message code 0129, service request 11.2).

::

    command   NULL
    response  SEQUENCE { firmware version OCTET STRING (4), result INTEGER (0 ok, 1 read failure) }

MAC only, both ways. Source: facts gb-domain §3.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Unpack

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs import der
from harness.gbcs.builder import Heading, Protection
from harness.gbcs.keys import KeyStore
from harness.gbcs.message import GbcsMessage
from harness.gbcs.use_case import UseCase, der_content, nothing

_VERSION_LENGTH = 4


@dataclass(frozen=True, slots=True)
class Cs08Result:
    """What the device answered: its firmware version (4 octets), and whether it could read it."""

    firmware: bytes
    ok: bool

    def __post_init__(self) -> None:
        if len(self.firmware) != _VERSION_LENGTH:
            raise ValueError(f"a firmware version has {_VERSION_LENGTH} octets, not {len(self.firmware)}")


def _write_result(result: Cs08Result) -> bytes:
    return der.sequence(der.octet_string(result.firmware), der.integer(0 if result.ok else 1))


def _read_result(reader: der.DerReader) -> Cs08Result:
    fields = reader.sequence("CS08 response")
    firmware = fields.octet_string("firmware version", _VERSION_LENGTH)
    result = fields.integer("read result")
    if result not in (0, 1):
        raise DecodeError("read result", f"expected 0 or 1, found {result}")
    fields.end("CS08 response")
    return Cs08Result(firmware, result == 0)


CS08 = UseCase(
    name="CS08",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=nothing("CS08 command"),
    response_content=der_content("CS08 response", _write_result, _read_result),
)


def command(*, keys: KeyStore, **heading: Unpack[Heading]) -> bytes:
    """Return the command. `keys` holds the ACB's private key or, for a test, the device's."""
    return CS08.build_command(None, keys, **heading)


def read_command(octets: bytes | GbcsMessage, keys: KeyStore, *, device: Eui64 | None = None) -> GbcsMessage:
    """Check a command as `device` does and return it; raises DecodeError naming what is wrong."""
    message = CS08.open_command(octets, keys, device)
    CS08.command_fields(message)
    return message


def response(command: bytes | GbcsMessage, firmware: bytes, keys: KeyStore, *, ok: bool = True) -> bytes:
    """Return the device's response to a command; `firmware` is 4 octets."""
    return CS08.build_response(command, Cs08Result(firmware, ok), keys)


def read_response(
    octets: bytes | GbcsMessage, keys: KeyStore, *, command: bytes | GbcsMessage | None = None
) -> Cs08Result:
    """Check a response, and that it answers `command` if given; raises DecodeError naming what is wrong."""
    return CS08.read_response(octets, keys, command=command)
