"""Firmware: CS06 activates an image, CS09 and CCS08 tell what became of one.

::

    CS06 command   SEQUENCE { hash of the image (32), originator counter, execution time? }
    CS06 response  SEQUENCE { result, firmware version (4) } with a date-time in the header, or NULL when the
                   execution lies in the future
    CS06 alert     SEQUENCE { 8F66 or 8F67, execution time, originator counter, SEQUENCE { result, version } }
    CS09 alert     SEQUENCE { 8F8B, time, firmware version (4), result }       a PPMID's own activation
    CCS08 alert    SEQUENCE { 8F8A or 8F89, time, device, firmware version (4), result }   from the CHF

CS06 is signed by the user and MACed; its response and all alerts are signed only. The user signs the
pre-command as the DSP made it; the command is that and a MAC. CS08 is in a module of its own.
Source: facts gb-domain §3.3, §3.4; RTDS 11.3_CS06, NA_CS09, NA_CCS08.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs import der
from harness.gbcs.builder import Protection
from harness.gbcs.der import DerReader
from harness.gbcs.open_enum import OpenEnum
from harness.gbcs.use_case import AlertCase, UseCase, der_content
from harness.gbcs.use_cases.joining import read_eui64, read_number, write_eui64

PPMID_FIRMWARE_ACTIVATION = 0x8F8B
TRANSFER_FAILED, TRANSFER_SUCCESSFUL = 0x8F89, 0x8F8A
FUTURE_DATED_SUCCESS, FUTURE_DATED_FAILURE = 0x8F66, 0x8F67
CANCELLATION = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""The execution time that withdraws a future-dated command."""

_HASH_LENGTH = 32
_VERSION_LENGTH = 4


class ActivationResult(OpenEnum):
    """What CS06 came to."""

    SUCCESS = 0
    NO_IMAGE_HELD = 1
    HASH_MISMATCH = 2
    ACTIVATION_FAILURE = 3


class PpmidActivationResult(OpenEnum):
    """What a PPMID's activation of its image came to."""

    SUCCESS = 0
    FAILURE = 1


class TransferResult(OpenEnum):
    """What became of an image that the CHF was to hand to a device."""

    SUCCESS = 0
    IMAGE_DISCARDED = 1
    HARDWARE_VERSION_MISMATCH = 2
    FILE_TRANSFER_FAILURE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Activate:
    """CS06: the image's SHA-256 hash, the originator counter again, and when to activate it if not now."""

    image_hash: bytes
    originator_counter: int
    execution_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Activation:
    """What CS06 came to, and the firmware version (4 octets) that runs now."""

    result: ActivationResult
    firmware: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FutureDatedActivation:
    """CS06's alert: what a future-dated command came to. `originator_counter` is that command's."""

    alert_code: int
    execution_time: datetime
    originator_counter: int
    outcome: Activation


@dataclass(frozen=True, slots=True, kw_only=True)
class PpmidActivation:
    """CS09: when the PPMID activated its image, the version (4 octets) that runs now, and the result."""

    time: datetime
    firmware: bytes
    result: PpmidActivationResult = PpmidActivationResult.SUCCESS


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareTransfer:
    """CCS08: what became of an image of this version (4 octets) for this device."""

    time: datetime
    device: Eui64
    firmware: bytes
    result: TransferResult = TransferResult.SUCCESS

    @property
    def alert_code(self) -> int:
        """8F8A when the image was handed over, else 8F89."""
        return TRANSFER_SUCCESSFUL if self.result is TransferResult.SUCCESS else TRANSFER_FAILED


def _write_activate(fields: Activate) -> bytes:
    if len(fields.image_hash) != _HASH_LENGTH:
        raise ValueError(f"an image hash has {_HASH_LENGTH} octets, not {len(fields.image_hash)}")
    time = b"" if fields.execution_time is None else der.generalized_time(fields.execution_time)
    return der.sequence(der.octet_string(fields.image_hash), der.integer(fields.originator_counter), time)


def _read_activate(reader: DerReader) -> Activate:
    fields = reader.sequence("CS06 command")
    activate = Activate(
        image_hash=fields.octet_string("image hash", _HASH_LENGTH),
        originator_counter=read_number(fields, "originator counter"),
        execution_time=None if fields.done else fields.generalized_time("execution time"),
    )
    fields.end("CS06 command")
    return activate


def _write_outcome(outcome: Activation) -> bytes:
    return der.sequence(der.integer(outcome.result), write_version(outcome.firmware))


