"""What an S1SP says, in the form of the MMC, and the signed documents of its own in which it says it.

A DSP puts such a document into its response as it is. Taken out again it is the same document: what it
declares for itself (`sr`, `ra`) is at its root, so that its own signature holds inside and outside.
Source: DUIS 5.4 `SMETS1SignedResponse`, `S1SPAlert`; MMC 5.4 `HeaderType`, `ResponsePayload`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from harness.dcc.duis.alerts import S1spAlert, S1spAlertDsp
from harness.dcc.duis.requests.request import SCHEMA_VERSION
from harness.dcc.duis.responses import Smets1Answer, Smets1DeviceAlert, Smets1Error
from harness.dcc.duis.service_references import ELEMENTS
from harness.dcc.duis.xml.envelope import root_attributes, take_root
from harness.dcc.duis.xml.parser import RA, SIGNATURE, SR, DocumentError, local_name, parse_xml, wrong
from harness.dcc.duis.xml.parts import One, Service, maybe
from harness.dcc.duis.xml.requests import UTRN
from harness.dcc.duis.xml.scalars import (
    ANY_TEXT,
    BOOLEAN,
    COUNTER,
    DATE_TIME,
    EUI,
    REQUEST_ID,
    hex_octets,
    integer,
    text,
)
from harness.dcc.duis.xml.shapes import Attribute, Cursor, Found, Part, Record, only_child, record

SIGNED_RESPONSE, ALERT = "SMETS1SignedResponse", "S1SPAlert"
_RESPONSE = "Rsp"
_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>\s*")

HEADER: tuple[Part, ...] = (
    One("BusinessOriginatorID", "device", EUI),
    One("BusinessTargetID", "user", EUI),
    One("OriginatorCounter", "counter", COUNTER),
    Service(optional=True),
    maybe("Timestamp", "when", DATE_TIME),
)

ALERT_HEADER: tuple[Part, ...] = HEADER[:3]

ALERT_CONTENT: tuple[Part, ...] = (
    maybe("GBCSHexAlertCode", "alert_code", hex_octets()),
    One("AlertDescription", "description", text(0, 250)),
    One("Timestamp", "when", DATE_TIME),
)

ERROR = record(
    Smets1Error,
    One("Error", "text", text(0, 250)),
    namespace=RA,
    attributes=(
        Attribute("ResponseCode", "code", integer(-(1 << 31), (1 << 31) - 1), required=True),
        Attribute("Position", "position", integer(1, 1 << 31), required=True),
    ),
)

S1SP_ALERT: tuple[Part, ...] = (
    maybe("RequestID", "request_id", REQUEST_ID),
    maybe("DeviceID", "device", EUI),
    One("S1SPAlertCode", "code", ANY_TEXT),
    maybe("AdditionalInformation", "additional_information", ANY_TEXT),
    maybe("UTRN", "utrn", UTRN),
    One("DateTime", "when", DATE_TIME),
)


# --- documents of the S1SP --------------------------------------------------------------------------------


def answer_tree(answer: Smets1Answer | Smets1DeviceAlert) -> etree._Element:
    """Return the S1SP's document of an answer or a device's alert, not signed. Raises ValueError."""
    root = etree.Element(f"{{{SR}}}{SIGNED_RESPONSE}", nsmap={"sr": SR, "ra": RA})
    root_attributes(root, SCHEMA_VERSION)
    response = etree.SubElement(root, f"{{{SR}}}SMETS1Response")
    header = etree.SubElement(response, f"{{{SR}}}Header")
    body = etree.SubElement(response, f"{{{SR}}}Body")
    if isinstance(answer, Smets1Answer):
        _put(header, answer, HEADER)
        _write_payload(etree.SubElement(body, f"{{{SR}}}ResponseMessage"), answer)
    else:
        _put(header, answer, ALERT_HEADER)
        message = etree.SubElement(body, f"{{{SR}}}DeviceAlertMessage")
        _put(etree.SubElement(message, f"{{{RA}}}DeviceAlertContent"), answer, ALERT_CONTENT)
    return root


def alert_tree(alert: S1spAlert) -> etree._Element:
    """Return the S1SP's document of an alert of its own, without its signature. Raises ValueError."""
    root = etree.Element(f"{{{SR}}}{ALERT}", nsmap={"sr": SR})
    root_attributes(root, SCHEMA_VERSION)
    _put(root, alert, S1SP_ALERT, SR)
    return root


def read_answer(root: etree._Element) -> Smets1Answer | Smets1DeviceAlert:
    """Return what a document of an answer says. Raises DocumentError, for one without a signature too."""
    response = only_unsigned_child(root)
    cursor = Cursor(response, SR)
    header, body = cursor.require("Header"), cursor.require("Body")
    cursor.end()
    message = only_child(body)
    if message.tag == f"{{{SR}}}DeviceAlertMessage":
        found = _take(header, ALERT_HEADER) | _take(only_child(message), ALERT_CONTENT)
        return Smets1DeviceAlert(**found)
    if message.tag != f"{{{SR}}}ResponseMessage":
        raise wrong(message, f"{local_name(message)} where ResponseMessage was expected")
    return Smets1Answer(**_take(header, HEADER), **_read_payload(message))


def read_alert(root: etree._Element) -> S1spAlert:
    """Return what a document of an alert says. Raises DocumentError, for one without a signature too."""
    cursor, _ = take_root(root, ALERT)
    _must_be_signed(root)
    found: Found = {}
    for part in S1SP_ALERT:
        part.take(cursor, found)
    cursor.end()
    return S1spAlert(**found)


