"""Which GBCS use cases this DCC speaks.

Here stands what of a service request goes into the command, and what of a response comes out, under the names
that the MMC documents have.
Source: facts gb-domain §3.2 to §3.4; GBCS mapping table (service reference by use case).
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.dcc.duis.requests import (
    ActivateFirmware,
    JoinOrUnjoin,
    RestoreGpfDeviceLog,
    RestoreHanDeviceLog,
    UpdateHanDeviceLog,
)
from harness.dcc.meter_use_cases import IN_THE_USERS_NAME, SIGNED_BY_THE_USER
from harness.dcc.spoken import (
    ACCESS_RESULTS,
    Knowledge,
    SpokenUseCase,
    Told,
    by_name,
    nothing,
    success,
)
from harness.eui64 import Eui64
from harness.gbcs import parse
from harness.gbcs.access import AccessResult
from harness.gbcs.use_cases.cs08 import CS08, Cs08Result
from harness.gbcs.use_cases.device_log import (
    CCS01,
    CCS02,
    CCS03,
    AddDevice,
    AddDeviceResult,
    LoggedDevice,
    RegisteredType,
    RestoreDeviceLog,
)
from harness.gbcs.use_cases.device_log_reads import CCS06, CCS07, DeviceLink, DeviceLinks, DeviceLogs
from harness.gbcs.use_cases.firmware import CS06, Activate, Activation, ActivationResult
from harness.gbcs.use_cases.gas_proxy import GCS59, RestoredDevice
from harness.gbcs.use_cases.joining import (
    CS03A1,
    CS03A2,
    CS03B,
    CS03C,
    CS04AC,
    CS04B,
    CS07,
    Join,
    JoinDetails,
    JoinedDevice,
    JoinMethod,
    JoinResult,
    ReadResult,
    UnjoinResult,
)
from harness.gbcs.use_cases.joining import DeviceType as JoinedType
from harness.smets.cpl import DeviceType

FIRMWARE_VERSION = "FirmwareVersion"
JOIN_RESPONSE = "JoinResponseCode"
UNJOIN_RESPONSE = "UnjoinResponseCode"
DEVICE_LOG = "DeviceLog"
RESULT = "Result"
HISTORIC_DEVICE_LOG = "HistoricDeviceLog"
RESTORE_OUTCOMES = "RestoreOutcomes"

_REGISTERED = {
    DeviceType.ESME: RegisteredType.ESME,
    DeviceType.GSME: RegisteredType.GSME,
    DeviceType.HCALCS: RegisteredType.HCALCS,
    DeviceType.IHD: RegisteredType.IHD,
    DeviceType.CAD: RegisteredType.CAD,
    DeviceType.PPMID: RegisteredType.PPMID,
}
JOINED_TYPES = {
    DeviceType.ESME: JoinedType.ESME,
    DeviceType.GSME: JoinedType.GSME,
    DeviceType.CHF: JoinedType.CHF,
    DeviceType.GPF: JoinedType.GPF,
    DeviceType.HCALCS: JoinedType.HCALCS,
    DeviceType.PPMID: JoinedType.PPMID,
    DeviceType.IHD: JoinedType.TYPE_2,
    DeviceType.CAD: JoinedType.TYPE_2,
}


def _add(request: UpdateHanDeviceLog, known: Knowledge) -> AddDevice:
    return AddDevice(
        device=request.device,
        install_code=request.install_code,
        device_type=_REGISTERED[known.device_type(request.device)],
        join_timeout_s=int(request.join_time_s),
    )


def _remove(request: UpdateHanDeviceLog, _: Knowledge) -> Eui64:
    return request.device


def _restore(request: RestoreHanDeviceLog, known: Knowledge) -> RestoreDeviceLog:
    return RestoreDeviceLog(
        extended_pan_id=known.extended_pan_id_of(request.old_hub),
        devices=known.device_log_of(request.old_hub),
    )


def _restore_gpf(request: RestoreGpfDeviceLog, known: Knowledge) -> tuple[JoinedDevice, ...]:
    return known.gpf_log_of(request.old_gpf)


def _initiate_by_a(request: JoinOrUnjoin, known: Knowledge) -> Join:
    return _without_certificate(JoinMethod.METHOD_A_INITIATOR, request, known)


def _join_by_a(request: JoinOrUnjoin, known: Knowledge) -> Join:
    return _without_certificate(JoinMethod.METHOD_A_RESPONDER, request, known)


def _without_certificate(method: JoinMethod, request: JoinOrUnjoin, known: Knowledge) -> Join:
    device_type = JOINED_TYPES[known.device_type(request.other)]
    return Join(method=method, device=request.other, device_type=device_type)


def _join_by_b(request: JoinOrUnjoin, known: Knowledge) -> Join:
    return _without_certificate(JoinMethod.METHOD_B, request, known)


def _join_by_c(request: JoinOrUnjoin, known: Knowledge) -> Join:
    return Join(
        method=JoinMethod.METHOD_C,
        device=request.other,
        device_type=JOINED_TYPES[known.device_type(request.other)],
        certificate=known.key_agreement_certificate(request.other),
    )


def _unjoin(request: JoinOrUnjoin, _: Knowledge) -> Eui64:
    return request.other


def _activate(request: ActivateFirmware, _: Knowledge) -> Activate:
    return Activate(
        image_hash=request.firmware_hash,
        originator_counter=request.request_id.counter,
        execution_time=request.execution,
    )


def _firmware(result: Cs08Result) -> Told:
    return success(ok=result.ok) | {FIRMWARE_VERSION: result.firmware.hex().upper()}


def _added(result: AddDeviceResult) -> Told:
    results = (result.register, result.join_timeout, result.enable_joining)
    return success(ok=result.ok) | {ACCESS_RESULTS: ", ".join(entry.text for entry in results)}


def _accessed(result: AccessResult) -> dict[str, str]:
    return success(ok=result is AccessResult.SUCCESS) | {ACCESS_RESULTS: result.text}


def _links(links: DeviceLinks) -> Told:
    return _accessed(links.result) | {DEVICE_LOG: ", ".join(map(_link, links.devices))}


def _link(link: DeviceLink) -> str:
    heard = link.last_communication.moment
    if heard is None:
        return f"{link.device} heard never"
    return f"{link.device} heard {heard} RSSI {link.average_rssi} dBm LQI {link.average_lqi}"


def _logs(logs: DeviceLogs) -> Told:
    both = (logs.device_log, logs.historic_log)
    shown = [_logged(log.devices) if log is not None else "unreadable" for log in both]
    return success(ok=None not in both) | {DEVICE_LOG: shown[0], HISTORIC_DEVICE_LOG: shown[1]}


def _logged(devices: tuple[LoggedDevice, ...]) -> str:
    return ", ".join(f"{one.device} {one.link_key_hash.hex().upper() or 'no key'}" for one in devices)


def _joined(result: JoinResult) -> Told:
    return success(ok=result is JoinResult.SUCCESS) | {JOIN_RESPONSE: result.text}


def _unjoined(result: UnjoinResult) -> Told:
    return success(ok=result is UnjoinResult.SUCCESS) | {UNJOIN_RESPONSE: result.text}


def _details(details: JoinDetails) -> Told:
    devices = ", ".join(f"{one.device} {one.device_type.name}" for one in details.devices)
    return success(ok=details.result is ReadResult.SUCCESS) | {DEVICE_LOG: devices}


def _restored(outcomes: tuple[RestoredDevice, ...]) -> Told:
    said = ", ".join(
        f"{one.joined.device} {one.joined.device_type.name} {one.result.text}" for one in outcomes
    )
    ok = all(one.result is JoinResult.SUCCESS for one in outcomes)
    return success(ok=ok) | {RESTORE_OUTCOMES: said}


def _activation(outcome: Activation) -> Told:
    ok = outcome.result is ActivationResult.SUCCESS
    shown = {RESULT: outcome.result.text, FIRMWARE_VERSION: outcome.firmware.hex().upper()}
    return success(ok=ok) | shown


SPOKEN: Mapping[str, SpokenUseCase] = IN_THE_USERS_NAME | by_name(
    SpokenUseCase(CCS01, _add, _added),
    SpokenUseCase(CCS02, _remove, _accessed),
    SpokenUseCase(CCS03, _restore, _accessed),
    SpokenUseCase(CCS06, nothing, _links),
    SpokenUseCase(CCS07, nothing, _logs),
    SpokenUseCase(CS03A2, _join_by_a, _joined),
    SpokenUseCase(CS03B, _join_by_b, _joined),
    SpokenUseCase(CS03C, _join_by_c, _joined),
    SpokenUseCase(CS04AC, _unjoin, _unjoined),
    SpokenUseCase(CS04B, _unjoin, _unjoined),
    SpokenUseCase(CS07, nothing, _details),
    SpokenUseCase(CS08, nothing, _firmware),
    SpokenUseCase(GCS59, _restore_gpf, _restored),
)
"""What the DSP sends by itself, by the name that the rulebook's USE-CASE- rules have."""

SIGNED: Mapping[str, SpokenUseCase] = SIGNED_BY_THE_USER | by_name(
    SpokenUseCase(CS03A1, _initiate_by_a, _joined, by_user=True),
    SpokenUseCase(CS03A2, _join_by_a, _joined, by_user=True),
    SpokenUseCase(CS03C, _join_by_c, _joined, by_user=True),
    SpokenUseCase(CS04AC, _unjoin, _unjoined, by_user=True),
    SpokenUseCase(CS06, _activate, _activation, by_user=True),
)
"""What goes back to the user as a pre-command first, by the same names."""


def told_by(message: bytes) -> tuple[str, Told]:
    """Return the use case of a response and what it says, whoever made it: nothing is verified here.

    Raises DecodeError. Of a use case that this DCC does not speak nothing is said.
    """
    parsed = parse(message)
    for name, spoken in {**SPOKEN, **SIGNED}.items():
        if spoken.use_case.code == parsed.message_code:
            return name, spoken.told(spoken.use_case.response_content.read(parsed.content, parsed.counter))
    return parsed.use_case or f"0x{parsed.message_code:04X}", {}
