"""Reading the CHF's device log: CCS06 with how each device was last heard, CCS07 with the historic log.

::

    CCS06  get attribute 4 of the device log; array of structure { 14 elements }
    CCS07  action 4 of the device log and of the historic one; for each { time, extended PAN id, devices }

The message code 0004 is CCS06's elder, with the same content. MAC only both ways.
Source: facts gb-domain §3.2, §3.4; sec-cpl-testing §5.1. The elements of CCS06 are named as those of the DLMS
interface class 104 (ZigBee network control), attribute active_devices: types and order are the same,
that the meanings are is inferred.
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
    """A device in CCS06's list: its state, how well it was heard (RSSI in dBm, LQI), and when last.

    `status` is a string of bits, the first one "authorised on the PAN", the second "actively reporting". The
    numbers of transmissions are 8 bits wide.
    """

    device: Eui64
    status: str = "00000000"
    max_rssi: int = 0
    average_rssi: int = 0
    min_rssi: int = 0
    max_lqi: int = 0
    average_lqi: int = 0
    min_lqi: int = 0
    last_communication: CosemTime
    hops: int = 0
    transmission_failures: int = 0
    transmission_successes: int = 0
    application_version: int = 0
    stack_version: int = 0


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
        dlms.bit_string(link.status),
        *(dlms.integer(number) for number in (link.max_rssi, link.average_rssi, link.min_rssi)),
        *(dlms.unsigned(number) for number in (link.max_lqi, link.average_lqi, link.min_lqi)),
        dlms.date_time(link.last_communication),
        dlms.unsigned(link.hops),
        dlms.unsigned(link.transmission_failures),
        dlms.unsigned(link.transmission_successes),
        dlms.unsigned(link.application_version),
        dlms.unsigned(link.stack_version),
    )


def _read_link(reader: DlmsReader) -> DeviceLink:
    reader.structure("device link", 14)
    return DeviceLink(
        device=reader.eui64("device"),
        status=reader.bit_string("status"),
        max_rssi=reader.integer("maximum RSSI"),
        average_rssi=reader.integer("average RSSI"),
        min_rssi=reader.integer("minimum RSSI"),
        max_lqi=reader.unsigned("maximum LQI"),
        average_lqi=reader.unsigned("average LQI"),
        min_lqi=reader.unsigned("minimum LQI"),
        last_communication=reader.date_time("last communication"),
        hops=reader.unsigned("number of hops"),
        transmission_failures=reader.unsigned("transmission failures"),
        transmission_successes=reader.unsigned("transmission successes"),
        application_version=reader.unsigned("application version"),
        stack_version=reader.unsigned("stack version"),
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