def only_unsigned_child(root: etree._Element) -> etree._Element:
    """Return the SMETS1Response of a signed response."""
    cursor, _ = take_root(root, SIGNED_RESPONSE)
    _must_be_signed(root)
    response = cursor.require("SMETS1Response")
    cursor.end()
    return response


def _must_be_signed(root: etree._Element) -> None:
    if not len(root) or root[-1].tag != SIGNATURE:
        raise wrong(root, "has no signature of the S1SP")


# --- a document inside a document -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Embedded:
    """A whole signed document as one element: `signed` are its octets, `field` what it says."""

    name: str
    field: str
    read: Callable[[etree._Element], Any]

    def take(self, cursor: Cursor, into: Found) -> None:
        """Take the document out, and read what it says."""
        element = cursor.require(self.name)
        into[self.field] = self.read(element)
        into["signed"] = etree.tostring(copy.deepcopy(element), encoding="UTF-8", with_tail=False)

    def put(self, parent: etree._Element, owner: Any, namespace: str) -> None:
        """Leave an empty element for `embed` to fill. Raises ValueError for another document."""
        try:
            root = parse_xml(owner.signed)
        except DocumentError as error:
            raise ValueError(f"{self.name}: {error}") from error
        if root.tag != f"{{{namespace}}}{self.name}":
            raise ValueError(f"{local_name(root)} where {self.name} was expected")
        etree.SubElement(parent, f"{{{namespace}}}{self.name}")


def embed(root: etree._Element, signed: bytes) -> etree._Element:
    """Return a tree with the S1SP's document in the place that was left for it.

    This is done on the text: a tree would drop what the document declares a second time, and with it what its
    signature is over.
    """
    inner = parse_xml(signed)
    place = f"<sr:{local_name(inner)}/>".encode()
    document = _DECLARATION.sub(b"", signed, count=1)
    return parse_xml(etree.tostring(root, encoding="UTF-8").replace(place, document, 1))


S1SP_ALERT_DSP = record(
    S1spAlertDsp,
    Embedded(ALERT, "alert", read_alert),
    maybe("DSPScheduleID", "schedule", integer(0, 10**12)),
)


# --- the MMC's payload ------------------------------------------------------------------------------------


def _write_payload(message: etree._Element, answer: Smets1Answer) -> None:
    if answer.element is not None:
        data = etree.SubElement(message, f"{{{RA}}}SMETSData")
        said = etree.SubElement(data, f"{{{RA}}}{answer.element}{_RESPONSE}")
        if answer.success is not None:
            said.set("MessageSuccess", BOOLEAN.write(answer.success))
        for path, value in answer.fields.items():
            _set_leaf(said, path, value)
    if answer.errors:
        debug = etree.SubElement(etree.SubElement(message, f"{{{RA}}}DebugInfo"), f"{{{RA}}}SMETS1Debug")
        for error in answer.errors:
            ERROR.write(etree.SubElement(debug, f"{{{RA}}}SMETS1Response"), error)


def _set_leaf(under: etree._Element, path: str, value: str) -> None:
    """Make an element or attribute at the end of a path; elements on the way are the last of their name."""
    *way, name = path.split("/")
    for step in way:
        last = under[-1] if len(under) else None
        named = last is not None and last.tag == f"{{{RA}}}{step}" and not last.text
        under = last if named and last is not None else etree.SubElement(under, f"{{{RA}}}{step}")
    if name.startswith("@"):
        under.set(name[1:], value)
    else:
        etree.SubElement(under, f"{{{RA}}}{name}").text = value


def _read_payload(message: etree._Element) -> Found:
    cursor, found = Cursor(message, RA), Found()
    if cursor.is_at("GBCSData"):
        raise wrong(message[0], "GBCS in an answer of an S1SP")
    if cursor.is_at("SMETSData"):
        said = only_child(cursor.take())
        name = local_name(said)
        element = name.removesuffix(_RESPONSE)
        if said.tag != f"{{{RA}}}{name}" or not name.endswith(_RESPONSE) or element not in ELEMENTS.values():
            raise wrong(said, f"{name} answers no service request")
        success = said.get("MessageSuccess")
        found |= {"element": element, "fields": dict(_leaves(said))}
        found["success"] = None if success is None else _read_boolean(said, str(success))
    if cursor.is_at("DebugInfo"):
        debug = only_child(cursor.take())
        found["errors"] = tuple(ERROR.read(error) for error in debug) if _is_smets1(debug) else ()
    cursor.end()
    return found


def _leaves(element: etree._Element, path: str = "") -> list[tuple[str, str]]:
    leaves: list[tuple[str, str]] = []
    for child in element:
        name = f"{path}/{local_name(child)}" if path else local_name(child)
        leaves.extend((f"{name}/@{attribute!s}", str(value)) for attribute, value in child.attrib.items())
        leaves.extend(_leaves(child, name) if len(child) else [(name, child.text or "")])
    return leaves


def _is_smets1(debug: etree._Element) -> bool:
    return bool(debug.tag == f"{{{RA}}}SMETS1Debug")


def _read_boolean(element: etree._Element, said: str) -> bool:
    try:
        return BOOLEAN.read(said)
    except ValueError as error:
        raise wrong(element, f"attribute MessageSuccess: {error}") from error


def _put(element: etree._Element, owner: Any, parts: tuple[Part, ...], namespace: str = RA) -> None:
    for part in parts:
        part.put(element, owner, namespace)


def _take(element: etree._Element, parts: tuple[Part, ...]) -> Found:
    found: Found = Record(lambda **fields: fields, parts, RA).read(element)
    return found
