"""The published messages of device logs, joining and firmware, by their fields."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from harness.eui64 import Eui64
from harness.gbcs.access import AccessResult
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.message import parse
from harness.gbcs.use_case import UseCase
from harness.gbcs.use_cases.cs08 import CS08, Cs08Result
from harness.gbcs.use_cases.device_log import (
    CCS01,
    CCS02,
    CCS03,
    CS14,
    AddDevice,
    AddDeviceResult,
    DeviceLogAlert,
    DeviceLogCopy,
    LoggedDevice,
    RegisteredType,
    RestoreDeviceLog,
)
from harness.gbcs.use_cases.device_log_reads import (
    CCS05_CCS04,
    CCS06,
    CCS07,
    DeviceLink,
    DeviceLinks,
    DeviceLogs,
)
from harness.gbcs.use_cases.firmware import (
    CANCELLATION,
    CCS08,
    CS06,
    CS06_ALERT,
    CS09,
    Activate,
    Activation,
    ActivationResult,
    FirmwareTransfer,
    FutureDatedActivation,
    PpmidActivation,
)
from harness.gbcs.use_cases.gas_proxy import GCS59, GCS62, GpfLogBackup, RestoredDevice
from harness.gbcs.use_cases.joining import (
    CS03A1,
    CS03A2,
    CS03B,
    CS03C,
    CS04AC,
    CS04B,
    CS07,
    DeviceType,
    Join,
    JoinDetails,
    JoinedDevice,
    JoinMethod,
    JoinResult,
    ReadResult,
    UnjoinResult,
)
from tests.gbcs.exchanges import NEW_YEAR, TIME, Alert, Exchange
from tests.gbcs.vectors import (
    ACB,
    CHF,
    ESME,
    GPF,
    GSME,
    HCALCS,
    PPMID,
    SUPPLIER,
    rtds_certificate,
    vector,
)


def eui(last: int) -> Eui64:
    """A device of the cast by the last octet of its EUI-64."""
    return Eui64(0x00DB123456789000 + last)


_KEY_HASH, _OTHER_KEY_HASH = (bytes.fromhex(f"83FED3407A939723A5C639B26916D5{last}") for last in ("06", "05"))
_PAN_ID = bytes.fromhex("0001020304050607")
_LOG = DeviceLogCopy(
    time=TIME,
    extended_pan_id=_PAN_ID,
    devices=(LoggedDevice(ESME, _KEY_HASH), LoggedDevice(GSME, _OTHER_KEY_HASH)),
)
_HISTORIC_LOG = DeviceLogCopy(
    time=TIME,
    extended_pan_id=_PAN_ID,
    devices=(
        LoggedDevice(GPF, bytes.fromhex("00112233445566778899A1A2A3A4A5A6")),
        LoggedDevice(PPMID, bytes.fromhex("A1A2A3A4A5A600112233445566778899")),
    ),
)
_ADD = AddDevice(
    device=ESME, install_code=b"0123456789ABCDEF", device_type=RegisteredType.ESME, join_timeout_s=90
)
_RESTORE = RestoreDeviceLog(extended_pan_id=bytes.fromhex("0000000000000140"), devices=_LOG.devices)
_LINKS = DeviceLinks(
    devices=(
        DeviceLink(
            device=ESME,
            status="11001000",
            max_rssi=-35,
            average_rssi=-50,
            min_rssi=-100,
            max_lqi=2,
            average_lqi=39,
            min_lqi=247,
            last_communication=CosemTime(
                year=2014, month=12, day=31, weekday=3, hour=23, minute=50, second=0, hundredths=0
            ),
            hops=1,
            transmission_failures=0,
            transmission_successes=100,
            application_version=1,
            stack_version=1,
        ),
        DeviceLink(
            device=GSME,
            status="11001000",
            max_rssi=-34,
            average_rssi=-54,
            min_rssi=-77,
            max_lqi=1,
            average_lqi=96,
            min_lqi=205,
            last_communication=CosemTime(
                year=2014, month=12, day=31, weekday=3, hour=23, minute=40, second=0, hundredths=0
            ),
            hops=1,
            transmission_failures=0,
            transmission_successes=100,
            application_version=1,
            stack_version=1,
        ),
    )
)
_JOINED = (
    JoinedDevice(Eui64(0x0102030405060708), DeviceType.GPF),
    JoinedDevice(eui(0x99), DeviceType.GPF),
    JoinedDevice(eui(0x97), DeviceType.PPMID),
)
_GPF_LOG = tuple(
    JoinedDevice(Eui64(device), kind)
    for device, kind in (
        (0x0011223344556677, DeviceType.PPMID),
        (0x8899AABBCCDDEEFF, DeviceType.TYPE_2),
    )
)
_GPF_BACKUP = (
    JoinedDevice(Eui64(0x0102030405060708), DeviceType.TYPE_2),
    *(JoinedDevice(eui(last), DeviceType.PPMID) for last in (0x99, 0x97, 0x96, 0x98)),
    JoinedDevice(eui(0x9B), DeviceType.TYPE_2),
)
_IMAGE_HASH = bytes.fromhex("AA758690730934FF0685AA758690730934FF0685657788990011223344556677")
_OLD_IMAGE, _NEW_IMAGE = bytes.fromhex("0123ABCF"), bytes.fromhex("0123ABCE")


def _join(method: JoinMethod, device: Eui64, device_type: DeviceType, certificate: bytes = b"") -> Join:
    return Join(method=method, device=device, device_type=device_type, certificate=certificate)


def _activate(counter: int, time: datetime | None = None) -> Activate:
    return Activate(image_hash=_IMAGE_HASH, originator_counter=counter, execution_time=time)


def device_log() -> list[Exchange]:
    """What the CHF is told and asked."""

    def chf(case: UseCase[Any, Any], name: str, counter: int, user: int, command: Any, response: Any):
        return Exchange(
            case=case,
            vector=name,
            device=CHF,
            counter=counter,
            of_acb=user,
            command=command,
            response=response,
        )

    fault, other = AccessResult.HARDWARE_FAULT, AccessResult.OTHER_REASON
    return [
        chf(CCS01, "8.11_CCS01/CCS01_8.11_SUCCESS", 0x516, 1002, _ADD, AddDeviceResult()),
        chf(
            CCS01,
            "8.11_CCS01/CCS01_8.11_ERROR",
            0x517,
            1003,
            _ADD,
            AddDeviceResult(join_timeout=fault, enable_joining=other),
        ),
        chf(CCS02, "8.11_CCS02/CCS02_8.11_SUCCESS", 0x516, 1002, ESME, AccessResult.SUCCESS),
        chf(CCS02, "8.11_CCS02/CCS02_8.11_ERROR", 0x517, 1003, ESME, fault),
        chf(CCS03, "8.12.1_CCS03/CCS03_8.12.1_SUCCESS", 0x516, 1002, _RESTORE, AccessResult.SUCCESS),
        chf(CCS03, "8.12.1_CCS03/CCS03_8.12.1_ERROR", 0x517, 1003, _RESTORE, fault),
        chf(CCS05_CCS04, "8.9_CCS05CCS04/CCS05CCS04_8.9_SUCCESS", 0x514, 1000, None, _LINKS),
        chf(CCS05_CCS04, "8.9_CCS05CCS04/CCS05CCS04_8.9_ERROR", 0x515, 1001, None, DeviceLinks(result=fault)),
        chf(CCS06, "8.9_CCS06/CCS06_8.9_SUCCESS", 0x514, 1000, None, _LINKS),
        chf(CCS06, "8.9_CCS06/CCS06_8.9_ERROR", 0x515, 1001, None, DeviceLinks(result=fault)),
        chf(
            CCS07,
            "8.9_CCS07/CCS07_8.9_SUCCESS",
            0x514,
            1000,
            None,
            DeviceLogs(device_log=_LOG, historic_log=_HISTORIC_LOG),
        ),
        chf(
            CCS07,
            "8.9_CCS07/CCS07_8.9_ERROR",
            0x515,
            1001,
            None,
            DeviceLogs(
                device_log=None,
                historic_log=None,
                device_log_result=fault,
                historic_log_result=other,
            ),
        ),
    ]


def joining() -> list[Exchange]:
    """Joins, unjoins and what is joined."""
    return [
        Exchange(
            case=CS03A1,
            vector="8.7.1_CS03A1/CS03A1_8.7.1_SUCCESS",
            device=ESME,
            counter=0x3E8,
            precommand=True,
            command=_join(JoinMethod.METHOD_A_INITIATOR, eui(0x9A), DeviceType.HCALCS),
            response=JoinResult.SUCCESS,
        ),
        Exchange(
            case=CS03A1,
            vector="8.7.1_CS03A1/CS03A1_8.7.1_ERROR",
            device=ESME,
            counter=0x3EA,
            precommand=True,
            command=_join(JoinMethod.METHOD_A_INITIATOR, eui(0x9A), DeviceType.PPMID),
            response=JoinResult.INCOMPATIBLE_WITH_EXISTING_ENTRY,
        ),
        Exchange(
            case=CS03A2,
            vector="8.7.1_CS03A2Critical/CS03A2Critical_8.7.1_SUCCESS",
            device=HCALCS,
            counter=0x3E8,
            precommand=True,
            command=_join(JoinMethod.METHOD_A_RESPONDER, eui(0x93), DeviceType.ESME),
            response=JoinResult.SUCCESS,
        ),
        Exchange(
            case=CS03A2,
            vector="8.7.2_CS03A2NonCritical/CS03A2NonCritical_8.7.2_SUCCESS",
            device=PPMID,
            counter=0x514,
            of_acb=1000,
            command=_join(JoinMethod.METHOD_A_RESPONDER, eui(0x93), DeviceType.ESME),
            response=JoinResult.SUCCESS,
        ),
        Exchange(
            case=CS03B,
            vector="8.7.2_CS03B/CS03B_8.7.2_SUCCESS",
            device=GSME,
            counter=0x3E9,
            command=_join(JoinMethod.METHOD_B, eui(0x9C), DeviceType.GPF),
            response=JoinResult.SUCCESS,
        ),
        Exchange(
            case=CS03B,
            vector="8.7.2_CS03B/CS03B_8.7.2_ERROR",
            device=GSME,
            counter=0x515,
            of_acb=1002,
            command=_join(JoinMethod.METHOD_B, Eui64(0x0102030405060708), DeviceType.PPMID),
            response=JoinResult.INVALID_METHOD_AND_ROLE,
        ),
        Exchange(
            case=CS03C,
            vector="8.7.1_CS03CCritical/CS03CCritical_8.7.1_SUCCESS",
            device=GSME,
            counter=0x3EC,
            precommand=True,
            command=_join(JoinMethod.METHOD_C, eui(0x98), DeviceType.PPMID, embedded_certificate()),
            response=JoinResult.SUCCESS,
            note="brings another certificate of 98 than the key folder has",
        ),
        Exchange(
            case=CS03C,
            vector="8.7.2_CS03CNonCritical/CS03CNonCritical_8.7.2_SUCCESS",
            device=PPMID,
            counter=0x515,
            of_acb=1001,
            command=_join(JoinMethod.METHOD_C, eui(0x94), DeviceType.GSME, rtds_certificate(GSME)),
            response=JoinResult.SUCCESS,
            note="names 94, and brings the certificate of A1",
        ),
        Exchange(
            case=CS03C,
            vector="8.7.2_CS03CNonCritical/CS03CNonCritical_8.7.2_ERROR",
            device=PPMID,
            counter=0x516,
            of_acb=1002,
            command=_join(JoinMethod.METHOD_C, eui(0x93), DeviceType.GSME),
            response=JoinResult.INVALID_OR_MISSING_CERTIFICATE,
        ),
        Exchange(
            case=CS04AC,
            vector="8.8.1_CS04ACCritical/CS04ACCritical_8.8.1_SUCCESS",
            device=ESME,
            counter=0x3E9,
            precommand=True,
            command=eui(0x99),
            response=UnjoinResult.SUCCESS,
        ),
        Exchange(
            case=CS04AC,
            vector="8.8.1_CS04ACCritical/CS04ACCritical_8.8.1_ERROR",
            device=ESME,
            counter=0x3EA,
            precommand=True,
            command=Eui64(0x0303030303030303),
            response=UnjoinResult.DEVICE_NOT_IN_DEVICE_LOG,
        ),
        Exchange(
            case=CS04AC,
            vector="8.8.2_CS04ACNonCritical/CS04ACNonCritical_8.8.2_SUCCESS",
            device=PPMID,
            counter=0x514,
            of_acb=1000,
            command=Eui64(0x0102030405060708),
            response=UnjoinResult.SUCCESS,
        ),
        Exchange(
            case=CS04B,
            vector="8.8.2_CS04B/CS04B_8.8.2_SUCCESS",
            device=GSME,
            counter=0x3E8,
            command=Eui64(0x0102030405060708),
            response=UnjoinResult.SUCCESS,
        ),
        Exchange(
            case=CS04AC,
            vector="8.8.2_CS04B/CS04B_8.8.2_ERROR",
            device=GSME,
            counter=0x3EC,
            command=Eui64(0x0303030303030303),
            response=UnjoinResult.DEVICE_NOT_IN_DEVICE_LOG,
            note="filed as CS04B, it has the code and protection of CS04AC",
        ),
        Exchange(
            case=CS07,
            vector="8.9_CS07/CS07_8.9_SUCCESS",
            device=GSME,
            counter=0x3E9,
            response=JoinDetails(devices=_JOINED),
        ),
        Exchange(
            case=CS07,
            vector="8.9_CS07/CS07_8.9_ERROR",
            device=GSME,
            counter=0x515,
            of_acb=1002,
            response=JoinDetails(result=ReadResult.READ_FAILURE),
        ),
    ]


def gas_proxy() -> list[Exchange]:
    """What the GPF is given back."""
    return [
        Exchange(
            case=GCS59,
            vector="8.12.2_GCS59/GCS59_8.12.2_SUCCESS",
            device=GPF,
            originator=ACB,
            counter=1300,
            command=_GPF_LOG,
            response=tuple(RestoredDevice(joined) for joined in _GPF_LOG),
        )
    ]


def embedded_certificate() -> bytes:
    """The certificate in the CS03C to the GSME. It is an older one of the PPMID 98 than the key store's."""
    content = parse(vector("8.7.1_CS03CCritical/CS03CCritical_8.7.1_SUCCESS_COMMAND")).content
    return content[content.index(b"\x30\x82", 4) :]


