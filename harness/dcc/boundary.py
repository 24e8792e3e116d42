"""Between the service users and the DSP of one program: signed documents, by the short way or over HTTP.

What a document does not say (the stage at which a request ended, why, whose fault it was) is added from
inside the DSP, after what it does say was held against what the DSP had to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace

from harness.dcc.counters import Clock
from harness.dcc.dcc_alerts import DccAlert
from harness.dcc.documents import Acknowledgement, RequestId, ServiceRequest, ServiceResponse
from harness.dcc.door import Door, DoorKeys, Handle
from harness.dcc.duis.responses import Response
from harness.dcc.duis.translation import says_the_same
from harness.dcc.duis.xml_keys import XmlKeyStore
from harness.dcc.duis_user import DuisUser, UserKeys
from harness.dcc.http.link import http_link, inbox
from harness.dcc.http.outbox import Outbox
from harness.dcc.http.postman import Postman
from harness.dcc.http.serve import Address, serving
from harness.dcc.http.service import DccService
from harness.dcc.web_services import Switch
from harness.errors import HarnessBug
from harness.eui64 import Eui64
from harness.smets.rulebook import Rulebook
from harness.tap import NullTap, Tap


class DuisBoundary:
    """The users' sides, and the DSP's door. `tap` sees every document once, as the user's side does."""

    def __init__(
        self,
        handle: Handle,
        users: Iterable[Eui64],
        *,
        keys: XmlKeyStore,
        rules: Rulebook,
        tap: Tap,
        clock: Clock,
        answer_within_s: float,
    ) -> None:
        self._dsp = handle
        self._keys = keys
        self._rules = rules
        self._clock = clock
        self._door = Door(
            self._handle,
            keys=DoorKeys.from_store(keys),
            rules=rules,
            tap=NullTap(),
            deliver=lambda request_id, document: self._sides[request_id.originator].take(document),
            failed=lambda request, error: self._side(request).give_up(request.request_id, error),
            clock=clock,
        )
        self._way = Switch(self._door)
        self._service: DccService | None = None
        self._over_http = AsyncExitStack()
        self._faults: dict[RequestId, BaseException] = {}
        self._ended: dict[RequestId, ServiceResponse] = {}
        self._held: dict[RequestId, ServiceResponse] = {}  # for later, and answered by now
        self._sides = {
            user: DuisUser(
                self._way,
                keys=UserKeys(own=keys.signing_key(user), dsp=keys, s1sp=keys),
                rules=rules,
                tap=tap,
                answer_within_s=answer_within_s,
                clock=clock,
            )
            for user in users
        }

    async def send(self, request: ServiceRequest) -> ServiceResponse:
        """Send a request as a document, and return its response. Raises what the DSP raised."""
        try:
            response = await self._side(request).send(request)
        finally:
            fault = self._faults.pop(request.request_id, None)
        if fault is not None:
            raise fault
        known = self._ended.pop(request.request_id, None)
        if known is None:
            return response  # the DSP's door refused it
        if not says_the_same(response, known):
            raise HarnessBug(f"the document of {request.request_id} says {response}, the DSP said {known}")
        return _explained(response, known)

    def answer_to(self, request: ServiceRequest) -> ServiceResponse | None:
        """Return the response to a request that was held for later, None while there is none."""
        side = self._side(request)
        read = side.answer_to(request)
        known = self._held.get(request.request_id)
        return read if read is None or known is None else _explained(read, known)

    def tell(self, alert: DccAlert) -> None:
        """Send an alert to those whom it is for."""
        if self._service is not None:
            self._service.tell(alert)
            return
        document = self._door.alert(alert)
        for user in alert.to & self._sides.keys():
            self._sides[user].take(document)

    def answer(self, request: ServiceRequest, response: ServiceResponse) -> None:
        """Send the response to a request that was held for later."""
        self._held[request.request_id] = response
        (self._service or self._door).answer(request, response)

    @property
    def told(self) -> Mapping[Eui64, tuple[Response, ...]]:
        """What each user got that answers no request, in order."""
        return {user: side.alerts for user, side in self._sides.items()}

    def forget_alerts(self) -> None:
        """Have the users forget what they got so far."""
        self._held.clear()
        for side in self._sides.values():
            side.forget_alerts()

    async def go_over_http(self) -> str:
        """Have both sides talk over HTTP on loopback from now on, both ways; return the DSP's URL."""
        enter = self._over_http.enter_async_context
        urls = {user: await enter(inbox(side.take, Address())) for user, side in self._sides.items()}
        outbox = Outbox()
        self._over_http.callback(outbox.close)
        service = DccService(
            self._handle,
            keys=DoorKeys.from_store(self._keys),
            rules=self._rules,
            tap=NullTap(),
            outbox=outbox,
            postman=Postman(outbox, urls, NullTap()),
            clock=self._clock,
        )
        url = await enter(serving(service.application(), Address()))
        self._service = service
        self._way.to = await enter(http_link(url))
        return url

    async def close(self) -> None:
        """Give up what is under way."""
        await self._over_http.aclose()
        await self._door.close()

    def _side(self, request: ServiceRequest) -> DuisUser:
        return self._sides[request.request_id.originator]

    async def _handle(
        self, request: ServiceRequest, acknowledge: Callable[[Acknowledgement], None]
    ) -> ServiceResponse:
        try:
            response = await self._dsp(request, acknowledge)
        except Exception as fault:  # over HTTP it would be a response code, and whose fault it is be lost
            self._faults[request.request_id] = fault
            raise
        self._ended[request.request_id] = response
        return response


def _explained(read: ServiceResponse, known: ServiceResponse) -> ServiceResponse:
    """Add what the DSP knows of a response and no document says."""
    return replace(
        read,
        via=known.via,
        body=known.body,
        ok=known.ok,
        stage=known.stage,
        reason=known.reason,
        cause=known.cause,
        rules=known.rules,
        later=known.later,
    )
