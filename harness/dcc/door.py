"""The DSP's door: signed documents in, signed documents out.

well-formed → signed by its sender → for this web service → the DSP's stages. A document that is none is
answered with an HTTP status; one of which the request id can be read is answered with a response code. A
request that goes to a device is acknowledged at once, and its response is handed to `deliver` when there is
one. The embedded DCC and the HTTP service have the same door.
Source: facts gb-domain §6, §7.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from lxml import etree

from harness.dcc.counters import Clock, utc_now
from harness.dcc.dcc_alerts import DccAlert
from harness.dcc.documents import Acknowledgement, ServiceResponse
from harness.dcc.duis.alerts import S1spAlert
from harness.dcc.duis.requests import RequestId, ServiceRequest
from harness.dcc.duis.responses import DccAlertMessage, Response, Smets1Answer
from harness.dcc.duis.signature import sign, verify
from harness.dcc.duis.telling import request_line, response_details, response_line
from harness.dcc.duis.translation import Pen, acknowledgement_document, refusal_document, response_document
from harness.dcc.duis.xml.envelope import serialise
from harness.dcc.duis.xml.parser import DEFAULT_LIMITS, DocumentError, Flaw, Limits, parse_xml
from harness.dcc.duis.xml.request import read_request_tree, request_id_of, srv_of
from harness.dcc.duis.xml.responses import response_tree
from harness.dcc.duis.xml.smets1 import alert_tree, answer_tree
from harness.dcc.duis.xml_keys import BenchXmlKeys, XmlKeyNotFound, XmlKeyStore, XmlSigningKey
from harness.dcc.told import told
from harness.dcc.web_services import Reply, WebService, service_of
from harness.errors import ConfigError
from harness.eui64 import Eui64
from harness.gbcs import ACB
from harness.smets.requests import Answer, code_for
from harness.smets.rulebook import Rulebook
from harness.tap import Boundary, Tap

S1SP_PARTY = Eui64.parse("50-50-4D-49-44-53-31-53")
"""The bench's own S1SP: who signs SMETS1 responses, and with what, no public text says."""
_S1SP_ALERT = "ALERT-S1SP"
_SUCCESS = "I0"
_SHOWN = 4096  # of what is no document, so much is recorded


class Handle(Protocol):
    """A DSP: `acknowledge` is called when a request is safe, before it leaves for a device."""

    def __call__(
        self, request: ServiceRequest, acknowledge: Callable[[Acknowledgement], None]
    ) -> Awaitable[ServiceResponse]:
        """Take a request through."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorKeys:
    """Everybody's certificates; the DSP's own key, and the S1SP's."""

    everybody: XmlKeyStore
    dsp: XmlSigningKey
    s1sp: XmlSigningKey

    @classmethod
    def from_store(cls, keys: XmlKeyStore, dsp: Eui64 = ACB) -> DoorKeys:
        """Take the DSP's key from a store, and the S1SP's if it is there: else it has one of the bench's own.

        Raises ConfigError: a DSP without a key cannot sign.
        """
        try:
            s1sp = keys.signing_key(S1SP_PARTY)
        except XmlKeyNotFound:
            s1sp = BenchXmlKeys("s1sp").signing_key(S1SP_PARTY)
        try:
            return cls(everybody=keys, dsp=keys.signing_key(dsp), s1sp=s1sp)
        except XmlKeyNotFound:
            raise ConfigError(
                f"the DSP has no XML-signing key: none of {dsp} is among those given",
                remedy="put its certificate and private key with the others (docs/serve-a-dcc.md)",
            ) from None