def firmware() -> list[Exchange]:
    """Reading and activating firmware."""

    def cs06(outcome: str, counter: int, response: Activation | None, time: datetime | None = None):
        return Exchange(
            case=CS06,
            vector=f"11.3_CS06/CS06_11.3_{outcome}",
            device=ESME,
            counter=counter,
            precommand=True,
            command=_activate(counter, time),
            response=response,
            time=TIME,
        )

    return [
        Exchange(
            case=CS08,
            vector="11.2_CS08/CS08_11.2_SUCCESS",
            device=PPMID,
            counter=0x514,
            of_acb=1000,
            response=Cs08Result(bytes.fromhex("0123ABCD"), True),
        ),
        Exchange(
            case=CS08,
            vector="11.2_CS08/CS08_11.2_ERROR",
            device=HCALCS,
            counter=0x515,
            of_acb=1001,
            response=Cs08Result(bytes(4), False),
        ),
        cs06("IMMEDIATE_SUCCESS", 0x3E8, Activation(ActivationResult.SUCCESS, _NEW_IMAGE)),
        cs06("IMMEDIATE_ERROR", 0x3ED, Activation(ActivationResult.NO_IMAGE_HELD, _OLD_IMAGE)),
        cs06("FUTURE_DATED_SUCCESS", 0x3E9, None, datetime(2030, 1, 15, 9, tzinfo=UTC)),
        cs06("FUTURE_DATED_ERROR", 0x3EC, None, datetime(2030, 1, 1, tzinfo=UTC)),
        cs06("CANCELLATION_SUCCESS", 0x3EA, None, CANCELLATION),
    ]


