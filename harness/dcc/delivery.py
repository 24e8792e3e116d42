"""Delivery: what a request's route leads to, and what may keep it from getting there.

By way of GBCS the ACB makes the command, a hub carries it, and the ACB judges the response; by way of the
S1SP the request is forwarded as it is. A hub or a device that does not answer is no fault of the DSP's: it
becomes a response code, with its cause kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from harness.dcc.acb import MESSAGE_SUCCESS, Acb, UseCaseNotBuilt, no_key
from harness.dcc.alerts import AlertDesk
from harness.dcc.defects import DccDefect
from harness.dcc.documents import (
    Body,
    CountersignedRequest,
    GbcsResponse,
    PreCommand,
    S1spAlert,
    Via,
    WrongForm,
)
from harness.dcc.duis.requests import (
    FutureDatable,
    RestoreHanDeviceLog,
    ServiceRequest,
    SignedPreCommand,
    UpdateHanDeviceLog,
)
from harness.dcc.enquiry import Enquiry
from harness.dcc.faces import HubFace
from harness.dcc.given_out import GivenOut
from harness.dcc.inventory import SmiStore
from harness.dcc.pre_commands import PreCommands
from harness.dcc.s1sp import S1sp
from harness.dcc.use_cases import SPOKEN
from harness.errors import (
    DecodeError,
    DeviceSilent,
    RadioUndelivered,
    RigFault,
    StimulusImpossible,
    SystemFault,
)
from harness.eui64 import Eui64
from harness.gbcs import KeyNotFound, KeyUsage
from harness.gbcs.use_cases.device_log import LoggedDevice
from harness.gbcs.use_cases.firmware import CANCELLATION
from harness.gbcs.use_cases.joining import JoinedDevice
from harness.smets.cpl import DeviceType
from harness.smets.requests import Answer
from harness.smets.routing import GbcsRoute
from harness.tap import Boundary, Tap

_COMMISSIONING = ("ECS70", "GCS28")
_MARGIN_S = 5.0  # on top of a hub's own deadline
T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Way:
    """How far a request got on its way out."""

    via: Via = Via.DSP
    use_case: str | None = None
    command: bytes = b""
    response: bytes = b""


class Undelivered(Exception):
    """Delivery ended here; `answer` is what to say of it."""

    def __init__(self, answer: Answer, reason: str) -> None:
        super().__init__(reason)
        self.answer = answer
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the DSP knows besides a request: `harness.dcc.use_cases.Knowledge`."""

    store: SmiStore
    acb: Acb
    alerts: AlertDesk

    def device_type(self, device: Eui64) -> DeviceType:
        """Return the type of a device in the SMI; Undelivered when it is not there."""
        record = self.store.get(device)
        if record is None:
            raise Undelivered(Answer.UNKNOWN_DEVICE, f"{device} is not in the SMI")
        return record.device_type

    def key_agreement_certificate(self, device: Eui64) -> bytes:
        """Return a device's certificate (DER); raises KeyNotFound."""
        return self.acb.keys.certificate(device, KeyUsage.KEY_AGREEMENT)

    def device_log_of(self, hub: Eui64) -> tuple[LoggedDevice, ...]:
        """Return the device log that a hub has told of last, empty when it has told of none."""
        return self.alerts.device_log_of(hub)

    def gpf_log_of(self, gpf: Eui64) -> tuple[JoinedDevice, ...]:
        """Return the device log that a GPF has backed up last, empty when it never has."""
        return self.alerts.gpf_log_of(gpf)

    def extended_pan_id_of(self, hub: Eui64) -> bytes:
        """Return the extended PAN id of a hub's network, as it has told it last."""
        return self.alerts.extended_pan_id_of(hub)