class Door:
    """One DSP's door.

    `deliver` takes the responses to acknowledged requests, and `failed` what kept one from having any: an
    exception that is no response, such as RigFault. Both are called from the loop and must not wait.
    """

    def __init__(
        self,
        handle: Handle,
        *,
        keys: DoorKeys,
        rules: Rulebook,
        tap: Tap,
        deliver: Callable[[RequestId, bytes], None],
        failed: Callable[[ServiceRequest, BaseException], None],
        clock: Clock = utc_now,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._handle = handle
        self._keys = keys
        self._rules = rules
        self._tap = tap
        self._deliver = deliver
        self._failed = failed
        self._clock = clock
        self._limits = limits
        self._pen = Pen(
            clock=clock, sign=self._signed_by_s1sp, alert_code=rules.rule(_S1SP_ALERT).text("code")
        )
        self._under_way: set[asyncio.Task[ServiceResponse]] = set()

    async def post(self, service: WebService, document: bytes) -> Reply:
        """Take a document in and return what is answered at once.

        Raises what the DSP raises, such as RigFault, when it does so before the request was acknowledged.
        """
        try:
            request = self._take_in(service, document)
        except _Refused as refused:
            return refused.reply
        acknowledged: asyncio.Future[Acknowledgement] = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(self._handle(request, acknowledged.set_result))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        either: set[asyncio.Future[Any]] = {task, acknowledged}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # its sender went away: the request takes its course all the same
            task.add_done_callback(partial(self._ended, request))
            raise
        if not acknowledged.done():
            return Reply(status=200, content=self._document(request, await task))
        task.add_done_callback(partial(self._ended, request))
        content = acknowledgement_document(acknowledged.result(), request.srv, self._clock())
        return Reply(status=200, content=self._signed(content))

    def alert(self, alert: DccAlert) -> bytes:
        """Return an alert signed, the same for all whom it is for."""
        body = DccAlertMessage(code=alert.code, alert=alert.body)
        return self._signed(Response(code=_SUCCESS, when=self._clock(), body=body))

    def refusal(self, request_id: RequestId, srv: str, answer: Answer) -> bytes:
        """Return a signed response of this meaning, without more."""
        code = code_for(answer, self._rules).code
        assert code is not None
        return self._signed(refusal_document(request_id, code, srv, self._clock()))

    async def close(self) -> None:
        """Give up what is under way."""
        for task in tuple(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    # --- in --------------------------------------------------------------------------------------------

    def _take_in(self, service: WebService, document: bytes) -> ServiceRequest:
        try:
            root = parse_xml(document, self._limits)
        except DocumentError as error:
            raise self._turned_away(error, document) from error
        try:
            request = read_request_tree(root)
        except DocumentError as error:
            raise self._refused(root, error, Answer.MALFORMED, document) from error
        self._tap.record(
            Boundary.DUIS,
            str(request.request_id.originator),
            "dsp",
            request_line(request),
            document,
            **told(request),
        )
        try:
            signer = verify(root, self._keys.everybody)
        except DocumentError as error:
            raise self._refused(root, error, Answer.SIGNATURE) from error
        if signer.owner != request.request_id.originator:
            reason = f"signed by {signer.owner}, but its sender is {request.request_id.originator}"
            raise self._refused(root, DocumentError(Flaw.SIGNATURE, reason), Answer.SIGNATURE)
        if not service.takes(request.command_variant):
            right = service_of(request.command_variant).value
            reason = f"command variant {request.command_variant.value} goes to {right}, not {service.value}"
            raise self._refused(root, DocumentError(Flaw.SCHEMA, reason), Answer.WEB_SERVICE)
        return request

    def _turned_away(self, error: DocumentError, document: bytes) -> _Refused:
        """Return the refusal of what is no document at all."""
        self._tap.record(
            Boundary.DUIS,
            "somebody",
            "dsp",
            f"turned away: {error}",
            document[:_SHOWN],
            flaw=error.flaw.value,
        )
        status = 413 if error.flaw is Flaw.TOO_LARGE else 400
        return _Refused(Reply(status=status, content=str(error).encode()))

    def _refused(
        self, root: etree._Element, error: DocumentError, answer: Answer, document: bytes = b""
    ) -> _Refused:
        """Return the refusal of a request: a response if its id and service reference can be read."""
        request_id, srv = request_id_of(root), srv_of(root)
        if request_id is None or srv is None:
            return self._turned_away(error, document)
        self._tap.record(
            Boundary.DUIS,
            str(request_id.originator),
            "dsp",
            f"request {srv} refused: {error}",
            document,
            request_id=str(request_id),
            flaw=error.flaw.value,
        )
        return _Refused(Reply(status=200, content=self.refusal(request_id, srv, answer)))

    # --- out -------------------------------------------------------------------------------------------

    def _ended(self, request: ServiceRequest, task: asyncio.Task[ServiceResponse]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._failed(request, error)
            return
        self._deliver(request.request_id, self._document(request, task.result()))

    def answer(self, request: ServiceRequest, response: ServiceResponse) -> None:
        """Hand the response to a request that was held to `deliver`."""
        self._deliver(request.request_id, self._document(request, response))

    def _document(self, request: ServiceRequest, response: ServiceResponse) -> bytes:
        if response.later:
            accepted = Acknowledgement(request_id=request.request_id, code=response.code)
            return self._signed(acknowledgement_document(accepted, request.srv, self._clock()))
        return self._signed(response_document(request, response, self._pen))

    def _signed(self, response: Response) -> bytes:
        root = response_tree(response)
        sign(root, self._keys.dsp)
        document = serialise(root)
        receiver = str(response.request_id.originator) if response.request_id else "user"
        self._tap.record(
            Boundary.DUIS,
            "dsp",
            receiver,
            response_line(response),
            document,
            **response_details(response),
        )
        return document

    def _signed_by_s1sp(self, said: Smets1Answer | S1spAlert) -> bytes:
        root = alert_tree(said) if isinstance(said, S1spAlert) else answer_tree(said)
        sign(root, self._keys.s1sp)
        return serialise(root)


class _Refused(Exception):
    """A document that went no further than the door."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply
