"""Changes of the CHF's device log: CCS01 adds a device, CCS02 removes one, CCS03 restores it, CS14 tells.

All are DLMS on the device log's object (class 104, 0-0:30.3.0.255)::

    CCS01  action 1 register_device { device, key type, install code, device type },
           set 3 join_timeout (seconds), set 2 enable_joining
    CCS02  action 2 remove device
    CCS03  action 5 restore_PAN { extended PAN id, array of { device, hashed link key } }
    CS14   alert 8F12 { time, extended PAN id, array of { device, hashed link key or nothing } }

CCS01 to CCS03 are MAC only both ways, for the ACB; CS14 is MAC only, from the CHF to the ACB.
Source: facts gb-domain §3.4, sec-cpl-testing §5.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs import dlms
from harness.gbcs.access import (
    Access,
    AccessRequest,
    AccessResponse,
    AccessResult,
    Notification,
    Specification,
)
from harness.gbcs.builder import Protection
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.dlms import DlmsReader
from harness.gbcs.open_enum import OpenEnum
from harness.gbcs.use_case import AlertCase, Content, UseCase

DEVICE_LOG_CHANGED = 0x8F12
DEVICE_LOG = bytes.fromhex("00001E0300FF")
HISTORIC_DEVICE_LOG = bytes.fromhex("00001E0301FF")
DEVICE_LOG_CLASS = 0x0068

_REGISTER = Specification(Access.ACTION, DEVICE_LOG_CLASS, DEVICE_LOG, 1)
_JOIN_TIMEOUT = Specification(Access.SET, DEVICE_LOG_CLASS, DEVICE_LOG, 3)
_ENABLE_JOINING = Specification(Access.SET, DEVICE_LOG_CLASS, DEVICE_LOG, 2)
_REMOVE = Specification(Access.ACTION, DEVICE_LOG_CLASS, DEVICE_LOG, 2)
_RESTORE = Specification(Access.ACTION, DEVICE_LOG_CLASS, DEVICE_LOG, 5)

T = TypeVar("T")


class RegisteredType(OpenEnum):
    """A device's type as register_device has it; not the numbers of the ASN.1 messages."""

    ESME = 0
    GSME = 1
    HCALCS = 13
    IHD = 128
    CAD = 130
    PPMID = 132


class JoiningKey(OpenEnum):
    """What the key of register_device is; the RTDS vectors have the install code's only."""

    INSTALL_CODE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AddDevice:
    """CCS01: which device may join, with which install code (as DUIS gives it), for how many seconds."""

    device: Eui64
    install_code: bytes
    device_type: RegisteredType
    join_timeout_s: int
    enable_joining: bool = True
    key: JoiningKey = JoiningKey.INSTALL_CODE


@dataclass(frozen=True, slots=True, kw_only=True)
class AddDeviceResult:
    """CCS01's response: what became of each of its three accesses."""

    register: AccessResult = AccessResult.SUCCESS
    join_timeout: AccessResult = AccessResult.SUCCESS
    enable_joining: AccessResult = AccessResult.SUCCESS

    @property
    def ok(self) -> bool:
        """Whether all three succeeded."""
        return self == AddDeviceResult()


