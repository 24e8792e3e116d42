"""The DSP's web services over HTTP: ``POST /api/v1/serviceS``, ``serviceD``, ``serviceT``; ``GET /health``.

A request is `application/xml`; what is answered at once is a signed response, or an HTTP status for what is
no document. Responses that come later, and alerts, are POSTed to the users' own URLs.
Source: facts gb-domain §7.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from harness.dcc.counters import Clock, utc_now
from harness.dcc.dcc_alerts import DccAlert
from harness.dcc.documents import Acknowledgement, RequestId, ServiceRequest, ServiceResponse
from harness.dcc.door import Door, DoorKeys, Handle
from harness.dcc.duis.xml.parser import LARGEST_DOCUMENT, Limits
from harness.dcc.http.outbox import Outbox, Owed
from harness.dcc.http.postman import Postman
from harness.dcc.web_services import WebService
from harness.errors import RigFault
from harness.smets.requests import Answer
from harness.smets.rulebook import Rulebook
from harness.tap import Boundary, Tap

_XML = "application/xml"
_TAKEN = ("application/xml", "text/xml")
_READ_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLimits:
    """How large a request may be, in octets, and how long it may take to arrive, in seconds."""

    octets: int = LARGEST_DOCUMENT
    read_within_s: float = _READ_WITHIN_S


@dataclass(slots=True, kw_only=True)
class _Figures:
    """What the health page shows."""

    since: float = field(default_factory=time.monotonic)
    answered: Counter[str] = field(default_factory=Counter)


class DccService:
    """One DSP's web services. `handle` is the DSP; `more` is what else the health page is to show."""

    def __init__(
        self,
        handle: Handle,
        *,
        keys: DoorKeys,
        rules: Rulebook,
        tap: Tap,
        outbox: Outbox,
        postman: Postman,
        clock: Clock = utc_now,
        limits: ServiceLimits | None = None,
        more: Callable[[], Mapping[str, object]] = dict,
    ) -> None:
        self._handle = handle
        self._rules = rules
        self._clock = clock
        self._tap = tap
        self._outbox = outbox
        self._postman = postman
        self._limits = limits or ServiceLimits()
        self._figures = _Figures()
        self._more = more
        self._door = Door(
            self._noting,
            keys=keys,
            rules=rules,
            tap=tap,
            deliver=self._deliver,
            failed=self._failed,
            clock=clock,
            limits=Limits(octets=self._limits.octets),
        )

    def application(self) -> web.Application:
        """Return the web application; it starts and stops what it needs."""
        application = web.Application(client_max_size=self._limits.octets)
        for service in WebService:
            application.router.add_post(service.path, partial(self._post, service))
        application.router.add_get("/health", self._health)
        application.on_startup.append(self._start)
        application.on_cleanup.append(self._stop)
        return application

    def tell(self, alert: DccAlert) -> None:
        """Tell an alert to those of its users who take anything."""
        document = self._door.alert(alert)
        for user in self._postman.users:
            if user in alert.to:
                self._outbox.put(user, document)
                self._postman.look(user)

    def answer(self, request: ServiceRequest, response: ServiceResponse) -> None:
        """Send the response to a request that was held for later."""
        self._door.answer(request, response)

    # --- requests -----------------------------------------------------------------------------------------

    async def _post(self, service: WebService, request: web.Request) -> web.Response:
        if request.content_type not in _TAKEN:
            return self._turned_away(request, 415, f"{request.content_type} is not taken, send {_XML}")
        try:
            async with asyncio.timeout(self._limits.read_within_s):
                document = await request.read()
        except TimeoutError:
            return self._turned_away(request, 408, "the request did not arrive in time")
        except web.HTTPRequestEntityTooLarge:
            return self._turned_away(request, 413, f"at most {self._limits.octets} octets are taken")
        return await self._answered(service, request, document)

    async def _answered(self, service: WebService, request: web.Request, document: bytes) -> web.Response:
        try:
            reply = await self._door.post(service, document)
        except _Unanswerable as unanswerable:
            return self._response(200, self._refusal(unanswerable))
        except Exception as error:  # noqa: BLE001 - one request must not end the service
            return self._turned_away(request, 500, f"the DCC is at fault: {type(error).__name__}: {error}")
        return self._response(reply.status, reply.content, document=reply.is_document)

    async def _noting(
        self, request: ServiceRequest, acknowledge: Callable[[Acknowledgement], None]
    ) -> ServiceResponse:
        """Have the DSP take a request through; that a response is owed is noted before it is acknowledged."""

        def owing(acknowledgement: Acknowledgement) -> None:
            self._outbox.owe(Owed(request_id=request.request_id, srv=request.srv))
            acknowledge(acknowledgement)

        try:
            return await self._handle(request, owing)
        except RigFault as fault:
            raise _Unanswerable(request.request_id, request.srv, str(fault)) from fault

    # --- responses that come later ------------------------------------------------------------------------

    def _deliver(self, request_id: RequestId, document: bytes) -> None:
        self._outbox.put(request_id.originator, document, answers=request_id)
        self._postman.look(request_id.originator)

    def _failed(self, request: ServiceRequest, error: BaseException) -> None:
        reason = f"the DCC is at fault: {type(error).__name__}: {error}"
        refused = _Unanswerable(request.request_id, request.srv, reason)
        self._deliver(request.request_id, self._refusal(refused))

    def _refusal(self, unanswerable: _Unanswerable) -> bytes:
        """Return the response to a request that the bench, not the device, kept from being answered."""
        request_id = unanswerable.request_id
        self._tap.record(
            Boundary.DUIS,
            "dsp",
            "dsp",
            f"{unanswerable.srv} ends: {unanswerable}",
            request_id=str(request_id),
        )
        return self._door.refusal(request_id, unanswerable.srv, Answer.NO_COMMUNICATION)

    async def _start(self, _: web.Application) -> None:
        for owed in self._outbox.owed():
            reason = "the DCC ended before the device had answered"
            self._deliver(owed.request_id, self._refusal(_Unanswerable(owed.request_id, owed.srv, reason)))
        await self._postman.start()

    async def _stop(self, _: web.Application) -> None:
        await self._door.close()
        await self._postman.stop()

    # --- what is no DUIS ----------------------------------------------------------------------------------

    async def _health(self, _: web.Request) -> web.Response:
        waiting = self._outbox.waiting()
        return web.json_response(
            {
                "status": "ok",
                "up_s": round(time.monotonic() - self._figures.since, 1),
                "answered": dict(sorted(self._figures.answered.items())),
                "owed": len(self._outbox.owed()),
                "waiting": {str(user): count for user, count in waiting.items()},
                "given_up": {
                    str(user): {"count": gone.count, "last": gone.reason}
                    for user, gone in self._outbox.given_up().items()
                },
                **self._more(),
            }
        )

    def _turned_away(self, request: web.Request, status: int, reason: str) -> web.Response:
        self._tap.record(
            Boundary.DUIS, str(request.remote), "dsp", f"{request.path} answered {status}: {reason}"
        )
        return self._response(status, reason.encode(), document=False)

    def _response(self, status: int, content: bytes, *, document: bool = True) -> web.Response:
        self._figures.answered[str(status)] += 1
        return web.Response(
            status=status, body=content, content_type=_XML if document else "text/plain", charset="utf-8"
        )


class _Unanswerable(Exception):
    """That a request ended by a fault of the bench."""

    def __init__(self, request_id: RequestId, srv: str, reason: str) -> None:
        super().__init__(reason)
        self.request_id = request_id
        self.srv = srv
