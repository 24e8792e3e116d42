"""The `Request` envelope: a service request to its element and back.

Source: DUIS 5.4 `Request`; facts gb-domain §1.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

from harness.dcc.duis.requests import CommandVariant, OtherRequest, RequestId, ServiceRequest
from harness.dcc.duis.service_references import ELEMENTS, SIGNED_PRE_COMMAND
from harness.dcc.duis.xml.envelope import root_attributes, serialise, take_root
from harness.dcc.duis.xml.parser import DS, SR, local_name, parse_xml, wrong
from harness.dcc.duis.xml.parts import One, Service, maybe
from harness.dcc.duis.xml.requests import BODIES, Body
from harness.dcc.duis.xml.scalars import BOOLEAN, REQUEST_ID, Scalar, integer
from harness.dcc.duis.xml.shapes import Found, Record, only_child

_NUMBER = integer(1, 9)
COMMAND_VARIANT: Scalar[CommandVariant] = Scalar(
    "command variant",
    lambda text: CommandVariant(_NUMBER.read(text)),
    lambda variant: str(variant.value),
)

HEADER = (
    One("RequestID", "request_id", REQUEST_ID),
    maybe("FirstInSequence", "first_in_sequence", BOOLEAN),
    maybe("PrecedingServiceRequestID", "preceding", REQUEST_ID),
    One("CommandVariant", "command_variant", COMMAND_VARIANT),
    Service(),
)

_BY_ELEMENT: Mapping[str, tuple[Body, ...]] = {
    name: tuple(body for body in BODIES if body.element == name) for name in {body.element for body in BODIES}
}
_BY_TYPE: Mapping[type, Body] = {body.type: body for body in BODIES}
_HEADER_SHAPE = Record(lambda **found: found, HEADER)


def request_tree(request: ServiceRequest) -> etree._Element:
    """Return a request as an element, not signed. Raises ValueError for what DUIS has no room for."""
    root = etree.Element(f"{{{SR}}}Request", nsmap={"sr": SR, "ds": DS})
    root_attributes(root, request.schema_version)
    _HEADER_SHAPE.write(etree.SubElement(root, f"{{{SR}}}Header"), request)
    body = etree.SubElement(root, f"{{{SR}}}Body")
    if isinstance(request, OtherRequest):
        body.append(_other(request))
        return root
    entry = _BY_TYPE.get(type(request))
    if entry is None:
        raise ValueError(f"a {type(request).__name__} has no body in DUIS")
    entry.shape.write(etree.SubElement(body, f"{{{SR}}}{entry.element}"), request)
    return root


def write_request(request: ServiceRequest) -> bytes:
    """Return a request as a document without a signature."""
    return serialise(request_tree(request))


def read_request_tree(root: etree._Element) -> ServiceRequest:
    """Return the request that an element is, whether it is signed or not. Raises DocumentError."""
    cursor, found = take_root(root, "Request")
    header = cursor.require("Header")
    found |= _HEADER_SHAPE.read(header)
    body = cursor.require("Body")
    cursor.end()
    return _read_body(only_child(body), found)


def read_request(document: bytes) -> ServiceRequest:
    """Return the request that a document is, whether it is signed or not. Raises DocumentError."""
    return read_request_tree(parse_xml(document))


def request_id_of(root: etree._Element) -> RequestId | None:
    """Return the id of a request of which not everything may be right, None where there is none."""
    text = root.findtext(f"{{{SR}}}Header/{{{SR}}}RequestID")
    try:
        return REQUEST_ID.read(text or "")
    except ValueError:
        return None


def srv_of(root: etree._Element) -> str | None:
    """Return the service reference variant of such a request, None where there is none that DUIS knows."""
    srv = root.findtext(f"{{{SR}}}Header/{{{SR}}}ServiceReferenceVariant")
    return srv if srv in ELEMENTS else None


def _read_body(element: etree._Element, found: Found) -> ServiceRequest:
    name, srv = local_name(element), str(found["srv"])
    if element.tag != f"{{{SR}}}{name}" or name not in (ELEMENTS[srv], SIGNED_PRE_COMMAND):
        raise wrong(element, f"is no body of {srv}, expected {ELEMENTS[srv]}")
    for body in _BY_ELEMENT.get(name, ()):
        if body.fits(element):
            inside: Found = Record(lambda **fields: fields, body.parts).read(element)
            return _made(body.type, element, found | inside)
    content = etree.tostring(element, method="c14n", exclusive=True, with_tail=False)
    return OtherRequest(element=name, content=content, **found)


def _made(make: type[ServiceRequest], element: etree._Element, fields: Mapping[str, Any]) -> ServiceRequest:
    try:
        return make(**fields)
    except ValueError as error:
        raise wrong(element, str(error)) from error


def _other(request: OtherRequest) -> etree._Element:
    element = parse_xml(request.content)
    if element.tag != f"{{{SR}}}{request.element}":
        raise ValueError(f"the content of {request.srv} is {local_name(element)}, not {request.element}")
    return element
