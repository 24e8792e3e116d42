"""GBZ: ZCL commands inside a GBCS message, for meters on gas and for a PPMID's top-ups.

::

    payload    0109 | n | component * n
    component  control | cluster (2) | length (2) | [from-time (4)] [additional header (2)]
               | ZCL frame control, sequence, command | ZCL payload
    control    01 last component, 02 encrypted (an additional header stands before the ZCL header, a
               ciphered payload with its length (2) after it), 10 with a from-time
    alert      0109 | 00 or 01 | alert code (2) | time (4) | what the use case says

0109 is the Smart Energy profile. GBZ headers are big-endian, ZCL is little-endian; times count seconds since
2000. An additional header is 00 and the place of the component among the encrypted ones.
Source: facts gb-domain §3.3; proved on the RTDS vectors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from harness.errors import DecodeError
from harness.gbcs.octets import Reader
from harness.gbcs.open_enum import OpenEnum

EVENTS_CLUSTER = 0x0709
PREPAYMENT_CLUSTER = 0x0705
MESSAGING_CLUSTER = 0x0703
DEFAULT_RESPONSE = 0x0B

_PROFILE = bytes.fromhex("0109")
_LAST, _ENCRYPTED, _FROM_TIME = 0x01, 0x02, 0x10
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_ADDITIONAL_HEADER = b"\x00"


class ZclStatus(OpenEnum):
    """The status of a ZCL default response (ZCL 2.6.3)."""

    SUCCESS = 0x00
    FAILURE = 0x01
    NOT_AUTHORIZED = 0x7E
    MALFORMED_COMMAND = 0x80
    UNSUPPORTED_CLUSTER_COMMAND = 0x81
    INVALID_FIELD = 0x85
    UNSUPPORTED_ATTRIBUTE = 0x86
    INVALID_VALUE = 0x87
    INSUFFICIENT_SPACE = 0x89
    NOT_FOUND = 0x8B
    TIMEOUT = 0x94
    HARDWARE_FAILURE = 0xC0
    SOFTWARE_FAILURE = 0xC1


@dataclass(frozen=True, slots=True, kw_only=True)
class GbzComponent:
    """One ZCL command. `payload` is what follows its header; see `encryption` where it is encrypted."""

    cluster: int
    frame_control: int
    command: int
    payload: bytes
    sequence: int = 0
    from_time: int | None = None
    encrypted: bool = False
    frame_counter: int = 0

    @property
    def is_default_response(self) -> bool:
        """Whether this is a ZCL default response: global, not of the cluster."""
        return self.frame_control & 0x03 == 0 and self.command == DEFAULT_RESPONSE

    def to_bytes(self, *, last: bool) -> bytes:
        """Return the octets, GBZ header included."""
        control = (_LAST if last else 0) | (_ENCRYPTED if self.encrypted else 0)
        before = _ADDITIONAL_HEADER + bytes((self.frame_counter,)) if self.encrypted else b""
        if self.from_time is not None:
            control |= _FROM_TIME
            before = self.from_time.to_bytes(4, "big") + before
        payload = (len(self.payload).to_bytes(2, "big") if self.encrypted else b"") + self.payload
        zcl = before + bytes((self.frame_control, self.sequence, self.command)) + payload
        return bytes((control,)) + self.cluster.to_bytes(2, "big") + len(zcl).to_bytes(2, "big") + zcl


@dataclass(frozen=True, slots=True)
class GbzPayload:
    """The components of a command or response, in order."""

    components: tuple[GbzComponent, ...]

    def to_bytes(self) -> bytes:
        """Return the octets."""
        final = len(self.components) - 1
        parts = (one.to_bytes(last=place == final) for place, one in enumerate(self.components))
        return _PROFILE + bytes((len(self.components),)) + b"".join(parts)

    @classmethod
    def from_bytes(cls, octets: bytes) -> GbzPayload:
        """Read the octets; raises DecodeError."""
        reader = Reader(octets)
        reader.literal(_PROFILE, "GBZ profile")
        count = reader.number(1, "number of GBZ components")
        components = tuple(_component(reader, last=place == count - 1) for place in range(count))
        reader.end("GBZ payload")
        return cls(components)


@dataclass(frozen=True, slots=True, kw_only=True)
class GbzAlert:
    """An alert: its code, its time in seconds since 2000, and what more its use case says."""

    alert_code: int
    time: int
    body: bytes = b""

    def to_bytes(self) -> bytes:
        """Return the octets."""
        head = _PROFILE + bytes((1 if self.body else 0,)) + self.alert_code.to_bytes(2, "big")
        return head + self.time.to_bytes(4, "big") + self.body

    @classmethod
    def from_bytes(cls, octets: bytes) -> GbzAlert:
        """Read the octets; raises DecodeError."""
        reader = Reader(octets)
        reader.literal(_PROFILE, "GBZ profile")
        count = reader.number(1, "number of GBZ components")
        code = reader.number(2, "alert code")
        time = reader.number(4, "alert time")
        if count != (1 if reader.remaining else 0):
            raise reader.error(
                "number of GBZ components", f"is {count} before {reader.remaining} octets of body"
            )
        return cls(alert_code=code, time=time, body=reader.rest())


def moment_of(seconds: int) -> datetime:
    """Return the moment of a ZCL time."""
    return _EPOCH + timedelta(seconds=seconds)


def seconds_of(moment: datetime) -> int:
    """Return the ZCL time of a moment; raises ValueError before 2000."""
    seconds = int((moment - _EPOCH).total_seconds())
    if not 0 <= seconds <= 0xFFFFFFFF:
        raise ValueError(f"{moment} is no ZCL time")
    return seconds


def default_response(cluster: int, command: int, status: ZclStatus, *, frame_control: int = 0x08) -> bytes:
    """Return a payload of one default response to a command."""
    one = GbzComponent(
        cluster=cluster,
        frame_control=frame_control,
        command=DEFAULT_RESPONSE,
        payload=bytes((command, status)),
    )
    return GbzPayload((one,)).to_bytes()


def is_default_response(octets: bytes) -> bool:
    """Say whether a payload is one default response. Raises DecodeError when it is no payload."""
    components = GbzPayload.from_bytes(octets).components
    return len(components) == 1 and components[0].is_default_response


def read_default_response(
    octets: bytes, cluster: int, command: int, *, frame_control: int = 0x08
) -> ZclStatus:
    """Return the status of a payload of one default response to a command; raises DecodeError."""
    reader = expect_component(octets, cluster, DEFAULT_RESPONSE, frame_control)
    reader.literal(bytes((command,)), "command of the default response")
    status = ZclStatus(reader.number(1, "status"))
    reader.end("default response")
    return status


def expect_component(octets: bytes, cluster: int, command: int, frame_control: int) -> Reader:
    """Return a cursor on what follows the ZCL header of the one component; raises DecodeError.

    That is when the payload is of several components, or of another command.
    """
    components = GbzPayload.from_bytes(octets).components
    expected = GbzComponent(cluster=cluster, frame_control=frame_control, command=command, payload=b"")
    if len(components) != 1 or replace(components[0], payload=b"") != expected:
        raise DecodeError("GBZ component", f"is not the command {command:02X} of cluster {cluster:04X} alone")
    return Reader(components[0].payload, base=len(octets) - len(components[0].payload))


def read_component(octets: bytes) -> GbzComponent:
    """Read one component that must be all of `octets`, as an alert may carry; raises DecodeError."""
    reader = Reader(octets)
    component = _component(reader, last=True)
    reader.end("GBZ component")
    return component


def _component(reader: Reader, *, last: bool) -> GbzComponent:
    control = reader.number(1, "GBZ control")
    if control & ~(_LAST | _ENCRYPTED | _FROM_TIME) or bool(control & _LAST) != last:
        reader.position -= 1
        raise reader.error("GBZ control", f"{control:02X} has no meaning here")
    cluster = reader.number(2, "cluster")
    length = reader.number(2, "length of GBZ component")
    base = reader.offset
    inner = Reader(reader.take(length, "GBZ component"), base=base)
    from_time = inner.number(4, "from-time") if control & _FROM_TIME else None
    frame_counter = 0
    if control & _ENCRYPTED:
        inner.literal(_ADDITIONAL_HEADER, "additional header")
        frame_counter = inner.number(1, "frame counter")
    frame_control, sequence, command = inner.take(3, "ZCL header")
    if control & _ENCRYPTED:
        payload = inner.take(inner.number(2, "length of ciphered payload"), "ciphered payload")
        inner.end("ciphered payload")
    else:
        payload = inner.rest()
    return GbzComponent(
        cluster=cluster,
        frame_control=frame_control,
        command=command,
        payload=payload,
        sequence=sequence,
        from_time=from_time,
        encrypted=bool(control & _ENCRYPTED),
        frame_counter=frame_counter,
    )
