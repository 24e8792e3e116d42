"""What the DSP answers, as DUIS has it, and what a service user reads out of it again.

What the S1SP says goes into the document that the S1SP signs; the other forms are the DSP's own. What is not
in a document (the stage at which a request ended, and why) does not come out of one either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from harness.dcc import documents as d
from harness.dcc.counters import Clock
from harness.dcc.documents import ServiceResponse, Via
from harness.dcc.duis import responses as r
from harness.dcc.duis.alerts import S1spAlert, S1spAlertDsp
from harness.dcc.duis.requests import JoinOrUnjoin, RequestId, ServiceRequest
from harness.dcc.duis.responses import Response, ResponseMessage, Smets1Answer, Smets1ResponseMessage
from harness.dcc.duis.service_references import ELEMENTS
from harness.dcc.spoken import MESSAGE_SUCCESS
from harness.dcc.use_cases import told_by
from harness.errors import DecodeError, SystemFault
from harness.gbcs import parse
from harness.smets.rulebook import Rulebook
from harness.smets.version import read_version

ERROR = "Error"
_S1SP_FAILED = -1  # which codes an S1SP has is not public
_ACCEPTED = "I99"
_LONGEST_ERROR = 250
_JOINED = {"8.7": "joinResponseCode", "8.8": "unjoinResponseCode"}
_LISTS = {
    "InvalidDeviceIDList": "invalid",
    "NotCommissionedDeviceIDList": "not_commissioned",
    "NotApplicableFirmwareDeviceIDList": "not_applicable",
    "OtherRequestInProgressList": "other_in_progress",
    "InvalidGBCSVersionList": "invalid_gbcs_version",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pen:
    """What it takes to write a response: the time, the S1SP's signature, the code of an S1SP's alert."""

    clock: Clock
    sign: Callable[[Smets1Answer | S1spAlert], bytes]
    alert_code: str


# --- the DSP's side ---------------------------------------------------------------------------------------


def acknowledgement_document(acknowledgement: d.Acknowledgement, srv: str, when: datetime) -> Response:
    """Return the acknowledgement of a request: no response id, and no payload but a command to hand back."""
    local = acknowledgement.local
    return Response(
        request_id=acknowledgement.request_id,
        code=acknowledgement.code,
        when=when,
        body=ResponseMessage(srv=srv, payload=r.LocalCommand(local.message) if local else None),
    )


def refusal_document(request_id: RequestId, code: str, srv: str, when: datetime) -> Response:
    """Return the response to a request that the DSP could not take in."""
    return Response(
        request_id=request_id,
        response_id=request_id.response_id,
        code=code,
        when=when,
        body=ResponseMessage(srv=srv),
    )


def response_document(request: ServiceRequest, response: ServiceResponse, pen: Pen) -> Response:
    """Return the response to a request."""
    return Response(
        request_id=request.request_id,
        response_id=request.request_id.response_id,
        code=response.code,
        when=pen.clock(),
        body=_body(request, response, pen),
    )


def _body(request: ServiceRequest, response: ServiceResponse, pen: Pen) -> r.ResponseBody:
    match response.body:
        case d.Smets1Response():
            answer = smets1_answer(request, response.body)
            return Smets1ResponseMessage(srv=request.srv, signed=pen.sign(answer), answer=answer)
        case d.S1spAlert(request_id=request_id, device=device, code=code, text=text):
            alert = S1spAlert(
                request_id=request_id,
                device=device,
                code=code,
                additional_information=text,
                when=pen.clock(),
            )
            return r.DccAlertMessage(
                code=pen.alert_code, alert=S1spAlertDsp(signed=pen.sign(alert), alert=alert)
            )
        case body:
            return ResponseMessage(srv=request.srv, payload=_payload(body))


def _payload(body: d.Body | None) -> r.Payload | None:
    match body:
        case d.InventoryResponse(records=records) if records:
            return r.DspInventory(tuple(_device(record) for record in records))
        case d.GbcsResponse(message=message):
            return r.GbcsPayload(message)
        case d.PreCommand(message=message, gbcs_version=version):
            return r.PreCommand(gbcs_version=version, message=message)
        case d.LocalCommand(message=message):
            return r.LocalCommand(message)
        case d.FirmwareWarning(srv=srv, lists=lists):
            make = r.PpmidFirmwareWarning if srv == "11.4" else r.FirmwareWarning
            return make(**{_LISTS[name]: devices for name, devices in lists.items() if devices})
        case _:
            return None


def _device(record: d.InventoryRecord) -> r.InventoryDevice:
    return r.InventoryDevice(
        device=record.device,
        device_type=record.device_type,
        status=record.status,
        manufacturer=record.manufacturer,
        model=record.model,
        version=record.version or None,
        firmware=record.firmware or None,
        cpl_status=record.cpl_status,
        commissioned=record.commissioned,
        import_mpxn=record.import_mpxn,
        secondary_import_mpan=record.secondary_import_mpan,
        export_mpan=record.export_mpan,
        esme_variant=record.esme_variant,
        csp_region=record.csp_region,
        gbcs_version=record.gbcs_version or None,
        s1sp=record.s1sp,
    )


def smets1_answer(request: ServiceRequest, response: d.Smets1Response) -> Smets1Answer:
    """Return what the S1SP says in the form of the MMC; errors stand under its debug information."""
    said = {name: text for name, text in response.fields.items() if name not in (MESSAGE_SUCCESS, ERROR)}
    if isinstance(request, JoinOrUnjoin):
        name = _JOINED[request.reference]
        code, status = ("0", "success") if response.success else ("12", "otherFailure")
        said = {f"{name}/@ResponseCode": code, f"{name}/ASN1Status": status}
    wrong = response.fields.get(ERROR)
    errors = () if wrong is None else (r.Smets1Error(code=_S1SP_FAILED, text=wrong[:_LONGEST_ERROR]),)
    return Smets1Answer(
        device=request.request_id.target,
        user=request.request_id.originator,
        counter=request.request_id.counter,
        srv=request.srv,
        element=ELEMENTS[request.srv],
        success=response.success,
        fields=said,
        errors=errors,
    )


# --- the service user's side ------------------------------------------------------------------------------


def service_response(request: ServiceRequest, response: Response, rules: Rulebook) -> ServiceResponse:
    """Return what a response says of a request. Raises SystemFault for one that cannot be to it."""
    body = response.body
    if isinstance(body, ResponseMessage | Smets1ResponseMessage) and body.srv not in (None, request.srv):
        raise SystemFault(f"the response to {request.srv} says that it is to {body.srv}")
    via, content = _read(response, request, rules)
    return ServiceResponse(
        request_id=request.request_id,
        code=response.code,
        via=via,
        body=content,
        ok=not response.code.startswith("E") and not _failed(content),
    )


def _failed(body: d.Body | None) -> bool:
    """Whether a body says that what was asked for was not done."""
    if isinstance(body, d.GbcsResponse | d.Smets1Response):
        return body.fields.get(MESSAGE_SUCCESS) == "false"
    return isinstance(body, d.S1spAlert)


def is_acknowledgement(response: Response) -> bool:
    """Whether this says that a request was accepted, and that its response is still to come."""
    if response.code != _ACCEPTED or not isinstance(response.body, ResponseMessage):
        return False
    return response.body.payload is None or isinstance(response.body.payload, r.LocalCommand)


def local_command(response: Response) -> d.LocalCommand | None:
    """Return the command that is handed back with an acknowledgement."""
    match response.body:
        case ResponseMessage(payload=r.LocalCommand(message)):
            return d.LocalCommand(message=message, use_case=_use_case(message))
    return None


def says_the_same(read: ServiceResponse, known: ServiceResponse) -> bool:
    """Whether what was read from a document is what the DSP had to say, as far as a document can say it."""
    return read.code == known.code and _sayable(read) == _sayable(known)


def _sayable(response: ServiceResponse) -> object:
    match response.body:
        case d.InventoryResponse(records=records):
            return tuple(replace(record, hub=None) for record in records)
        case d.FirmwareWarning(lists=lists):
            return {name: devices for name, devices in lists.items() if devices}
        case d.Smets1Response(success=success):
            return success, response.fields.get(ERROR, "")[:_LONGEST_ERROR]
        case d.S1spAlert(code=code, text=text):
            return code, text
        case d.PreCommand(message=message) | d.LocalCommand(message=message):
            return message
        case _:
            return dict(response.fields)


def _read(response: Response, request: ServiceRequest, rules: Rulebook) -> tuple[Via, d.Body | None]:
    match response.body:
        case Smets1ResponseMessage(answer=Smets1Answer() as answer):
            return Via.S1SP, _read_smets1(answer, request)
        case r.DccAlertMessage(alert=S1spAlertDsp(alert=S1spAlert() as alert)):
            return Via.S1SP, _read_s1sp_alert(alert, request)
        case ResponseMessage(payload=payload):
            return _read_payload(payload, request, rules)
        case _:
            raise SystemFault(f"an alert where the response to {request.srv} was expected")


def _read_payload(
    payload: r.Payload | None, request: ServiceRequest, rules: Rulebook
) -> tuple[Via, d.Body | None]:
    match payload:
        case r.DspInventory(devices):
            return Via.DSP, d.InventoryResponse(records=tuple(_record(device, rules) for device in devices))
        case r.FirmwareWarning():
            lists = {name: getattr(payload, field) or () for name, field in _LISTS.items()}
            return Via.DSP, d.FirmwareWarning(srv=request.srv, lists=lists, taken=())
        case r.GbcsPayload(message):
            return Via.GBCS, _read_gbcs(message)
        case r.PreCommand(message=message, gbcs_version=version):
            use_case = _use_case(message)
            return Via.GBCS, d.PreCommand(message=message, use_case=use_case, gbcs_version=version)
        case r.LocalCommand(message):
            return Via.GBCS, d.LocalCommand(message=message, use_case=_use_case(message))
        case _:
            return Via.DSP, None


def _read_gbcs(message: bytes) -> d.GbcsResponse:
    try:
        use_case, fields = told_by(message)
    except DecodeError as error:
        raise SystemFault(f"the GBCS message in a response does not read: {error}") from error
    return d.GbcsResponse(message=message, use_case=use_case, fields=fields)


def _use_case(message: bytes) -> str:
    try:
        parsed = parse(message)
    except DecodeError as error:
        raise SystemFault(f"the GBCS command in a response does not read: {error}") from error
    return parsed.use_case or f"0x{parsed.message_code:04X}"


def _read_smets1(answer: Smets1Answer, request: ServiceRequest) -> d.Smets1Response:
    fields: Mapping[str, str] = dict(answer.fields)
    if answer.success is not None:
        fields = {MESSAGE_SUCCESS: "true" if answer.success else "false", **fields}
    if answer.errors:
        fields = {**fields, ERROR: "; ".join(error.text for error in answer.errors)}
    return d.Smets1Response(
        request_id=request.request_id, srv=request.srv, success=answer.success is not False, fields=fields
    )


def _read_s1sp_alert(alert: S1spAlert, request: ServiceRequest) -> d.S1spAlert:
    return d.S1spAlert(
        request_id=alert.request_id or request.request_id,
        device=alert.device or request.request_id.target,
        code=alert.code,
        text=alert.additional_information or "",
    )


def _record(device: r.InventoryDevice, rules: Rulebook) -> d.InventoryRecord:
    if device.status is None:
        raise SystemFault(f"the DSP's inventory has no DeviceStatus for {device.device}")
    return d.InventoryRecord(
        device=device.device,
        device_type=device.device_type,
        status=device.status,
        manufacturer=device.manufacturer,
        model=device.model,
        firmware=device.firmware or "",
        version=device.version or "",
        family=read_version(device.version, rules).family,
        gbcs_version=device.gbcs_version or "",
        cpl_status=device.cpl_status,
        csp_region=device.csp_region,
        s1sp=device.s1sp,
        hub=None,
        commissioned=device.commissioned,
        import_mpxn=device.import_mpxn,
        secondary_import_mpan=device.secondary_import_mpan,
        export_mpan=device.export_mpan,
        esme_variant=device.esme_variant,
    )