def _read_outcome(reader: DerReader) -> Activation:
    fields = reader.sequence("execution outcome")
    result = ActivationResult(read_number(fields, "activation result"))
    firmware = fields.octet_string("firmware version", _VERSION_LENGTH)
    fields.end("execution outcome")
    return Activation(result, firmware)


def _write_response(outcome: Activation | None) -> bytes:
    return der.NULL if outcome is None else _write_outcome(outcome)


def _read_response(reader: DerReader) -> Activation | None:
    if reader.next_is_null():
        reader.null("CS06 response")
        return None
    return _read_outcome(reader)


def write_version(firmware: bytes) -> bytes:
    """Write a firmware version; raises ValueError unless it has 4 octets."""
    if len(firmware) != _VERSION_LENGTH:
        raise ValueError(f"a firmware version has {_VERSION_LENGTH} octets, not {len(firmware)}")
    return der.octet_string(firmware)


def _write_future_dated(alert: FutureDatedActivation) -> bytes:
    return der.sequence(
        der.integer(alert.alert_code),
        der.generalized_time(alert.execution_time),
        der.integer(alert.originator_counter),
        _write_outcome(alert.outcome),
    )


def _read_future_dated(reader: DerReader) -> FutureDatedActivation:
    fields = reader.sequence("CS06 alert")
    alert = FutureDatedActivation(
        alert_code=_read_alert_code(fields, FUTURE_DATED_SUCCESS, FUTURE_DATED_FAILURE),
        execution_time=fields.generalized_time("execution time"),
        originator_counter=read_number(fields, "originator counter"),
        outcome=_read_outcome(fields),
    )
    fields.end("CS06 alert")
    return alert


def _write_ppmid_activation(alert: PpmidActivation) -> bytes:
    return der.sequence(
        der.integer(PPMID_FIRMWARE_ACTIVATION),
        der.generalized_time(alert.time),
        write_version(alert.firmware),
        der.integer(alert.result),
    )


def _read_ppmid_activation(reader: DerReader) -> PpmidActivation:
    fields = reader.sequence("CS09 alert")
    _read_alert_code(fields, PPMID_FIRMWARE_ACTIVATION)
    alert = PpmidActivation(
        time=fields.generalized_time("activation time"),
        firmware=fields.octet_string("firmware version", _VERSION_LENGTH),
        result=PpmidActivationResult(read_number(fields, "activation result")),
    )
    fields.end("CS09 alert")
    return alert


def _write_transfer(alert: FirmwareTransfer) -> bytes:
    return der.sequence(
        der.integer(alert.alert_code),
        der.generalized_time(alert.time),
        write_eui64(alert.device),
        write_version(alert.firmware),
        der.integer(alert.result),
    )


def _read_transfer(reader: DerReader) -> FirmwareTransfer:
    fields = reader.sequence("CCS08 alert")
    code = _read_alert_code(fields, TRANSFER_FAILED, TRANSFER_SUCCESSFUL)
    alert = FirmwareTransfer(
        time=fields.generalized_time("transfer time"),
        device=read_eui64(fields, "device"),
        firmware=fields.octet_string("firmware version", _VERSION_LENGTH),
        result=TransferResult(read_number(fields, "transfer result")),
    )
    fields.end("CCS08 alert")
    if code != alert.alert_code:
        raise DecodeError("alert code", f"is {code:04X} with the result {alert.result.text}")
    return alert


def _read_alert_code(reader: DerReader, *expected: int) -> int:
    code = read_number(reader, "alert code")
    if code not in expected:
        names = " or ".join(f"{one:04X}" for one in expected)
        raise reader.error("alert code", f"expected {names}, found {code:04X}")
    return code


CS06 = UseCase(
    name="CS06",
    command=Protection.SIGNED_AND_MACED,
    response=Protection.SIGNED,
    command_content=der_content("CS06 command", _write_activate, _read_activate),
    response_content=der_content("CS06 response", _write_response, _read_response),
)
CS06_ALERT = AlertCase(
    name="CS06 future-dated alert",
    alert=Protection.SIGNED,
    content=der_content("CS06 alert", _write_future_dated, _read_future_dated),
)
CS09 = AlertCase(
    name="CS09",
    alert=Protection.SIGNED,
    content=der_content("CS09 alert", _write_ppmid_activation, _read_ppmid_activation),
)
CCS08 = AlertCase(
    name="CCS08",
    alert=Protection.SIGNED,
    content=der_content("CCS08 alert", _write_transfer, _read_transfer),
)
