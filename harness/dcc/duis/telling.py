"""How requests and responses are told of in a timeline: one line, and a few details that are no secret."""

from __future__ import annotations

from harness.dcc.duis.requests import (
    Decommission,
    HubInstall,
    Prenotify,
    ReadInventory,
    ServiceRequest,
    UpdateHanDeviceLog,
    UpdateInventory,
)
from harness.dcc.duis.responses import (
    DccAlertMessage,
    DeviceAlertMessage,
    DspInventory,
    GbcsPayload,
    Response,
    ResponseMessage,
    Smets1Answer,
    Smets1ResponseMessage,
)
from harness.eui64 import Eui64


def about(request: ServiceRequest) -> Eui64:
    """Return the device that a request is about."""
    match request:
        case Prenotify():
            return request.prenotification.device
        case ReadInventory() | UpdateInventory() | Decommission() | UpdateHanDeviceLog():
            return request.device
        case HubInstall():
            return request.hub
        case _:
            return request.request_id.target


def request_line(request: ServiceRequest) -> str:
    """Return a request in one line."""
    return f"request {request.srv} about {about(request)}"


def response_line(response: Response) -> str:
    """Return a response or an alert in one line."""
    match response.body:
        case DccAlertMessage():
            return f"alert {response.body.code}: {_name(response.body.alert)}"
        case DeviceAlertMessage():
            return f"device alert {response.body.alert_code.hex().upper()}"
        case Smets1ResponseMessage(answer=Smets1Answer()):
            return f"response {response.code} to {response.body.srv}, of an S1SP"
        case Smets1ResponseMessage():
            return f"alert {response.code} of a SMETS1 device"
        case ResponseMessage(payload=None):
            verb = "acknowledgement" if response.response_id is None else "response"
            return f"{verb} {response.code} to {response.body.srv}"
        case ResponseMessage():
            return f"response {response.code} to {response.body.srv}, with {_name(response.body.payload)}"


def response_details(response: Response) -> dict[str, str | None]:
    """Return what a timeline says of a response."""
    told = {"request_id": str(response.request_id) if response.request_id else None, "code": response.code}
    body = response.body
    if isinstance(body, Smets1ResponseMessage) and isinstance(body.answer, Smets1Answer):
        told |= dict(body.answer.fields)
    if isinstance(body, ResponseMessage) and isinstance(body.payload, GbcsPayload):
        told["gbcs"] = body.payload.message.hex().upper()
    if isinstance(body, ResponseMessage) and isinstance(body.payload, DspInventory):
        told["devices"] = ", ".join(f"{one.device} {one.version}" for one in body.payload.devices)
    return told


def _name(value: object) -> str:
    return type(value).__name__