def alerts() -> list[Alert]:
    """What devices say unasked."""

    def future_dated(name: str, counter: int, **fields: Any) -> Alert:
        return Alert(
            case=CS06_ALERT,
            vector=f"11.3_CS06/CS06_11.3_{name}_ALERT",
            originator=ESME,
            recipient=SUPPLIER,
            counter=counter,
            fields=FutureDatedActivation(**fields),
        )

    return [
        Alert(
            case=CS14,
            vector="NA_CS14/CS14_NA_8F12_ALERT",
            originator=CHF,
            counter=4000,
            fields=DeviceLogAlert(time=TIME, log=_LOG),
        ),
        Alert(
            case=GCS62,
            vector="NA_GCS62/GCS62_NA_8071_ALERT",
            originator=GPF,
            counter=1001,
            fields=GpfLogBackup(time=NEW_YEAR, devices=_GPF_BACKUP),
        ),
        Alert(
            case=CS09,
            vector="NA_CS09/CS09_NA_8F8B_ALERT",
            originator=PPMID,
            counter=5000,
            fields=PpmidActivation(time=NEW_YEAR, firmware=bytes.fromhex("1234ABCD")),
        ),
        Alert(
            case=CCS08,
            vector="NA_CCS08/CCS08_NA_NA_ALERT",
            originator=CHF,
            counter=4000,
            fields=FirmwareTransfer(time=NEW_YEAR, device=PPMID, firmware=bytes.fromhex("0123ABCD")),
        ),
        future_dated(
            "8F66_FUTURE_DATED_SUCCESS",
            2000,
            alert_code=0x8F66,
            execution_time=datetime(2030, 1, 15, 9, tzinfo=UTC),
            originator_counter=0x3E9,
            outcome=Activation(ActivationResult.SUCCESS, _OLD_IMAGE),
        ),
        future_dated(
            "8F67_FUTURE_DATED_ERROR",
            2001,
            alert_code=0x8F67,
            execution_time=datetime(2030, 1, 1, tzinfo=UTC),
            originator_counter=0x3EC,
            outcome=Activation(ActivationResult.HASH_MISMATCH, _OLD_IMAGE),
        ),
    ]
