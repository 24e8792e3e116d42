"""The published messages of prepayment, event logs and credentials, by their fields."""

from __future__ import annotations

from typing import Any

from harness.eui64 import Eui64
from harness.gbcs.access import AccessResult
from harness.gbcs.gbz import ZclStatus
from harness.gbcs.message import parse
from harness.gbcs.roles import RemotePartyRole
from harness.gbcs.use_case import UseCase
from harness.gbcs.use_cases.credentials import (
    CS02A,
    CS02A_SIGNED,
    CS02C,
    CS02D,
    CS02E,
    Cell,
    CellContents,
    CellKeyUsage,
    CellUsage,
    Credentials,
    CredentialStatus,
    IssueFailure,
    Provided,
    ProvideFailure,
    ReadCredentials,
    UpdateResult,
)
from harness.gbcs.use_cases.event_logs import CS10A, CS10B, CS11, EventLog, GetEventLog, LoggedEvent
from harness.gbcs.use_cases.prepayment import (
    CS01A,
    CS01B,
    PCS01,
    PCS02,
    OriginatingDevice,
    SelectEmergencyCredit,
    TopUpOutcome,
    TopUpResponse,
)
from harness.gbcs.use_cases.unsupported import ECS100, NotSupported
from tests.gbcs.exchanges import TIME, Alert, Exchange
from tests.gbcs.vectors import (
    ACB,
    CHF,
    ESME,
    GSME,
    PPMID,
    SUPPLIER,
    rtds_certificate,
    vector,
)

NETWORK_OPERATOR = Eui64.parse("90B3D51F30020000")
TRANSCOS = Eui64.parse("90B3D51F30000004")
SAPC = Eui64.parse("00DB1234567890A6")

_2015 = 0x1C35F900
_TIMES = (
    *(0, 2081, 4305, 7474, 9706, 12306, 14943, 17226, 19674, 23195, 26357, 28793, 32142, 35208, 38683, 41358),
    *(44622, 47593, 50253, 53461, 56222, 59243, 61442, 64314, 67053, 69148, 72436, 74796, 77764, 81059),
    *(83798, 85813),
)
_EVENTS = """
    8F1F 8145 8154/009B 8155/0090 8161/0002 8162/0005 8F66 8F67 8183 8184 81A1 81A4 81A5 81A6 81A7 81A8
    81A9 81AA 81AB 81AC 81AD 81AE 81AF 81B0 81B1 81B2 81B3 81B4 81B5 81B6 81B9 81BA
"""
_SECURITY_EVENTS = """
    8F0C 8F1C 8F1E 8F3E 8F3F 8F43 8F47 8F48 8F49 8F4A 8F4B 8F4C 8F4D 8F4E 8F4F 8F51
    8F52 8F53 8F5B 8F60 8F63 8F64 8F70 8F72 8F73 8F74 8F78 8F82 8F1B 8F0C 8F1C 8F1E
"""


def _events(log: int, text: str) -> EventLog:
    events = []
    for entry, seconds in zip(text.split(), _TIMES, strict=True):
        event_id, _, data = entry.partition("/")
        events.append(
            LoggedEvent(log=log, event_id=int(event_id, 16), time=_2015 + seconds, data=bytes.fromhex(data))
        )
    return EventLog(total_events=32, events=tuple(events))


def prepayment() -> list[Exchange]:
    """Top-ups and emergency credit."""

    def meter(
        case: UseCase[Any, Any], name: str, device: Eui64, counter: int, utrn: str, response: Any, note=""
    ):
        return Exchange(
            case=case,
            vector=name,
            device=device,
            counter=counter << 32,
            command=utrn,
            response=response,
            time=TIME,
            note=note,
        )

    def ppmid(case: UseCase[Any, Any], name: str, command: Any, response: Any, more: str = ""):
        return Exchange(
            case=case,
            vector=name,
            originator=PPMID,
            device=GSME,
            counter=10000,
            command=command,
            response=response,
            mac_is_unpublished=True,
            note=f"MAC of the vector: neither device's private key is published{more}",
        )

    refused = TopUpResponse(
        outcome=TopUpOutcome.REJECTED_INVALID_TOP_UP,
        value=-1,
        source=OriginatingDevice.ENERGY_SERVICE_INTERFACE,
        credit_remaining=-1,
    )
    accepted = TopUpResponse(
        outcome=TopUpOutcome.ACCEPTED,
        value=1_250_000,
        source=OriginatingDevice.ENERGY_SERVICE_INTERFACE,
        credit_remaining=25_144_000,
    )
    at_home = TopUpResponse(
        outcome=TopUpOutcome.ACCEPTED,
        value=2_025_000,
        source=OriginatingDevice.IN_HOME_DISPLAY,
        credit_remaining=4_525_000,
    )
    fault = AccessResult.HARDWARE_FAULT
    return [
        meter(CS01A, "2.2_CS01a/CS01a_2.2_SUCCESS", ESME, 3, "73946144332040217315", AccessResult.SUCCESS),
        meter(CS01A, "2.2_CS01a/CS01a_2.2_ERROR", ESME, 5, "73948959061972833313", fault),
        meter(CS01B, "2.2_CS01b/CS01b_2.2_SUCCESS", GSME, 6, "73950067887105178605", accepted),
        meter(
            CS01B,
            "2.2_CS01b/CS01b_2.2_ERROR",
            GSME,
            7,
            "12345678910121314156",
            refused,
            "its digits are no UTRN",
        ),
        ppmid(PCS01, "NA_PCS01/PCS01_NA_SUCCESS", "73941656880950804485", at_home, "; its UTRN has no MAC"),
        ppmid(PCS02, "NA_PCS02/PCS02_NA_SUCCESS", SelectEmergencyCredit(), ZclStatus.SUCCESS),
    ]


