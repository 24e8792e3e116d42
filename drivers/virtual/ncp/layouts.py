"""EZSP's field types, and EZSP frames: read and written by the table in `commands`. All little-endian.

Source: UG100 §3 (frame format: sequence, frame control, identifier) and its structure definitions.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from drivers.virtual.ncp.commands import TABLE
from drivers.virtual.ncp.status import Status
from harness.errors import DecodeError
from harness.eui64 import Eui64

FIRST_SL_STATUS = 14  # the EZSP version from which every status is an sl_Status
_EXTENDED_HEADER = 8  # the EZSP version from which identifiers have two octets
_LEGACY_HEADER = 5
_RESPONSE, _CALLBACK = 0x80, 0x90
_EXTENDED = 0x01  # frame format version in the frame control's high octet

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Structure:
    """A structure of fixed layout: names, and their format for `struct`."""

    names: tuple[str, ...]
    format: str

    def write(self, value: Fields) -> bytes:
        """Return the octets of a mapping; missing names are 0."""
        empty = b"" if "s" in self.format else 0
        return struct.pack(self.format, *(_plain(value.get(name, empty)) for name in self.names))

    def read(self, octets: bytes) -> dict[str, Any]:
        """Return octets as a mapping; EUI-64s and keys stay octets."""
        return dict(zip(self.names, struct.unpack(self.format, octets), strict=True))

    @property
    def size(self) -> int:
        """Octets."""
        return struct.calcsize(self.format)


def _structure(**fields: str) -> Structure:
    return Structure(tuple(fields), "<" + "".join(fields.values()))


STRUCTURES: Mapping[str, Structure] = {
    "aps": _structure(
        profile="H",
        cluster="H",
        source_endpoint="B",
        destination_endpoint="B",
        options="H",
        group="H",
        sequence="B",
    ),
    "parameters": _structure(
        extended_pan_id="8s",
        pan_id="H",
        tx_power="B",
        channel="B",
        join_method="B",
        manager="H",
        update_id="B",
        channels="I",
    ),
    "initial_security": _structure(
        bitmask="H", preconfigured_key="16s", network_key="16s", key_sequence="B", trust_centre="8s"
    ),
    "current_security": _structure(bitmask="H", trust_centre="8s"),
    "key_struct": _structure(
        bitmask="H", kind="B", key="16s", outgoing="I", incoming="I", sequence="B", partner="8s"
    ),
    "child7": _structure(eui64="8s", kind="B", short="H", phy="B", power="B", timeout="B"),
    "child10": _structure(eui64="8s", kind="B", short="H", phy="B", power="B", timeout="B", remaining="I"),
    "multicast": _structure(group="H", endpoint="B", network="B"),
    "network": _structure(
        channel="B", pan_id="H", extended_pan_id="8s", joining="B", stack_profile="B", update_id="B"
    ),
    "neighbour": _structure(short="H", lqi="B", in_cost="B", out_cost="B", age="B", eui64="8s"),
    "route": _structure(destination="H", next_hop="H", status="B", age="B", concentrator="B", record="B"),
    "metadata": _structure(bitmask="H", outgoing="I", incoming="I", ttl="H"),
    "network_key_info": _structure(
        is_set="B", alternate_is_set="B", sequence="B", alternate_sequence="B", counter="I"
    ),
    "context": _structure(
        kind="B", index="B", derived="H", eui64="8s", network="B", flags="B", permission="I"
    ),
}
_NUMBERS = {"u8": "<B", "i8": "<b", "u16": "<H", "u32": "<I"}
_STATUSES = ("ember", "ezsp", "sl")


@dataclass(frozen=True, slots=True)
class Command:
    """A command or a callback at one EZSP version: request and response fields as (name, type)."""

    name: str
    identifier: int
    request: tuple[tuple[str, str], ...]
    response: tuple[tuple[str, str], ...]


@cache
def commands(version: int) -> Mapping[str, Command]:
    """Return what a version knows, by name."""
    found: dict[str, Command] = {}
    for line in TABLE.strip().splitlines():
        left, _, right = line.partition("->")
        name, identifier, *rest = left.split()
        if rest and re.fullmatch(r"\d+(-\d*)?", rest[0]) and not _is_of(version, rest.pop(0)):
            continue
        found[name] = Command(name, int(identifier, 16), _fields(rest), _fields(right.split()))
    return found


def _is_of(version: int, span: str) -> bool:
    first, dash, last = span.partition("-")
    return int(first) <= version <= (int(last) if last else 255 if dash else int(first))


def _fields(words: list[str]) -> tuple[tuple[str, str], ...]:
    return tuple((name, kind) for name, _, kind in (word.partition(":") for word in words))


@cache
def by_identifier(version: int) -> Mapping[int, Command]:
    """Return what a version knows, by identifier."""
    return {command.identifier: command for command in commands(version).values()}


@dataclass(frozen=True, slots=True)
class Request:
    """A command as it came. `command` is None when this version does not know it."""

    sequence: int
    identifier: int
    command: Command | None
    fields: dict[str, Any]


def read_request(frame: bytes, version: int | None) -> Request:
    """Read a frame of the host; `version` is None before the two have agreed on one.

    Raises DecodeError for a frame without a header, or whose fields are cut short.
    """
    sequence, identifier, rest = _header(frame, version)
    command = by_identifier(version or _EXTENDED_HEADER).get(identifier)
    if command is None or (not command.request and command.response and _is_callback(command)):
        return Request(sequence, identifier, None, {})
    fields: dict[str, Any] = {}
    for name, kind in command.request:
        fields[name], rest = _read(kind, rest, name)
    return Request(sequence, identifier, command, fields)


def _is_callback(command: Command) -> bool:
    return command.name.endswith("Handler")


def _header(frame: bytes, version: int | None) -> tuple[int, int, bytes]:
    if version is None or version < _LEGACY_HEADER:
        # The host asks for a version in the oldest format, and may begin with the newest.
        if len(frame) >= 5 and frame[2] == _EXTENDED:
            return frame[0], int.from_bytes(frame[3:5], "little"), frame[5:]
        if len(frame) < 3:
            raise DecodeError("EZSP header", f"{len(frame)} octets are too few", offset=0)
        return frame[0], frame[2], frame[3:]
    if len(frame) < 5:
        if len(frame) >= 3 and frame[2] == 0:
            return frame[0], 0, frame[3:]  # `version` in the oldest format, by a host that begins again
        raise DecodeError("EZSP header", f"{len(frame)} octets are too few", offset=0)
    return frame[0], int.from_bytes(frame[3:5], "little"), frame[5:]


def write_version(sequence: int, protocol: int, stack_version: int, *, extended: bool) -> bytes:
    """Return the response to `version`, in the format in which it was asked."""
    body = struct.pack("<BBH", protocol, 2, stack_version)
    if extended:
        return bytes((sequence, _RESPONSE, _EXTENDED, 0, 0)) + body
    return bytes((sequence, _RESPONSE, 0)) + body


def write_response(version: int, sequence: int, name: str, fields: Fields) -> bytes:
    """Return a response frame."""
    command = commands(version)[name]
    return _frame(sequence, _RESPONSE, command, _write_fields(version, command, fields))


def write_callback(version: int, sequence: int, name: str, fields: Fields) -> bytes:
    """Return a callback's frame; like a dongle's it has the sequence number of the last command taken."""
    command = commands(version)[name]
    return _frame(sequence, _CALLBACK, command, _write_fields(version, command, fields))


def _frame(sequence: int, control: int, command: Command, body: bytes) -> bytes:
    return bytes((sequence, control, _EXTENDED)) + command.identifier.to_bytes(2, "little") + body


def _write_fields(version: int, command: Command, fields: Fields) -> bytes:
    return b"".join(_write(kind, fields.get(name), version) for name, kind in command.response)


def _plain(value: Any) -> Any:
    return value.to_bytes_le() if isinstance(value, Eui64) else value


def _write(kind: str, value: Any, version: int) -> bytes:
    if kind in _STATUSES:
        status = Status.OK if value is None else value
        assert isinstance(status, Status)
        if kind == "sl" or version >= FIRST_SL_STATUS:
            return status.sl.to_bytes(4, "little")
        return bytes((status.ember if kind == "ember" else status.ezsp,))
    if kind in _NUMBERS:
        return struct.pack(_NUMBERS[kind], 0 if value is None else int(value))
    if kind in STRUCTURES:
        return STRUCTURES[kind].write(_filled(kind, value or {}))
    return _WRITERS[kind](value)


def _filled(kind: str, value: Fields) -> Fields:
    """Return a structure's mapping with every octet field there."""
    structure = STRUCTURES[kind]
    formats = re.findall(r"\d*[a-zA-Z]", structure.format)
    empty = {
        name: b"" if form.endswith("s") else 0 for name, form in zip(structure.names, formats, strict=True)
    }
    return {**empty, **value}


