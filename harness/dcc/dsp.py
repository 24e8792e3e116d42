"""The Data Service Provider: takes a service request through its stages, carries it out, and answers.

known request → device known → status → CPL → versioning (at whitelisting) → route → delivery. The stages are
`harness.dcc.stages`; here is what follows when they let a request through.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.dcc.counters import Clock, utc_now
from harness.dcc.defects import DccDefect
from harness.dcc.delivery import Delivery, Undelivered, Way
from harness.dcc.documents import (
    Acknowledgement,
    Body,
    InventoryResponse,
    LogAction,
    Prenotify,
    ReadInventory,
    RequestId,
    ServiceRequest,
    ServiceResponse,
    Stage,
    UpdateHanDeviceLog,
    Via,
)
from harness.dcc.inventory import Transaction, inventory_record
from harness.dcc.routes import RouteRecord
from harness.dcc.stages import PIPELINES, Enquiry, Estate
from harness.dcc.suspension import cpl_changes
from harness.errors import HarnessBug, RigFault
from harness.eui64 import Eui64
from harness.smets.cpl import Cpl
from harness.smets.requests import Answer, code_for
from harness.smets.routing import GbcsRoute
from harness.smets.smi import DeviceRecord
from harness.smets.version import read_version
from harness.tap import Boundary, Tap


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
    ) -> None:
        self._estate = estate
        self._delivery = delivery
        self._tap = tap
        self._clock = clock
        self._routed = routed
        self._locks: dict[Eui64, asyncio.Lock] = {}

    async def handle(self, request: ServiceRequest) -> ServiceResponse:
        """Take a request through; a refusal is a response. Raises RigFault when the rig is at fault."""
        if type(request) not in PIPELINES:
            raise HarnessBug(f"the DSP has no stages for a {type(request).__name__}")
        device = _device(request)
        self._tap.record(
            Boundary.DUIS,
            str(request.request_id.originator),
            "dsp",
            f"request {request.srv} about {device}",
            **_told(request),
        )
        async with self._locks.setdefault(device, asyncio.Lock()):
            response = await self._handled(request, device)
        await self._estate.store.durable()
        self._tap.record(
            Boundary.DUIS,
            "dsp",
            str(request.request_id.originator),
            f"response {response.code} to {request.srv}"
            + (f": {response.reason}" if response.reason else ""),
            request_id=str(response.request_id),
            code=response.code,
            via=response.via.value,
            stage=response.stage.value if response.stage else None,
            fields=dict(response.fields),
        )
        return response

    async def _handled(self, request: ServiceRequest, device: Eui64) -> ServiceResponse:
        enquiry = Enquiry(request=request, device=device, used=self._estate.rules.consult())
        for stage, check in PIPELINES[type(request)]:
            judgement = check(enquiry, self._estate)
            enquiry.used.note(*judgement.rules)
            if judgement.code is not None:
                return self._end(enquiry, Way(), judgement.code, stage=stage, reason=judgement.reason)
            enquiry.passed.append(stage)
        if isinstance(request, Prenotify):
            return self._prenotify(enquiry, request)
        if isinstance(request, ReadInventory):
            return self._read_inventory(enquiry)
        return await self._send_out(enquiry)

    # --- requests to the DSP itself ----------------------------------------------------------------------

    def _prenotify(self, enquiry: Enquiry, request: Prenotify) -> ServiceResponse:
        notice = request.prenotification
        assert enquiry.transition is not None
        assert enquiry.transition.status is not None
        family = read_version(notice.version, self._estate.rules).family
        row = self._estate.cpl.find(notice.device_model, family) if family else None
        record = DeviceRecord(
            device=notice.device,
            model=notice.device_model,
            status=enquiry.transition.status,
            version=notice.version or "",
            family=family,
            notified_as=family,
            gbcs_version=row.gbcs_version if row else "",
        )
        self.store(record, request.request_id)
        return self._end(enquiry, Way(), self._code(Answer.ACCEPTED, enquiry))

    def _read_inventory(self, enquiry: Enquiry) -> ServiceResponse:
        record = enquiry.known
        if DccDefect.STALE_INVENTORY in self._estate.defects:
            record = self._estate.store.first(record.device) or record
        shown = inventory_record(record, self._estate.cpl, self._estate.rules)
        body = InventoryResponse(records=(shown,))
        return self._end(enquiry, Way(), self._code(Answer.SUCCESS, enquiry), body=body)

    # --- requests that leave the DSP -----------------------------------------------------------------------

    async def _send_out(self, enquiry: Enquiry) -> ServiceResponse:
        request = enquiry.request
        acknowledgement = Acknowledgement(
            request_id=request.request_id, code=self._code(Answer.ACCEPTED, enquiry)
        )
        self._tap.record(
            Boundary.DUIS,
            "dsp",
            str(request.request_id.originator),
            f"acknowledgement {acknowledgement.code} of {request.srv}",
            request_id=str(request.request_id),
            code=acknowledgement.code,
        )
        way = Way(via=Via.GBCS if isinstance(enquiry.route, GbcsRoute) else Via.S1SP)
        try:
            body, success = await self._delivery.deliver(enquiry, way)
        except Undelivered as failure:
            code = self._code(failure.answer, enquiry)
            return self._end(
                enquiry,
                way,
                code,
                stage=Stage.DELIVERY,
                reason=failure.reason,
                cause=failure.__cause__,
                acknowledgement=acknowledgement,
            )
        except RigFault:
            self._note_route(enquiry, way, "")
            raise
        enquiry.passed.append(Stage.DELIVERY)
        if not success:
            return self._end(
                enquiry,
                way,
                self._code(Answer.DEVICE_FAILED, enquiry),
                stage=Stage.DELIVERY,
                reason="the device says that it failed",
                body=body,
                acknowledgement=acknowledgement,
            )
        if isinstance(request, UpdateHanDeviceLog):
            self._store_log_update(enquiry, request)
        code = self._code(Answer.SUCCESS, enquiry)
        return self._end(enquiry, way, code, body=body, acknowledgement=acknowledgement)

    def _store_log_update(self, enquiry: Enquiry, request: UpdateHanDeviceLog) -> None:
        assert enquiry.transition is not None
        assert enquiry.transition.status is not None
        record = enquiry.versioning.record if enquiry.versioning else enquiry.known
        hub = request.hub if request.action is LogAction.ADD else None
        self.store(replace(record, status=enquiry.transition.status, hub=hub), request.request_id)

    # --- what is no request ------------------------------------------------------------------------------

    def publish_cpl(self, cpl: Cpl) -> None:
        """Go by another list from now on; devices whose rows went are Suspended, those back are restored."""
        self._estate.cpl = cpl
        self.apply(Transaction(when=self._clock(), by=None, put=tuple(cpl_changes(self._estate))))
        self._estate.store.flush()

    # --- book-keeping --------------------------------------------------------------------------------------

    def store(self, record: DeviceRecord, by: RequestId | None) -> None:
        """Put a record into the SMI, and record what changed."""
        self.apply(Transaction(when=self._clock(), by=by, put=(record,)))

    def apply(self, transaction: Transaction) -> None:
        """Change the SMI, all of it or nothing, and record what changed."""
        for change in self._estate.store.apply(transaction):
            self._tap.record(
                Boundary.INVENTORY,
                "dsp",
                "smi",
                f"{change.device} {change.what}: {change.before} > {change.after}",
                change=change.plain(),
            )

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
    ) -> ServiceResponse:
        self._note_route(enquiry, way, code)
        return ServiceResponse(
            request_id=enquiry.request.request_id,
            code=code,
            via=way.via,
            body=body,
            acknowledgement=acknowledgement,
            ok=stage is None,
            stage=stage,
            reason=reason,
            cause=cause,
            rules=enquiry.used.rules,
        )

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
                passed=tuple(enquiry.passed),
                rules=enquiry.used.rules,
            )
        )


def _device(request: ServiceRequest) -> Eui64:
    if isinstance(request, Prenotify):
        return request.prenotification.device
    if isinstance(request, ReadInventory | UpdateHanDeviceLog):
        return request.device
    return request.request_id.target


def _told(request: ServiceRequest) -> dict[str, Any]:
    """Return a request as json has it, without the install code."""
    told: dict[str, Any] = {"request_id": str(request.request_id), "srv": request.srv}
    if isinstance(request, Prenotify):
        notice = request.prenotification
        told |= {
            "device_type": notice.device_type.value,
            "manufacturer": notice.manufacturer,
            "model": notice.model,
            "firmware": notice.firmware,
            "version": notice.version,
        }
    if isinstance(request, UpdateHanDeviceLog):
        told |= {"action": request.action.value, "join_time_s": request.join_time_s}
    return told