def event_logs() -> list[Exchange]:
    """Reading and clearing event logs."""

    def read(case: UseCase[Any, Any], outcome: str, counter: int, command: GetEventLog, response: EventLog):
        name = f"6.13_{case.name}/{case.name}_6.13_{outcome}"
        return Exchange(
            case=case, vector=name, device=GSME, counter=counter, command=command, response=response
        )

    def clear(outcome: str, counter: int, cleared: int):
        name = f"3.3_CS11/CS11_3.3_{outcome}"
        return Exchange(case=CS11, vector=name, device=GSME, counter=counter, command=3, response=cleared)

    events = GetEventLog(control_and_log=0x13, start=_2015, end=946_771_200)
    security = GetEventLog(control_and_log=0x04, start=_2015, end=_2015 + 86_400)
    none = EventLog(status=ZclStatus.NOT_FOUND)
    failed = EventLog(status=ZclStatus.HARDWARE_FAILURE)
    return [
        read(CS10A, "SUCCESS", 0x3EA, events, _events(3, _EVENTS)),
        read(
            CS10A,
            "NOT_FOUND",
            0x3EB,
            GetEventLog(control_and_log=0x13, start=948_931_200, end=948_956_400),
            none,
        ),
        read(CS10A, "ERROR", 0x3ED, events, failed),
        read(CS10B, "SUCCESS", 0x3EA, security, _events(4, _SECURITY_EVENTS)),
        read(
            CS10B,
            "NOT_FOUND",
            0x3EB,
            GetEventLog(control_and_log=0x04, start=633_312_000, end=633_337_200),
            none,
        ),
        read(CS10B, "ERROR", 0x3EC, security, failed),
        clear("SUCCESS", 0x3E8, 8),
        clear("ERROR", 0x3E9, 0),
    ]


def _cell(usage: CellKeyUsage, owner: Eui64, key: str, cell: CellUsage = CellUsage.MANAGEMENT):
    return CellContents(key_usage=usage, owner=owner, key_identifier=bytes.fromhex(key), usage=cell)


