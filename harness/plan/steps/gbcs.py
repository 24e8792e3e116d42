"""GBCS by itself: messages good and spoilt to the PPMID or a hub's CHF, spoilt responses, alerts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from harness.dcc.alerts import DeviceAlert
from harness.dcc.documents import Stage
from harness.dcc.duis.requests import (
    JoinNonCritical,
    LogAction,
    ReadDeviceLog,
    RestoreGpfDeviceLog,
    ServiceRequest,
    UnjoinNonCritical,
    UpdateHanDeviceLog,
)
from harness.dcc.meters import METERS
from harness.dcc.use_cases import DEVICE_LOG, JOIN_RESPONSE
from harness.documents import Seconds
from harness.errors import DecodeError, DeviceSilent, DutFault, StimulusImpossible, SystemFault
from harness.eui64 import Eui64
from harness.gbcs.acceptance import Refusal
from harness.gbcs.use_cases.device_log import DEVICE_LOG_CHANGED
from harness.gbcs.use_cases.gas_proxy import GPF_DEVICE_LOG_CHANGED
from harness.gbcs.use_cases.joining import JoinResult
from harness.hub.gbcs_hub import GbcsHub
from harness.plan.context import CaseContext
from harness.plan.expect import refused, undelivered
from harness.plan.hub_functions import Function, command, device_of, eui64_of
from harness.plan.spoil import Spoilt, SpoiltResponse, spoil, spoil_response
from harness.plan.steps.answers import Listed, listed_eui64
from harness.plan.steps.step import Seen, Step, step
from harness.plan.waiting import eventually, until
from harness.rig.bench import HubOnBench
from harness.rig.faces import ReceivedCommand
from harness.smets.cpl import DeviceType
from harness.tap import Boundary

_SILENT_FOR, _ALERTED_WITHIN, _WINDOW_S = Seconds(0.5), Seconds(5), 60
_NOTICED_WITHIN_S = 9.0
_ANSWERED_WITHIN_S = 10.0
_READ_FIRMWARE = "11.2"
_WITH_CERTIFICATE = "CS03C"
_SIGNED = ("CS03A2", _WITH_CERTIFICATE, "CS04AC")
_TAKEN_BY: Mapping[str, tuple[str, ...]] = {
    "PPMID": ("CS03A2", "CS03C", "CS04AC", "CS07", "CS08"),
    "CHF": ("CCS01", "CCS02", "CCS06", "CCS07"),
    "GPF": ("CS03B", "CS04B", "CS07", "GCS59"),
}
_BAD_CERTIFICATE = JoinResult.INVALID_OR_MISSING_CERTIFICATE.text


@step("send_gbcs")
@dataclass(frozen=True, slots=True, kw_only=True)
class SendGbcs(Step):
    """Send a GBCS command of the ACB's, past the DSP's stages: to the PPMID, or to the CHF or GPF of a hub.

    `spoilt` says what is wrong with it: then the receiver must say that it refused it, and not answer within
    `silent_for` after that; a join by method C with another device's certificate is answered, with a code.
    Without, it must be answered. Commands are about the bench's meters, or the PPMID.
    """

    use_case: Literal[
        "CS03A2",
        "CS03C",
        "CS04AC",
        "CS07",
        "CS08",
        "CCS01",
        "CCS02",
        "CCS06",
        "CCS07",
        "CS03B",
        "CS04B",
        "GCS59",
    ]
    hub: str | None = None
    function: Function = "CHF"
    spoilt: Spoilt | None = None
    silent_for: Seconds = _SILENT_FOR

    def __post_init__(self) -> None:
        receiver = "PPMID" if self.hub is None else self.function
        if self.use_case not in _TAKEN_BY[receiver]:
            raise ValueError(f"{self.use_case} is not for a {receiver}")
        if self.spoilt is Spoilt.SIGNATURE and self.use_case not in _SIGNED:
            raise ValueError(f"{self.use_case} has no signature to spoil")
        if self.spoilt is Spoilt.CERTIFICATE and self.use_case != _WITH_CERTIFICATE:
            raise ValueError(f"{self.use_case} has no certificate to spoil")

    async def run(self, case: CaseContext) -> Seen:
        """Send it, and look at who answers and what the receiver says."""
        message = self._made(case)
        if self.spoilt in (None, Spoilt.REPLAYED):
            first = await self._held_answer(case, message)
            if self.spoilt is None:
                return first
        await case.bench.ppmid.received()
        message = spoil(message, self.spoilt, case.bench.dcc.trials.keys)
        if self.spoilt is Spoilt.CERTIFICATE:
            return await self._answered_no(case, message)
        return await (self._refused_by_hub(case, message) if self.hub else self._refused(case, message))

    def _made(self, case: CaseContext) -> bytes:
        kind, fields = _request_of(case, self.use_case)
        dcc = case.bench.dcc
        return dcc.trials.command(self.use_case, dcc.make(kind, self._target(case), **fields))

    def _target(self, case: CaseContext) -> Eui64:
        return case.bench.device if self.hub is None else eui64_of(case.bench.hub(self.hub), self.function)

    async def _answer(self, case: CaseContext, message: bytes, within_s: float) -> bytes:
        entry = case.hub if self.hub is None else case.bench.hub(self.hub)
        if entry is None:
            raise StimulusImpossible("the PPMID is on no hub's device log; whitelist it first")
        hub = entry.hub
        what = f"{self.use_case} command" + (f", {self.spoilt.value} spoilt" if self.spoilt else "")
        case.bench.tap.record(Boundary.GBCS, "dsp", str(hub.eui64), what, message)
        if self.hub is not None:
            answer = await command(entry, self.function, message, within_s)
        else:
            answer = await hub.deliver_gbcs(case.bench.device, message, within_s)
        case.bench.tap.record(Boundary.GBCS, str(hub.eui64), "dsp", f"{self.use_case} response", answer)
        return answer

    async def _held_answer(self, case: CaseContext, message: bytes) -> Seen:
        """Send it, and hold the answer against the command as the DSP does; return what it says."""
        answer = await self._answer(case, message, _ANSWERED_WITHIN_S)
        try:
            told = case.bench.dcc.trials.read(self.use_case, answer, message)
        except DecodeError as error:
            who = "the PPMID" if self.hub is None else f"the {self.function} of hub {self.hub}"
            fault = DutFault if self.hub is None else SystemFault
            raise fault(f"{who}'s response to {self.use_case} does not hold: {error}") from error
        return {"answer": answer.hex(), **told}

    async def _refused(self, case: CaseContext, message: bytes) -> Seen:
        what = f"a {self.use_case} command whose {_WRONG[_spoilt(self)]}"
        answer, told = await self._watched(case, message)
        if answer is not None:
            raise DutFault(f"the PPMID answered {what}: {answer.hex().upper()}")
        if not told:
            raise DutFault(f"the PPMID says nothing of {what}, which was sent to it")
        for entry in told:
            result = entry.fields.get("result")
            if result == "answered":
                raise DutFault(f"the PPMID says that it obeyed {what}")
            if result not in _REFUSALS:
                raise DutFault(f"the PPMID does not say that it refused {what}: result={result}")
        return {"result": told[-1].fields["result"], "reason": told[-1].fields.get("reason", "")}

    async def _answered_no(self, case: CaseContext, message: bytes) -> Seen:
        """Send a join that is right but for the certificate in it: that is answered, with a code."""
        told = await self._held_answer(case, message)
        if told.get(JOIN_RESPONSE) != _BAD_CERTIFICATE:
            raise DutFault(
                f"the PPMID was to join a device with another's certificate and answered"
                f" {told.get(JOIN_RESPONSE)!r}, expected {_BAD_CERTIFICATE!r}"
            )
        return told

    async def _watched(
        self, case: CaseContext, message: bytes
    ) -> tuple[bytes | None, tuple[ReceivedCommand, ...]]:
        """Send to the PPMID; return its answer, if one comes until `silent_for` after it has noticed.

        Raises RadioUndelivered when it does not even acknowledge what is sent to it.
        """
        sending = asyncio.ensure_future(self._answer(case, message, _ANSWERED_WITHIN_S))
        told: list[ReceivedCommand] = []

        async def noticed() -> bool:
            told.extend(entry for entry in await case.bench.ppmid.received() if entry.kind == "gbcs")
            return bool(told) or sending.done()

        try:
            await eventually(noticed, _NOTICED_WITHIN_S)
            await asyncio.wait({sending}, timeout=self.silent_for)
            return (await sending if sending.done() else None), tuple(told)
        except DeviceSilent:
            return None, tuple(told)
        finally:
            sending.cancel()
            await asyncio.wait({sending})

    async def _refused_by_hub(self, case: CaseContext, message: bytes) -> Seen:
        entry = case.bench.hub(self.hub or "")
        device = device_of(entry, self.function)
        before, refused_before = _logs(entry), len(device.refused)
        what = f"a {self.use_case} command whose {_WRONG[_spoilt(self)]}"
        whose = f"the {self.function} of hub {entry.hub.name}"
        try:
            await self._answer(case, message, self.silent_for)
        except DeviceSilent:
            pass
        else:
            raise SystemFault(f"{whose} answered {what}")
        if _logs(entry) != before:
            raise SystemFault(f"{whose} refused {what}, and a device log of the hub changed")
        said = next((one for one in device.refused[refused_before:] if one.octets == message), None)
        if said is None:
            raise SystemFault(f"{whose} neither answered nor refused {what}")
        wanted = _HUB_REFUSES_FOR.get(_spoilt(self), said.refusal)
        if said.refusal is not wanted:
            raise SystemFault(f"{whose} refused {what}, and for another reason: {said.reason}")
        return {"result": said.refusal.value, "reason": said.reason}


@step("expect_response_refused")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectResponseRefused(Step):
    """The PPMID's response to 11.2 is spoilt on its way: the DSP must refuse it, say why, change nothing."""

    spoilt: SpoiltResponse

    async def run(self, case: CaseContext) -> Seen:
        """Send the request and look at what the DSP makes of the response."""
        dcc = case.bench.dcc
        kept = case.request.route.response if case.request is not None else b""
        if self.spoilt is SpoiltResponse.REPLAYED and not kept:
            raise StimulusImpossible("there is no earlier response to replay; put a `request` step before")
        before = dcc.inventory()
        dcc.trials.spoil_next_response(
            lambda octets: spoil_response(octets, self.spoilt, dcc.trials.keys, kept)
        )
        response = await dcc.request(_READ_FIRMWARE, case.bench.device)
        if response.ok or response.body is not None:
            raise SystemFault(f"the DSP took a response whose {_WRONG_ANSWER[self.spoilt]} ({response.code})")
        if response.stage is not Stage.DELIVERY:
            raise refused(case, response, "request 11.2, whose response was to be spoilt,")
        if not isinstance(response.cause, DecodeError):
            says = f"request 11.2, whose response was to be spoilt, ended with {response.code}"
            raise undelivered(response, f"{says}: {response.reason}")
        shown = bool(dcc.route_of(response).judged)  # a response code alone does not say for what
        if shown and response.cause.field not in _REFUSED_FOR.get(self.spoilt, (response.cause.field,)):
            raise SystemFault(
                f"the {_WRONG_ANSWER[self.spoilt]}, and that alone; the DSP refused it for {response.cause}"
            )
        if dcc.inventory() != before:
            raise SystemFault("the DSP refused the response, and yet the SMI changed")
        return {"code": response.code, "reason": response.reason}


@step("raise_alert")
@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseAlert(Step):
    """The PPMID raises a GBCS alert, told to by its test port: ``8F8B``, that firmware was activated."""

    code: str

    def __post_init__(self) -> None:
        _number(self.code)

    async def run(self, case: CaseContext) -> Seen:
        """Tell it; a PPMID without that verb makes the case inconclusive."""
        await case.bench.ppmid.raise_alert(_number(self.code))
        return {}


@step("expect_alert")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectAlert(Step):
    """The DSP has an alert of this code since the case began, verified: of the PPMID, or of a hub.

    `function` says which of the hub's two, CHF or GPF. With `fields` it must say these, such as
    ``{FirmwareVersion: "01020305"}``. With `has` or `lacks` the device log that the last one tells of has
    these in it and not those.
    """

    code: str
    hub: str | None = None
    function: Function = "CHF"
    fields: Mapping[str, str] = field(default_factory=dict)
    has: tuple[Listed, ...] = ()
    lacks: tuple[Listed, ...] = ()
    within: Seconds = _ALERTED_WITHIN

    def __post_init__(self) -> None:
        number = _number(self.code)
        if (self.has or self.lacks) and number not in (DEVICE_LOG_CHANGED, GPF_DEVICE_LOG_CHANGED):
            raise ValueError(
                f"alert {self.code} tells of no device log; `has` and `lacks` go with one that does"
            )

    async def run(self, case: CaseContext) -> Seen:
        """Wait for it; one that was refused says why."""
        entry = None if self.hub is None else case.bench.hub(self.hub)
        of = case.bench.device if entry is None else eui64_of(entry, self.function)

        def there() -> DeviceAlert | None:
            alerts = [alert for alert in case.bench.dcc.alerts if not alert.refused]
            mine = [entry for entry in alerts if entry.originator == of]
            coded = [entry for entry in mine if entry.alert_code == _number(self.code)]
            saying = [entry for entry in coded if self.fields.items() <= entry.told.items()]
            return saying[-1] if saying and self._lists(case, saying[-1].told.get(DEVICE_LOG, "")) else None

        await until(lambda: there() is not None, self.within)
        found = there()
        if found is None:
            fault = DutFault if self.hub is None else SystemFault
            seen = "; ".join(map(str, case.bench.dcc.alerts)) or "none at all"
            saying = f" that says {dict(self.fields)}" if self.fields else ""
            saying += f", with {', '.join(self.has)} in its device log" if self.has else ""
            saying += f", with no {', '.join(self.lacks)} in its device log" if self.lacks else ""
            raise fault(
                f"no alert {self.code} of {of}{saying} at the DSP within {self.within:g} s; seen: {seen}"
            )
        return {"use_case": found.use_case, **found.told}

    def _lists(self, case: CaseContext, log: str) -> bool:
        return all(listed_eui64(case, one) in log for one in self.has) and not any(
            listed_eui64(case, one) in log for one in self.lacks
        )


_WRONG: Mapping[Spoilt, str] = {
    Spoilt.MAC: "MAC is wrong",
    Spoilt.SIGNATURE: "signature is wrong",
    Spoilt.BIT: "content has a bit turned",
    Spoilt.TRUNCATED: "last octet is missing",
    Spoilt.TARGET: "target is another device",
    Spoilt.ORIGINATOR: "originator is not the ACB",
    Spoilt.CODE: "message code is another",
    Spoilt.REPLAYED: "counter has been used",
    Spoilt.CERTIFICATE: "certificate is another device's",
}


_REFUSALS = frozenset(refusal.value for refusal in Refusal)
_HUB_REFUSES_FOR: Mapping[Spoilt, Refusal] = {
    Spoilt.MAC: Refusal.BAD_MAC,
    Spoilt.TARGET: Refusal.WRONG_TARGET,
    Spoilt.ORIGINATOR: Refusal.WRONG_ORIGINATOR,
    Spoilt.REPLAYED: Refusal.REPLAYED,
}
"""What a hub must name where nothing else is wrong."""

_WRONG_ANSWER: Mapping[SpoiltResponse, str] = {
    SpoiltResponse.MAC: "MAC is wrong",
    SpoiltResponse.BIT: "content has a bit turned",
    SpoiltResponse.TRUNCATED: "last octet is missing",
    SpoiltResponse.TARGET: "target is somebody else",
    SpoiltResponse.ORIGINATOR: "originator is another device",
    SpoiltResponse.CODE: "message code is another use case's",
    SpoiltResponse.COUNTER: "originator counter is not the command's",
    SpoiltResponse.USER: "supplementary remote party counter is not the command's",
    SpoiltResponse.REPLAYED: "command was an earlier one",
}

_REFUSED_FOR: Mapping[SpoiltResponse, tuple[str, ...]] = {
    SpoiltResponse.ORIGINATOR: ("business originator",),
    SpoiltResponse.CODE: ("message code",),
    SpoiltResponse.COUNTER: ("originator counter",),
    SpoiltResponse.USER: ("supplementary remote party counter",),
    SpoiltResponse.REPLAYED: ("originator counter",),
}
"""The field that the DSP must name where nothing else is wrong."""


def _spoilt(sent: SendGbcs) -> Spoilt:
    assert sent.spoilt is not None
    return sent.spoilt


def _request_of(case: CaseContext, use_case: str) -> tuple[type[ServiceRequest], dict[str, Any]]:
    """Return the service request that this use case's command is made of."""
    if use_case in _SIGNED:
        meter = DeviceType.GSME if use_case == _WITH_CERTIFICATE else DeviceType.ESME
        if case.hub is not None:
            case.bench.dcc.provision_meter(meter, case.hub.hub.eui64)
        return UnjoinNonCritical if use_case == "CS04AC" else JoinNonCritical, {"other": METERS[meter]}
    if use_case in ("CCS01", "CCS02"):
        fields: dict[str, Any] = {"device": case.bench.device, "action": LogAction.REMOVE}
        if use_case == "CCS01":
            code = bytes(case.bench.ppmid_device.install_code)
            fields |= {"action": LogAction.ADD, "install_code": code, "join_time_s": _WINDOW_S}
        return UpdateHanDeviceLog, fields
    if use_case in ("CS03B", "CS04B"):
        return JoinNonCritical if use_case == "CS03B" else UnjoinNonCritical, {"other": case.bench.device}
    if use_case == "GCS59":
        return RestoreGpfDeviceLog, {"old_gpf": case.bench.device}  # of no known log: nothing to restore
    return ReadDeviceLog, {}


def _logs(entry: HubOnBench) -> object:
    """Return who is in the CHF's device log, how far and by which key, and who is in the GPF's."""
    listed = [(one.eui64, one.state, one.trust_centre_link_key) for one in entry.hub.device_log()]
    return listed, entry.hub.gpf.device_log() if isinstance(entry.hub, GbcsHub) else ()


def _number(code: str) -> int:
    if len(code) != len("8F12") or not all(digit in "0123456789ABCDEFabcdef" for digit in code):
        raise ValueError(f"`code` has 4 hex digits, such as 8F12, not {code!r}")
    return int(code, 16)
