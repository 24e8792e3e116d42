"""The `Response` envelope and everything in it, as the schema has them.

Source: DUIS 5.4 `Response`; facts gb-domain §1.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from harness.dcc.duis import responses as r
from harness.dcc.duis.alerts import S1spAlertDsp
from harness.dcc.duis.xml.alerts import ALERT_CODE, ALERTS, SCHEDULE
from harness.dcc.duis.xml.envelope import root_attributes, serialise, take_root
from harness.dcc.duis.xml.parser import DS, RA, SR, local_name, parse_xml, wrong
from harness.dcc.duis.xml.parts import Case, Choice, Group, Many, One, Service, Wrap, maybe
from harness.dcc.duis.xml.requests import (
    DEVICE_TYPE,
    ESME_VARIANT,
    FIRMWARE,
    MANUFACTURER,
    MODEL,
    MPAN,
    MPXN,
    OCTETS,
    PROPERTY_FILTER,
    STATUS,
    UPRN,
    VERSION,
)
from harness.dcc.duis.xml.scalars import (
    ANY_TEXT,
    DATE,
    DATE_TIME,
    EUI,
    EUI_LIST,
    REQUEST_ID,
    UNSIGNED_INT,
    enumerated,
    hex_octets,
    integer,
    text,
    words,
)
from harness.dcc.duis.xml.shapes import Part, Record, only_child, record
from harness.dcc.duis.xml.smets1 import SIGNED_RESPONSE, Embedded, embed, read_answer
from harness.smets.cpl import CplStatus

CODE = text(pattern="I0|I99|E[0-9]{1,6}|W[0-9]{6}")
ALERT_NAME = text(pattern="AD1|N([1-9]|[12][0-9]|3[013-9]|[45][0-9]|6[0-5]|999)")
CSP_REGION = words("North", "Central", "South", "4G North", "4G Central", "4G South", "Unknown", "SMETS1")
CPL_STATUS = enumerated(CplStatus)

INVENTORY_DEVICE = record(
    r.InventoryDevice,
    One("DeviceID", "device", EUI),
    One("DeviceType", "device_type", DEVICE_TYPE),
    maybe("DeviceStatus", "status", STATUS),
    One("DeviceManufacturer", "manufacturer", MANUFACTURER),
    One("DeviceModel", "model", MODEL),
    maybe("SMETSCHTSVersion", "version", VERSION),
    maybe("DeviceFirmwareVersion", "firmware", FIRMWARE),
    maybe("DeviceFirmwareVersionStatus", "firmware_status", CPL_STATUS),
    maybe("CPLStatus", "cpl_status", CPL_STATUS),
    maybe("DateCommissioned", "commissioned", DATE),
    maybe("ImportMPxN", "import_mpxn", MPXN),
    maybe("SecondaryImportMPAN", "secondary_import_mpan", MPAN),
    maybe("ExportMPAN", "export_mpan", MPAN),
    maybe("ESMEVariant", "esme_variant", ESME_VARIANT),
    maybe("UPRN", "uprn", UPRN),
    maybe("PropertyFilter", "property_filter", PROPERTY_FILTER),
    maybe("CSPRegion", "csp_region", CSP_REGION),
    maybe("DeviceGBCSVersion", "gbcs_version", ANY_TEXT),
    maybe("HANVariant", "han_variant", ANY_TEXT),
    maybe("S1SP", "s1sp", ANY_TEXT),
    maybe("Connectivity", "connectivity", words("Cellular", "Virtual")),
)

FIRMWARE_WARNING: tuple[Part, ...] = (
    maybe("InvalidDeviceIDList", "invalid", EUI_LIST),
    maybe("NotCommissionedDeviceIDList", "not_commissioned", EUI_LIST),
    maybe("NotApplicableFirmwareDeviceIDList", "not_applicable", EUI_LIST),
    maybe("OtherRequestInProgressList", "other_in_progress", EUI_LIST),
    maybe("InvalidGBCSVersionList", "invalid_gbcs_version", EUI_LIST),
)


@dataclass(frozen=True, slots=True)
class Other:
    """An element of the schema that has no class: kept as XML."""

    def read(self, element: etree._Element) -> r.OtherContent:
        """Keep it."""
        if element.tag != f"{{{SR}}}{local_name(element)}":
            raise wrong(element, f"{local_name(element)} is of another namespace")
        content = etree.tostring(element, method="c14n", exclusive=True, with_tail=False)
        return r.OtherContent(element=local_name(element), content=content)

    def write(self, parent: etree._Element, value: r.OtherContent) -> None:
        """Append it."""
        parent.append(parse_xml(value.content))


OTHER = Other()

PAYLOAD = Choice(
    "payload",
    (
        Case(
            "DSPInventory",
            r.DspInventory,
            record(r.DspInventory, Many("Device", "devices", INVENTORY_DEVICE, 1, 17)),
        ),
        Case("GBCSPayload", r.GbcsPayload, Wrap(r.GbcsPayload, "message", OCTETS)),
        Case("LocalCommand", r.LocalCommand, record(r.LocalCommand, One("GBCSPayload", "message", OCTETS))),
        Case(
            "PreCommand",
            r.PreCommand,
            record(
                r.PreCommand,
                One("GBCSVersion", "gbcs_version", ANY_TEXT),
                One("GBCSPayload", "message", OCTETS),
            ),
        ),
        Case("DSPUpdateFirmwareWarning", r.FirmwareWarning, record(r.FirmwareWarning, *FIRMWARE_WARNING)),
        Case(
            "DSPUpdatePPMIDFirmwareWarning",
            r.PpmidFirmwareWarning,
            record(r.PpmidFirmwareWarning, *FIRMWARE_WARNING),
        ),
        Case(
            "FutureDatedDeviceAlertMessage",
            r.FutureDatedAlert,
            record(
                r.FutureDatedAlert,
                One("FutureDatedAlertCode", "code", hex_octets(2, 2)),
                One("GBCSPayload", "message", OCTETS),
                One("InstructionNumber", "instruction", integer(0, 65_535)),
                One("TotalCommandInstructions", "instructions", integer(0, 65_535)),
            ),
        ),
        Case("DSPScheduleID", r.ScheduleId, Wrap(r.ScheduleId, "number", SCHEDULE)),
    ),
    optional=True,
    other=OTHER,
)

THROTTLED: tuple[Part, ...] = (
    maybe("ThrottledAlertSequenceId", "throttled_sequence", UNSIGNED_INT),
    maybe("ThrottledAlertCount", "throttled_count", UNSIGNED_INT),
)

BODY = Choice(
    "body",
    (
        Case("ResponseMessage", r.ResponseMessage, record(r.ResponseMessage, Service(), PAYLOAD)),
        Case(
            "DeviceAlertMessage",
            r.DeviceAlertMessage,
            record(
                r.DeviceAlertMessage,
                One("AlertCode", "alert_code", ALERT_CODE),
                *THROTTLED,
                One("GBCSPayload", "message", OCTETS),
            ),
        ),
        Case(
            "DCCAlertMessage",
            r.DccAlertMessage,
            record(
                r.DccAlertMessage,
                One("DCCAlertCode", "code", ALERT_NAME),
                *THROTTLED,
                Group("DCCAlert", (Choice("alert", ALERTS, other=OTHER),)),
            ),
        ),
        Case(
            "SMETS1ResponseMessage",
            r.Smets1ResponseMessage,
            record(
                r.Smets1ResponseMessage,
                Service(optional=True),
                maybe("DSPScheduleID", "schedule", SCHEDULE),
                *THROTTLED,
                Embedded(SIGNED_RESPONSE, "answer", read_answer),
            ),
        ),
    ),
)

HEADER: tuple[Part, ...] = (
    maybe("RequestID", "request_id", REQUEST_ID),
    maybe("ResponseID", "response_id", REQUEST_ID),
    One("ResponseCode", "code", CODE),
    One("ResponseDateTime", "when", DATE_TIME),
)


def response_tree(response: r.Response) -> etree._Element:
    """Return a response as an element, not signed. Raises ValueError for what DUIS has no room for."""
    root = etree.Element(f"{{{SR}}}Response", nsmap={"sr": SR, "ra": RA, "ds": DS})
    root_attributes(root, response.schema_version)
    _shape(HEADER).write(etree.SubElement(root, f"{{{SR}}}Header"), response)
    BODY.put(etree.SubElement(root, f"{{{SR}}}Body"), response, SR)
    signed = _signed_inside(response.body)
    return root if signed is None else embed(root, signed)


def write_response(response: r.Response) -> bytes:
    """Return a response as a document without a signature."""
    return serialise(response_tree(response))


def read_response_tree(root: etree._Element) -> r.Response:
    """Return the response that an element is, whether it is signed or not. Raises DocumentError."""
    cursor, found = take_root(root, "Response")
    found |= _shape(HEADER).read(cursor.require("Header"))
    body = cursor.require("Body")
    cursor.end()
    only_child(body)
    found |= _shape((BODY,)).read(body)
    return r.Response(**found)


def read_response(document: bytes) -> r.Response:
    """Return the response that a document is, whether it is signed or not. Raises DocumentError."""
    return read_response_tree(parse_xml(document))


def _signed_inside(body: r.ResponseBody) -> bytes | None:
    if isinstance(body, r.Smets1ResponseMessage):
        return body.signed
    if isinstance(body, r.DccAlertMessage) and isinstance(body.alert, S1spAlertDsp):
        return body.alert.signed
    return None


def _shape(parts: tuple[Part, ...]) -> Record:
    make: Callable[..., dict[str, Any]] = dict
    return Record(make, parts)