def credentials() -> list[Exchange]:
    """Trust anchors, and a device's own certificates."""
    signing, agreeing = CellKeyUsage.DIGITAL_SIGNATURE, CellKeyUsage.KEY_AGREEMENT
    broker, operator = RemotePartyRole.ACCESS_CONTROL_BROKER, RemotePartyRole.NETWORK_OPERATOR
    absent = CredentialStatus.TRUST_ANCHOR_NOT_FOUND
    by_broker, by_transcos = (
        Cell(role=broker, key_usage=agreeing),
        Cell(role=RemotePartyRole.TRANSITIONAL_CHANGE_OF_SUPPLIER, key_usage=signing),
    )
    supplier_cells = (
        _cell(signing, SUPPLIER, "44899792D196F4B8"),
        _cell(agreeing, SUPPLIER, "405B8C62687D8F70"),
        _cell(agreeing, SUPPLIER, "41FB49221588C570", CellUsage.PREPAYMENT_TOP_UP),
    )
    operator_cells = (
        _cell(signing, NETWORK_OPERATOR, "48CF97FA9F827FB5"),
        _cell(agreeing, NETWORK_OPERATOR, "4BC9D38D1CB49F2A"),
    )
    broker_cells = (_cell(signing, ACB, "42693535D3DDE101"), _cell(agreeing, ACB, "4A9CE02C39AB910B"))

    def read(case: Any, name: str, device: Eui64, counter: int, command: Any, *response: Any, **more: Any):
        return Exchange(
            case=case,
            vector=name,
            device=device,
            counter=counter,
            originator=more.pop("originator", ACB),
            command=command,
            response=response,
            **more,
        )

    def own(case: UseCase[Any, Any], name: str, counter: int, command: Any, response: Any):
        return Exchange(
            case=case,
            vector=name,
            device=ESME,
            counter=counter,
            precommand=True,
            command=command,
            response=response,
        )

    certificate = rtds_certificate(ESME, "ds")
    # The certificate of the error case has a key usage that is neither of the two, and no new signature.
    unusable = certificate.replace(bytes.fromhex("03020780"), bytes.fromhex("03020640"), 1)
    request = parse(vector("6.17_CS02c/CS02c_6.17_SUCCESS_RESPONSE")).content
    return [
        read(
            CS02A,
            "6.24.1_CS02aMAC/CS02aMAC_6.24.1_SUCCESS",
            ESME,
            0x516,
            ReadCredentials(authority=by_broker, roles=(RemotePartyRole.SUPPLIER, operator)),
            Credentials(role=RemotePartyRole.SUPPLIER, cells=supplier_cells),
            Credentials(role=operator, counter=1, cells=operator_cells),
            response_quirk=_in_two_octets,
            note="its outermost length is in two octets where DER has one",
        ),
        read(
            CS02A,
            "6.24.1_CS02aMAC/CS02aMAC_6.24.1_ERROR",
            GSME,
            0x516,
            ReadCredentials(authority=by_broker, roles=(broker, operator)),
            Credentials(role=broker, cells=broker_cells[1:]),
            Credentials(role=operator, status=absent),
        ),
        read(
            CS02A,
            "NA_CS02aSignature/CS02aSignature_NA_SUCCESS",
            CHF,
            0x514,
            ReadCredentials(authority=by_broker, roles=(broker,)),
            Credentials(role=broker, cells=broker_cells),
            note="filed as signed, it is MACed",
        ),
        read(
            CS02A_SIGNED,
            "NA_CS02aSignature/CS02aSignature_NA_ERROR",
            ESME,
            6000,
            ReadCredentials(authority=by_transcos, roles=(operator, RemotePartyRole.WAN_PROVIDER)),
            Credentials(role=operator, cells=operator_cells),
            Credentials(role=RemotePartyRole.WAN_PROVIDER, status=absent),
            originator=TRANSCOS,
        ),
        own(CS02C, "6.17_CS02c/CS02c_6.17_SUCCESS", 0x3E8, signing, Provided(octets=request)),
        own(
            CS02C,
            "6.17_CS02c/CS02c_6.17_ERROR",
            0x3EA,
            agreeing,
            Provided(failure=IssueFailure.CR_PRODUCTION_FAILED),
        ),
        own(CS02D, "6.15.2_CS02d/CS02d_6.15.2_SUCCESS", 0x3E8, certificate, UpdateResult.SUCCESS),
        own(CS02D, "6.15.2_CS02d/CS02d_6.15.2_ERROR", 0x3EA, unusable, UpdateResult.INVALID_KEY_USAGE),
        own(CS02E, "6.24.2_CS02e/CS02e_6.24.2_SUCCESS", 0x3E8, signing, Provided(octets=certificate)),
        own(
            CS02E,
            "6.24.2_CS02e/CS02e_6.24.2_ERROR",
            0x3EA,
            agreeing,
            Provided(failure=ProvideFailure.CERTIFICATE_RETRIEVAL_FAILURE),
        ),
    ]


def _in_two_octets(content: bytes) -> bytes:
    """Write the outermost length, which is in one octet after 81, in two after 82."""
    assert content[1] == 0x81
    return content[:1] + b"\x82\x00" + content[2:]


def alerts() -> list[Alert]:
    """That a command is not supported."""
    fields = NotSupported(time=TIME, message_code=0x0012, originator_counter=100_000)
    return [
        Alert(
            case=ECS100,
            vector="NA_ECS100/ECS100_NA_8F85_ALERT",
            originator=SAPC,
            recipient=SUPPLIER,
            counter=2000,
            fields=fields,
        ),
        Alert(
            case=ECS100,
            vector="NA_ECS100/ECS100_NA_8F85_SUPPLEMENTARY_REMOTE_PARTY_ALERT",
            originator=SAPC,
            counter=2001,
            fields=fields,
            more={"supplementary_party": SUPPLIER, "supplementary_counter": 200_000},
        ),
    ]