_WRITERS: Mapping[str, Callable[[Any], bytes]] = {
    "eui": lambda value: (value or Eui64(0)).to_bytes_le(),
    "key": lambda value: (value or b"").ljust(16, b"\0"),
    "lv": lambda value: bytes((len(value or b""),)) + (value or b""),
    "lv32": lambda value: len(value or b"").to_bytes(4, "little") + (value or b""),
    "counters": lambda value: b"".join(number.to_bytes(2, "little") for number in value or ()),
}


def _read(kind: str, octets: bytes, name: str) -> tuple[Any, bytes]:
    if kind in _NUMBERS:
        taken, rest = _take(octets, struct.calcsize(_NUMBERS[kind]), name)
        return struct.unpack(_NUMBERS[kind], taken)[0], rest
    if kind in STRUCTURES:
        taken, rest = _take(octets, STRUCTURES[kind].size, name)
        return STRUCTURES[kind].read(taken), rest
    if kind == "eui":
        taken, rest = _take(octets, 8, name)
        return Eui64.from_bytes_le(taken), rest
    if kind == "key":
        return _take(octets, 16, name)
    if kind == "endpoint":
        return _read_endpoint(octets, name)
    width = 4 if kind == "lv32" else 1
    length, rest = _take(octets, width, name)
    return _take(rest, int.from_bytes(length, "little"), name)


def _read_endpoint(octets: bytes, name: str) -> tuple[dict[str, Any], bytes]:
    """Read addEndpoint's fields, whose two cluster lists come after both of their lengths."""
    head, rest = _take(octets, 8, name)
    number, profile, device, version, inputs, outputs = struct.unpack("<BHHBBB", head)
    lists, rest = _take(rest, 2 * (inputs + outputs), name)
    clusters = struct.unpack(f"<{inputs + outputs}H", lists)
    return {
        "number": number,
        "profile": profile,
        "device_id": device,
        "device_version": version,
        "input_clusters": clusters[:inputs],
        "output_clusters": clusters[inputs:],
    }, rest


def _take(octets: bytes, count: int, name: str) -> tuple[bytes, bytes]:
    if len(octets) < count:
        raise DecodeError(name, f"needs {count} octets, {len(octets)} are left")
    return octets[:count], octets[count:]
