"""Reading the CHF's device log: CCS06 with how each device was last heard, CCS07 with the historic log.

::

    CCS06  get attribute 4 of the device log; array of structure { 14 elements }
    CCS07  action 4 of the device log and of the historic one; for each { time, extended PAN id, devices }

The message code 0004 is CCS06's elder, with the same content. MAC only both ways.
Source: facts gb-domain §3.2, §3.4; sec-cpl-testing §5.1. No public source names the elements of CCS06 but the
device and the time of its last communication; the others are kept by their types.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs import dlms
from harness.gbcs.access import Access, AccessRequest, AccessResponse, AccessResult, Specification
from harness.gbcs.builder import Protection
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.dlms import DlmsReader
from harness.gbcs.use_case import Content, UseCase
from harness.gbcs.use_cases.device_log import (
    DEVICE_LOG,
    DEVICE_LOG_CLASS,
    HISTORIC_DEVICE_LOG,
    DeviceLogCopy,
    expect_accesses,
    expect_results,
    read_log_copy,
    write_log_copy,
)

_READ_LINKS = Specification(Access.GET, DEVICE_LOG_CLASS, DEVICE_LOG, 4)
_COPY_LOG = Specification(Access.ACTION, DEVICE_LOG_CLASS, DEVICE_LOG, 4)
_COPY_HISTORIC_LOG = Specification(Access.ACTION, DEVICE_LOG_CLASS, HISTORIC_DEVICE_LOG, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLink:
    """A device in CCS06's list. The elements without a published name: bits, and numbers by their order."""

    device: Eui64
    last_communication: CosemTime
    bits: str = "00000000"
    signed: tuple[int, int, int] = (0, 0, 0)
    before_time: tuple[int, int, int] = (0, 0, 0)
    after_time: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLinks:
    """CCS06's response: the devices, or why they could not be read."""

    devices: tuple[DeviceLink, ...] = ()
    result: AccessResult = AccessResult.SUCCESS


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLogs:
    """CCS07's response: both logs; one that could not be read is None, and its result says why."""

    device_log: DeviceLogCopy | None
    historic_log: DeviceLogCopy | None
    device_log_result: AccessResult = AccessResult.SUCCESS
    historic_log_result: AccessResult = AccessResult.SUCCESS


def _request_without_data(*specifications: Specification) -> Content[None]:
    nothing = (dlms.NULL,) * len(specifications)

    def read(octets: bytes, counter: int) -> None:
        if expect_accesses(AccessRequest.from_bytes(octets, counter), *specifications) != nothing:
            raise DecodeError("data", "has no place in this command")

    return Content(lambda _, counter: AccessRequest(specifications, nothing).to_bytes(counter), read)


def _write_link(link: DeviceLink) -> bytes:
    return dlms.structure(
        dlms.eui64(link.device),
        dlms.bit_string(link.bits),
        *(dlms.integer(number) for number in link.signed),
        *(dlms.unsigned(number) for number in link.before_time),
        dlms.date_time(link.last_communication),
        *(dlms.unsigned(number) for number in link.after_time),
    )


def _read_link(reader: DlmsReader) -> DeviceLink:
    reader.structure("device link", 14)

    def signed() -> int:
        return reader.integer("signed element")

    def unsigned() -> int:
        return reader.unsigned("unsigned element")

    return DeviceLink(
        device=reader.eui64("device"),
        bits=reader.bit_string("bits"),
        signed=(signed(), signed(), signed()),
        before_time=(unsigned(), unsigned(), unsigned()),
        last_communication=reader.date_time("last communication"),
        after_time=(unsigned(), unsigned(), unsigned(), unsigned(), unsigned()),
    )


def _write_links(fields: DeviceLinks, counter: int) -> bytes:
    ok = fields.result is AccessResult.SUCCESS
    data = dlms.array(*(_write_link(link) for link in fields.devices)) if ok else dlms.NULL
    return AccessResponse((data,), ((Access.GET, fields.result),)).to_bytes(counter)


def _read_links(octets: bytes, counter: int) -> DeviceLinks:
    response = AccessResponse.from_bytes(octets, counter)
    (result,) = expect_results(response, Access.GET)
    if result is not AccessResult.SUCCESS:
        dlms.read_whole(response.data[0], "devices", lambda reader: reader.null("devices"))
        return DeviceLinks(result=result)
    devices = dlms.read_whole(response.data[0], "devices", lambda reader: reader.array("devices", _read_link))
    return DeviceLinks(devices=devices)


def _write_logs(fields: DeviceLogs, counter: int) -> bytes:
    data = tuple(
        write_log_copy(log) if log else dlms.NULL for log in (fields.device_log, fields.historic_log)
    )
    results = ((Access.ACTION, fields.device_log_result), (Access.ACTION, fields.historic_log_result))
    return AccessResponse(data, results).to_bytes(counter)


def _read_logs(octets: bytes, counter: int) -> DeviceLogs:
    response = AccessResponse.from_bytes(octets, counter)
    log_result, historic_result = expect_results(response, Access.ACTION, Access.ACTION)
    logs = [
        None if data == dlms.NULL else dlms.read_whole(data, "device log", read_log_copy)
        for data in response.data
    ]
    return DeviceLogs(
        device_log=logs[0],
        historic_log=logs[1],
        device_log_result=log_result,
        historic_log_result=historic_result,
    )


CCS06 = UseCase(
    name="CCS06",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=_request_without_data(_READ_LINKS),
    response_content=Content(_write_links, _read_links),
)
CCS05_CCS04 = UseCase(
    name="CCS05CCS04",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=CCS06.command_content,
    response_content=CCS06.response_content,
)
CCS07 = UseCase(
    name="CCS07",
    command=Protection.MACED,
    response=Protection.MACED,
    command_content=_request_without_data(_COPY_LOG, _COPY_HISTORIC_LOG),
    response_content=Content(_write_logs, _read_logs),
)