@dataclass(frozen=True, slots=True)
class LoggedDevice:
    """A device in a log, and the hash of its link key: 16 octets, or none before one is established."""

    device: Eui64
    link_key_hash: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLogCopy:
    """A device log as CS14 and CCS07 send it, with the extended PAN id (8 octets) of the hub's HAN."""

    time: CosemTime
    extended_pan_id: bytes
    devices: tuple[LoggedDevice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreDeviceLog:
    """CCS03: the extended PAN id and the log of the hub that this one replaces."""

    extended_pan_id: bytes
    devices: tuple[LoggedDevice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLogAlert:
    """CS14: when the alert was raised, and the whole log."""

    time: CosemTime
    log: DeviceLogCopy


def request_content(
    specification: Specification, write: Callable[[T], bytes], read: Callable[[DlmsReader], T]
) -> Content[T]:
    """Return the content of a request of one access, whose data are the fields."""

    def read_request(octets: bytes, counter: int) -> T:
        (data,) = expect_accesses(AccessRequest.from_bytes(octets, counter), specification)
        return dlms.read_whole(data, "data", read)

    return Content(
        lambda fields, counter: AccessRequest((specification,), (write(fields),)).to_bytes(counter),
        read_request,
    )


def expect_accesses(request: AccessRequest, *expected: Specification) -> tuple[bytes, ...]:
    """Return the request's data when it is for just these accesses; raises DecodeError."""
    if request.specifications != expected:
        raise DecodeError("access specifications", "are not those of this use case")
    return request.data


def expect_results(response: AccessResponse, *expected: Access) -> tuple[AccessResult, ...]:
    """Return the results when they are of just these accesses; raises DecodeError."""
    if tuple(access for access, _ in response.results) != expected:
        raise DecodeError("access results", "are not those of this use case")
    return tuple(result for _, result in response.results)


def expect_no_data(response: AccessResponse) -> None:
    """Raise DecodeError unless every piece of data is null."""
    if any(data != dlms.NULL for data in response.data):
        raise DecodeError("data", "has no place in this response")


def outcome_content(access: Access) -> Content[AccessResult]:
    """Return the content of a response to one access that gives no data."""

    def read(octets: bytes, counter: int) -> AccessResult:
        response = AccessResponse.from_bytes(octets, counter)
        (result,) = expect_results(response, access)
        expect_no_data(response)
        return result

    return Content(
        lambda result, counter: AccessResponse((dlms.NULL,), ((access, result),)).to_bytes(counter), read
    )


def write_log_copy(log: DeviceLogCopy) -> bytes:
    """Write a device log as CS14 and CCS07 have it."""
    return dlms.structure(
        dlms.date_time(log.time), dlms.octet_string(log.extended_pan_id), _write_devices(log.devices)
    )


def read_log_copy(reader: DlmsReader) -> DeviceLogCopy:
    """Read a device log as CS14 and CCS07 have it; raises DecodeError."""
    reader.structure("device log", 3)
    return DeviceLogCopy(
        time=reader.date_time("time of the device log"),
        extended_pan_id=reader.octet_string("extended PAN id", 8),
        devices=_read_devices(reader),
    )


def _write_devices(devices: tuple[LoggedDevice, ...]) -> bytes:
    return dlms.array(
        *(dlms.structure(dlms.eui64(one.device), dlms.octet_string(one.link_key_hash)) for one in devices)
    )


def _read_devices(reader: DlmsReader) -> tuple[LoggedDevice, ...]:
    return reader.array("devices", _read_device)


def _read_device(reader: DlmsReader) -> LoggedDevice:
    reader.structure("device", 2)
    device = reader.eui64("device")
    key_hash = reader.octet_string("hashed link key")
    if len(key_hash) not in (0, 16):
        raise reader.octets.error("hashed link key", f"has {len(key_hash)} octets, expected 16 or none")
    return LoggedDevice(device, key_hash)


def _write_add_device(fields: AddDevice, counter: int) -> bytes:
    registration = dlms.structure(
        dlms.eui64(fields.device),
        dlms.enum(fields.key),
        dlms.octet_string(fields.install_code),
        dlms.enum(fields.device_type),
    )
    window = dlms.long_unsigned(fields.join_timeout_s)
    data = (registration, window, dlms.boolean(value=fields.enable_joining))
    return AccessRequest((_REGISTER, _JOIN_TIMEOUT, _ENABLE_JOINING), data).to_bytes(counter)


def _read_add_device(octets: bytes, counter: int) -> AddDevice:
    request = AccessRequest.from_bytes(octets, counter)
    registration, window, joining = expect_accesses(request, _REGISTER, _JOIN_TIMEOUT, _ENABLE_JOINING)
    reader = DlmsReader(registration)
    reader.structure("register_device", 4)
    device = reader.eui64("device")
    key = JoiningKey(reader.enum("key type"))
    install_code = reader.octet_string("install code")
    device_type = RegisteredType(reader.enum("device type"))
    reader.end("register_device")
    return AddDevice(
        device=device,
        key=key,
        install_code=install_code,
        device_type=device_type,
        join_timeout_s=dlms.read_whole(window, "join_timeout", lambda one: one.long_unsigned("join_timeout")),
        enable_joining=dlms.read_whole(joining, "enable_joining", lambda one: one.boolean("enable_joining")),
    )


def _write_add_device_result(result: AddDeviceResult, counter: int) -> bytes:
    results = (
        (Access.ACTION, result.register),
        (Access.SET, result.join_timeout),
        (Access.SET, result.enable_joining),
    )
    return AccessResponse((dlms.NULL,) * 3, results).to_bytes(counter)


def _read_add_device_result(octets: bytes, counter: int) -> AddDeviceResult:
    response = AccessResponse.from_bytes(octets, counter)
    expect_no_data(response)
    register, window, joining = expect_results(response, Access.ACTION, Access.SET, Access.SET)
    return AddDeviceResult(register=register, join_timeout=window, enable_joining=joining)


def _write_restore(fields: RestoreDeviceLog) -> bytes:
    return dlms.structure(dlms.octet_string(fields.extended_pan_id), _write_devices(fields.devices))


def _read_restore(reader: DlmsReader) -> RestoreDeviceLog:
    reader.structure("restore_PAN", 2)
    pan_id = reader.octet_string("extended PAN id", 8)
    return RestoreDeviceLog(extended_pan_id=pan_id, devices=_read_devices(reader))


def _write_alert(alert: DeviceLogAlert, counter: int) -> bytes:
    return Notification(DEVICE_LOG_CHANGED, alert.time, (write_log_copy(alert.log),)).to_bytes(counter)


def _read_alert(octets: bytes, counter: int) -> DeviceLogAlert:
    notification = Notification.from_bytes(octets, counter)
    if notification.alert_code != DEVICE_LOG_CHANGED or len(notification.body) != 1:
        raise DecodeError("alert code", "is not 8F12 with one device log")
    log = dlms.read_whole(notification.body[0], "device log", read_log_copy)
    return DeviceLogAlert(time=notification.time, log=log)


CCS01 = UseCase(
    name="CCS01",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=Content(_write_add_device, _read_add_device),
    response_content=Content(_write_add_device_result, _read_add_device_result),
)
CCS02 = UseCase(
    name="CCS02",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=request_content(_REMOVE, dlms.eui64, lambda reader: reader.eui64("device")),
    response_content=outcome_content(Access.ACTION),
)
CCS03 = UseCase(
    name="CCS03",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=request_content(_RESTORE, _write_restore, _read_restore),
    response_content=outcome_content(Access.ACTION),
)
CS14 = AlertCase(name="CS14", alert=Protection.MACED, content=Content(_write_alert, _read_alert))
