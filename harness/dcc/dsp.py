"""The Data Service Provider: takes a service request through its stages, carries it out, and answers.

Which stages, and in which order, is in `harness.dcc.pipelines`; here is what follows when they let a request
through. By its command variant a request is carried out by the DSP, sent, made into a command for local
delivery, or into a pre-command that comes back signed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from harness.dcc.counters import Clock, utc_now
from harness.dcc.dcc_alerts import DccAlerts
from harness.dcc.defects import DccDefect
from harness.dcc.delivery import Delivery, Undelivered, Way
from harness.dcc.documents import (
    Acknowledgement,
    Body,
    LocalCommand,
    RequestId,
    ServiceRequest,
    ServiceResponse,
    Stage,
    Via,
)
from harness.dcc.duis.requests import (
    CommandVariant,
    FutureDatable,
    ReturnLocalCommandResponse,
    SignedPreCommand,
    UpdateHanDeviceLog,
)
from harness.dcc.effects import effects_of
from harness.dcc.enquiry import Enquiry, Estate, subject_of
from harness.dcc.firmware_distribution import Distribution
from harness.dcc.given_out import Given, GivenOut
from harness.dcc.held_requests import HeldRequests
from harness.dcc.inventory import Transaction
from harness.dcc.own_requests import OwnRequests
from harness.dcc.pipelines import pipeline_of
from harness.dcc.routes import RouteRecord
from harness.dcc.suspension import cpl_changes
from harness.dcc.turns import Turns
from harness.errors import RigFault
from harness.eui64 import Eui64
from harness.smets.cpl import Cpl
from harness.smets.requests import Answer, Judgement, code_for
from harness.smets.routing import GbcsRoute
from harness.smets.smi import DeviceRecord
from harness.tap import Boundary, Tap

Acknowledge = Callable[[Acknowledgement], None]
_SEEN_TO_BEFORE = frozenset({Stage.REQUEST_ID, Stage.EXECUTION})  # when a request was taken to be held


class Dsp:
    """The DSP. `routed` is told the way of every request, when the request has ended."""

    def __init__(
        self,
        estate: Estate,
        delivery: Delivery,
        tap: Tap,
        *,
        clock: Clock = utc_now,
        routed: Callable[[RouteRecord], None],
        alerts: DccAlerts,
        distribution: Distribution,
        local: GivenOut,
    ) -> None:
        self._estate = estate
        self._delivery = delivery
        self._alerts = alerts
        self._tap = tap
        self._clock = clock
        self._routed = routed
        self._own = OwnRequests(estate, distribution)
        self._held = HeldRequests(estate.store.agenda, clock)
        self._turns = Turns()
        self._local = local

    async def handle(
        self, request: ServiceRequest, acknowledge: Acknowledge | None = None
    ) -> ServiceResponse:
        """Take a request through; a refusal is a response. Raises RigFault when the rig is at fault.

        A request that leaves the DSP is acknowledged first: `acknowledge` is called when that is safe. What a
        response says has been made safe when it is returned.
        """
        device = subject_of(request)
        async with self._turns.turn(device):
            response = await self._handled(request, device, acknowledge)
        await self._estate.store.durable()
        return response

    async def carry_out_due(self, answer: Callable[[ServiceRequest, ServiceResponse], None]) -> None:
        """Carry out what was held for later and is due; `answer` takes each response, safe by then.

        A fault of the rig is an answer too, as there is nobody to raise it to.
        """
        for request in self._held.due():
            device = subject_of(request)
            async with self._turns.turn(device):
                try:
                    response = await self._handled(request, device, None, skipped=_SEEN_TO_BEFORE)
                except RigFault as fault:
                    code = code_for(Answer.NO_COMMUNICATION, self._estate.rules).code or ""
                    response = ServiceResponse(
                        request_id=request.request_id,
                        code=code,
                        ok=False,
                        stage=Stage.DELIVERY,
                        reason=str(fault),
                        cause=fault,
                    )
            await self._estate.store.durable()
            answer(request, response)
            self._held.done(request)
            await self._estate.store.durable()

    async def _handled(
        self,
        request: ServiceRequest,
        device: Eui64,
        acknowledge: Acknowledge | None,
        *,
        skipped: frozenset[Stage] = frozenset(),
    ) -> ServiceResponse:
        enquiry = Enquiry(request=request, device=device, used=self._estate.rules.consult())
        if isinstance(request, SignedPreCommand):
            enquiry.original = self._delivery.pre_commands.original(request)
        for stage, check in pipeline_of(enquiry.meant):
            if stage in skipped:
                continue
            judgement = check(enquiry, self._estate)
            enquiry.note(stage, judgement)
            if judgement.code is not None:
                return self._end(enquiry, Way(), judgement.code, stage=stage, reason=judgement.reason)
        if enquiry.later is not None:
            return self._for_later(enquiry)
        done = self._own.carry_out(enquiry)
        if done is not None:
            self.apply(
                Transaction(when=self._clock(), by=request.request_id, put=done.put, delete=done.delete)
            )
            code = done.code or self._code(done.answer, enquiry)
            return self._end(enquiry, Way(), code, body=done.body)
        if isinstance(request, ReturnLocalCommandResponse):
            return self._returned(enquiry, request)
        return await self._outwards(enquiry, acknowledge)

    def _for_later(self, enquiry: Enquiry) -> ServiceResponse:
        """Hold a request, or take back what one cancels."""
        request = enquiry.request
        assert isinstance(request, FutureDatable)
        if not enquiry.cancels:
            self._held.hold(request)
        elif DccDefect.KEEP_CANCELLED not in self._estate.defects and not self._held.cancel(request):
            code = self._code(Answer.NOTHING_HELD, enquiry)
            reason = f"nothing of {request.srv} is held for later"
            return self._end(enquiry, Way(), code, stage=Stage.EXECUTION, reason=reason)
        return replace(self._end(enquiry, Way(), self._code(Answer.ACCEPTED, enquiry)), later=True)

    # --- requests that leave the DSP -----------------------------------------------------------------------

    async def _outwards(self, enquiry: Enquiry, acknowledge: Acknowledge | None) -> ServiceResponse:
        """Send it, or make what its command variant asks for instead."""
        variant = enquiry.request.command_variant
        way = Way(via=Via.GBCS if isinstance(enquiry.route, GbcsRoute) else Via.S1SP)
        acknowledgement: Acknowledgement | None = None
        local: LocalCommand | None = None
        try:
            if way.via is Via.GBCS and variant is CommandVariant.TRANSFORM:
                made = self._delivery.make_pre_command(enquiry, way)
                return self._end(enquiry, way, self._code(Answer.SUCCESS, enquiry), body=made)
            if way.via is Via.GBCS:
                self._delivery.make_command(enquiry, way)
            if variant.returns_command:
                local = self._keep_local(enquiry, way)
            if not variant.sends and local is not None:
                return self._end(enquiry, way, self._code(Answer.SUCCESS, enquiry), body=local)
            acknowledgement = await self._acknowledge(enquiry, acknowledge, local)
            body, success = await self._delivery.deliver(enquiry, way)
        except Undelivered as failure:
            enquiry.note(Stage.DELIVERY, self._judgement(failure))
            return self._end(
                enquiry,
                way,
                self._code(failure.answer, enquiry),
                stage=Stage.DELIVERY,
                reason=failure.reason,
                cause=failure.__cause__,
                acknowledgement=acknowledgement,
                local=local,
            )
        except RigFault:
            self._note_route(enquiry, way, "")
            raise
        return self._answered(
            enquiry, way, body, success=success, acknowledgement=acknowledgement, local=local
        )

    def _answered(
        self,
        enquiry: Enquiry,
        way: Way,
        body: Body | None,
        *,
        success: bool,
        acknowledgement: Acknowledgement | None = None,
        local: LocalCommand | None = None,
    ) -> ServiceResponse:
        """End a request that a hub or a device has answered; what it did is in the SMI then."""
        enquiry.note(Stage.DELIVERY, Judgement(rules=()))
        if not success:
            return self._end(
                enquiry,
                way,
                self._code(Answer.DEVICE_FAILED, enquiry),
                stage=Stage.DELIVERY,
                reason="the device says that it failed",
                body=body,
                acknowledgement=acknowledgement,
                local=local,
            )
        changed = effects_of(enquiry, self._estate)
        if changed:
            self.apply(Transaction(when=self._clock(), by=enquiry.request.request_id, put=changed))
        self._alerts.answered(enquiry, body)
        code = self._code(Answer.SUCCESS, enquiry)
        return self._end(enquiry, way, code, body=body, acknowledgement=acknowledgement, local=local)

    async def _acknowledge(
        self, enquiry: Enquiry, acknowledge: Acknowledge | None, local: LocalCommand | None
    ) -> Acknowledgement:
        acknowledgement = Acknowledgement(
            request_id=enquiry.request.request_id,
            code=self._code(Answer.ACCEPTED, enquiry),
            local=local,
        )
        await self._estate.store.durable()
        if acknowledge is not None:
            acknowledge(acknowledgement)
        return acknowledgement

    # --- local delivery ------------------------------------------------------------------------------------

    def _keep_local(self, enquiry: Enquiry, way: Way) -> LocalCommand:
        if way.via is not Via.GBCS:
            reason = "what goes by way of the S1SP has no command to hand back"
            raise Undelivered(Answer.NO_LOCAL_COMMAND, reason)
        given = Given(request=enquiry.request, use_case=way.use_case or "", command=way.command)
        self._local.keep(given)
        return LocalCommand(message=way.command, use_case=given.use_case)

    def _returned(self, enquiry: Enquiry, request: ReturnLocalCommandResponse) -> ServiceResponse:
        """Take the response to a command that was delivered locally, as if it had come over the WAN."""
        original, sender = request.original, request.request_id.originator
        own = original is not None and original.originator == sender
        given = self._local.get(original) if original is not None and own else None
        if given is None:
            code = self._code(Answer.NO_LOCAL_REQUEST, enquiry)
            reason = f"no local command was handed to {sender} for {original}"
            return self._end(enquiry, Way(), code, stage=Stage.DELIVERY, reason=reason)
        try:
            body = self._delivery.read_response(given.use_case, request.response, given.command)
        except Undelivered as failure:  # the right one may still come
            code = self._code(failure.answer, enquiry)
            return self._end(enquiry, Way(), code, stage=Stage.DELIVERY, reason=failure.reason)
        self._local.settle(given.request.request_id)
        now = self._as_it_is_now(given.request)
        if now is not None and body.fields.get("MessageSuccess") != "false":
            put = effects_of(now, self._estate)
            self.apply(Transaction(when=self._clock(), by=request.request_id, put=put))
            self._alerts.answered(now, body)
        way = Way(via=Via.GBCS, use_case=given.use_case, command=given.command, response=request.response)
        return self._end(enquiry, way, self._code(Answer.SUCCESS, enquiry), body=body)

    def _as_it_is_now(self, request: ServiceRequest) -> Enquiry | None:
        """Take a request that was let through once through the stages again; None when one refuses it now."""
        enquiry = Enquiry(request=request, device=subject_of(request), used=self._estate.rules.consult())
        if isinstance(request, SignedPreCommand):
            enquiry.original = self._delivery.pre_commands.original(request)
        for stage, check in pipeline_of(enquiry.meant):
            if stage not in _SEEN_TO_BEFORE and check(enquiry, self._estate).code is not None:
                return None
        return enquiry

    # --- what is no request --------------------------------------------------------------------------------

    def publish_cpl(self, cpl: Cpl) -> None:
        """Go by another list from now on; devices whose rows went are Suspended, those back are restored."""
        before, self._estate.cpl = self._estate.cpl, cpl
        changed = tuple(cpl_changes(self._estate, before))
        self.apply(Transaction(when=self._clock(), by=None, put=changed))
        self._estate.store.flush()

    # --- book-keeping --------------------------------------------------------------------------------------

    def store(self, record: DeviceRecord, by: RequestId | None) -> None:
        """Put a record into the SMI, and record what changed; it is safe then."""
        self.apply(Transaction(when=self._clock(), by=by, put=(record,)))
        self._estate.store.flush()

    def apply(self, transaction: Transaction) -> None:
        """Change the SMI, all of it or nothing, and record what changed."""
        store = self._estate.store
        gone = {device: record for device in transaction.delete if (record := store.get(device)) is not None}
        changes = store.apply(transaction)
        for change in changes:
            self._tap.record(
                Boundary.INVENTORY,
                "dsp",
                "smi",
                f"{change.device} {change.what}: {change.before} > {change.after}",
                change=change.plain(),
            )
        self._alerts.changed(changes, gone)

    def _judgement(self, failure: Undelivered) -> Judgement:
        found = code_for(failure.answer, self._estate.rules)
        return Judgement(code=found.code, reason=failure.reason, rules=found.rules)

    def _code(self, answer: Answer, enquiry: Enquiry) -> str:
        judgement = code_for(answer, self._estate.rules)
        enquiry.used.note(*judgement.rules)
        assert judgement.code is not None
        return judgement.code

    def _end(
        self,
        enquiry: Enquiry,
        way: Way,
        code: str,
        *,
        stage: Stage | None = None,
        reason: str = "",
        body: Body | None = None,
        cause: BaseException | None = None,
        acknowledgement: Acknowledgement | None = None,
        local: LocalCommand | None = None,
    ) -> ServiceResponse:
        self._note_route(enquiry, way, code)
        response = ServiceResponse(
            request_id=enquiry.request.request_id,
            code=code,
            via=way.via,
            body=body,
            acknowledgement=acknowledgement,
            local=local,
            ok=stage is None,
            stage=stage,
            reason=reason,
            cause=cause,
            rules=enquiry.used.rules,
        )
        request = enquiry.request
        self._tap.record(
            Boundary.DUIS,
            "dsp",
            "dsp",
            f"{request.srv} ends with {code}" + (f": {reason}" if reason else ""),
            request_id=str(request.request_id),
            code=code,
            via=way.via.value,
            stage=stage.value if stage else None,
            fields=dict(response.fields),
            stages=[judged.plain() for judged in enquiry.judged],
        )
        return response

    def _note_route(self, enquiry: Enquiry, way: Way, code: str) -> None:
        request = enquiry.request
        hub = request.hub if isinstance(request, UpdateHanDeviceLog) else None
        if hub is None and enquiry.record is not None:
            hub = enquiry.record.hub
        self._routed(
            RouteRecord(
                request_id=request.request_id,
                srv=request.srv,
                device=enquiry.device,
                hub=hub,
                via=way.via,
                use_case=way.use_case,
                command=way.command,
                response=way.response,
                code=code,
                judged=tuple(enquiry.judged),
                rules=enquiry.used.rules,
            )
        )