class Delivery:
    """Ways out of the DSP, over these hubs. `timeout_s` is how long a device may take to answer."""

    def __init__(
        self,
        known: Known,
        s1sp: S1sp,
        hubs: Mapping[Eui64, HubFace],
        tap: Tap,
        *,
        pre_commands: GivenOut,
        timeout_s: float,
        defects: Collection[DccDefect] = (),
    ) -> None:
        self._known = known
        self._acb = known.acb
        self._s1sp = s1sp
        self._hubs = hubs
        self._tap = tap
        self._timeout_s = timeout_s
        self._defects = defects
        self.pre_commands = PreCommands(known.acb.keys, known, pre_commands)
        self._spoil: Callable[[bytes], bytes] | None = None

    def spoil_next_response(self, change: Callable[[bytes], bytes]) -> None:
        """Change the next GBCS response on its way here."""
        self._spoil = change

    def command_of(self, request: ServiceRequest, use_case: str) -> bytes:
        """Return the octets of a request's command in this use case; raises as `deliver` does."""
        try:
            fields = SPOKEN[use_case].fill(request, self._known) if use_case in SPOKEN else None
            return self._acb.command(use_case, request.request_id.target, request.request_id, fields)
        except UseCaseNotBuilt as unbuilt:
            raise Undelivered(Answer.UNKNOWN_REQUEST, str(unbuilt)) from unbuilt
        except KeyNotFound as missing:
            raise no_key(missing) from missing

    async def deliver(self, enquiry: Enquiry, way: Way) -> tuple[Body | None, bool]:
        """Bring a request to hub or device; return the body of the response, and whether it succeeded.

        `way` is filled in as it goes. Raises Undelivered, and RigFault when the rig is at fault.
        """
        request = enquiry.request
        target = request.request_id.target
        to_hub = isinstance(request, UpdateHanDeviceLog | RestoreHanDeviceLog) or target in self._hubs
        hub = target if to_hub else enquiry.known.hub
        if hub is None:
            raise Undelivered(Answer.NO_COMMUNICATION, f"{enquiry.device} is in no hub's device log")
        if not isinstance(enquiry.route, GbcsRoute):
            forwarded = CountersignedRequest(request=request, device=enquiry.device, hub=hub)
            answer = await self._reach(self._s1sp.handle(forwarded))
            if isinstance(answer, S1spAlert):
                return answer, False
            if DccDefect.GBCS_AS_SMETS1 in self._defects:
                answer = replace(answer, fields={**answer.fields, "GBCSPayload": self._gbcs_octets(enquiry)})
            return answer, answer.success
        face = self._hubs.get(hub)
        if face is None:
            raise RigFault(f"no hub on the bench is {hub}", remedy="name it in the rig")
        if not way.command:
            self.make_command(enquiry, way)
        return await self._exchange(way, target, face)

    def make_command(self, enquiry: Enquiry, way: Way) -> None:
        """Make the command of a request that goes by GBCS; `way` has it then. Raises as `deliver` does."""
        assert isinstance(enquiry.route, GbcsRoute)
        if isinstance(enquiry.request, SignedPreCommand):
            way.use_case, way.command = self._signed_command(enquiry.request)
        else:
            way.use_case = enquiry.route.use_case
            way.command = self.command_of(enquiry.request, way.use_case)

    def make_pre_command(self, enquiry: Enquiry, way: Way) -> PreCommand:
        """Make the pre-command of a critical request. Raises Undelivered, RigFault."""
        assert isinstance(enquiry.route, GbcsRoute)
        way.use_case = enquiry.route.use_case
        try:
            message = self.pre_commands.make(_as_gbcs_has_it(enquiry), way.use_case)
        except UseCaseNotBuilt as unbuilt:
            raise Undelivered(Answer.UNKNOWN_REQUEST, str(unbuilt)) from unbuilt
        self._record_gbcs("dsp", str(enquiry.request.request_id.originator), "pre-command", message)
        return PreCommand(message=message, use_case=way.use_case, gbcs_version=enquiry.known.gbcs_version)

    def read_response(self, use_case: str, response: bytes, command: bytes) -> GbcsResponse:
        """Judge a device's response to a command. Raises Undelivered for one that does not hold."""
        try:
            if use_case in SPOKEN:
                fields = self._acb.read(use_case, response, command)
            else:
                fields = self.pre_commands.read_response(use_case, response, command)
        except DecodeError as error:
            raise Undelivered(
                Answer.BAD_ANSWER, f"the response to {use_case} does not hold: {error}"
            ) from error
        return GbcsResponse(message=response, use_case=use_case, fields=fields)

    def _signed_command(self, request: SignedPreCommand) -> tuple[str, bytes]:
        try:
            return self.pre_commands.command(request)
        except DecodeError as error:
            raise Undelivered(Answer.BAD_PRE_COMMAND, str(error)) from error
        except KeyNotFound as missing:
            raise no_key(missing) from missing

    async def _exchange(self, way: Way, target: Eui64, hub: HubFace) -> tuple[GbcsResponse, bool]:
        use_case, command = way.use_case or "", way.command
        self._record_gbcs("dsp", str(hub.eui64), f"{use_case} command to {target}", command)
        if target == hub.eui64:
            way.response = await self._reach(hub.command_chf(command, self._timeout_s))
        elif self._known.device_type(target) is DeviceType.GPF:
            way.response = await self._reach(hub.command_gpf(command, self._timeout_s))
        else:
            way.response = await self._reach(hub.deliver_gbcs(target, command, self._timeout_s))
        spoil, self._spoil = self._spoil, None
        way.response = spoil(way.response) if spoil is not None else way.response
        self._record_gbcs(str(hub.eui64), "dsp", f"{use_case} response of {target}", way.response)
        body = self.read_response(use_case, way.response, command)
        if DccDefect.SMETS1_AS_GBCS in self._defects:
            spoilt = b"<SMETS1Response/>"
            body = replace(body, message=spoilt)
        believed = DccDefect.COMMISSION_ANYWAY in self._defects and use_case in _COMMISSIONING
        return body, believed or body.fields.get(MESSAGE_SUCCESS) != "false"

    def _gbcs_octets(self, enquiry: Enquiry) -> str:
        """Return what has no place in a SMETS1 response, for the defect that puts it there."""
        return self._acb.command("CS08", enquiry.device, enquiry.request.request_id).hex()

    async def _reach(self, act: Awaitable[T]) -> T:
        """Wait for a hub; what keeps it from the device becomes Undelivered, RigFault goes through."""
        try:
            async with asyncio.timeout(self._timeout_s + _MARGIN_S):
                return await act
        except WrongForm:
            raise
        except (DeviceSilent, TimeoutError) as error:
            raise Undelivered(Answer.NO_ANSWER, str(error) or "no answer from the hub in time") from error
        except (RadioUndelivered, StimulusImpossible, SystemFault) as error:
            raise Undelivered(Answer.NO_COMMUNICATION, str(error)) from error

    def _record_gbcs(self, source: str, destination: str, summary: str, message: bytes) -> None:
        self._tap.record(Boundary.GBCS, source, destination, summary, message)


def _as_gbcs_has_it(enquiry: Enquiry) -> ServiceRequest:
    """Return the request; one that takes an earlier one back has another time in GBCS than in DUIS."""
    request = enquiry.request
    if enquiry.cancels and isinstance(request, FutureDatable):
        return replace(request, execution=CANCELLATION)
    return request
