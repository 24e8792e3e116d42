"""A service user's side of DUIS: signs what it sends, verifies what it gets, waits for what comes later.

It serves an embedded DSP, one of ours over HTTP, and somebody else's alike: what it knows of an answer is
what the documents say.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from harness.dcc.counters import Clock, utc_now
from harness.dcc.documents import Acknowledgement, ServiceResponse
from harness.dcc.duis.alerts import S1spAlert, S1spAlertDsp
from harness.dcc.duis.requests import FutureDatable, RequestId, ServiceRequest
from harness.dcc.duis.responses import (
    DccAlertMessage,
    Response,
    ResponseMessage,
    Smets1Answer,
    Smets1ResponseMessage,
)
from harness.dcc.duis.signature import sign, verify
from harness.dcc.duis.telling import request_line, response_details, response_line
from harness.dcc.duis.translation import is_acknowledgement, local_command, service_response
from harness.dcc.duis.xml.envelope import serialise
from harness.dcc.duis.xml.parser import DocumentError, parse_xml
from harness.dcc.duis.xml.request import request_tree
from harness.dcc.duis.xml.responses import read_response_tree
from harness.dcc.duis.xml_keys import XmlKeyStore, XmlSigningKey
from harness.dcc.told import told
from harness.dcc.web_services import Link, Reply, service_of
from harness.errors import SystemFault
from harness.eui64 import Eui64
from harness.gbcs import ACB
from harness.smets.rulebook import Rulebook
from harness.tap import Boundary, Tap

_MARGIN_S = 15.0  # on top of what a device may take, for the DSP's own deadline to come first


@dataclass(frozen=True, slots=True, kw_only=True)
class UserKeys:
    """The user's own key; the certificates by which the DSP's responses, and the S1SP's in them, are judged.

    Without `s1sp` an S1SP's own signature is not judged: whose it is and how it is made is not public.
    """

    own: XmlSigningKey
    dsp: XmlKeyStore
    s1sp: XmlKeyStore | None = None


class DuisUser:
    """One user of one DSP (`dsp` signs its responses). `answer_within_s` is how long a response may take."""

    def __init__(
        self,
        link: Link,
        *,
        keys: UserKeys,
        rules: Rulebook,
        tap: Tap,
        answer_within_s: float,
        dsp: Eui64 = ACB,
        clock: Clock = utc_now,
    ) -> None:
        self._link = link
        self._keys = keys
        self._rules = rules
        self._tap = tap
        self.answer_within_s = answer_within_s
        self._within_s = answer_within_s + _MARGIN_S
        self._dsp = dsp
        self._clock = clock
        self._waiting: dict[RequestId, asyncio.Future[Response]] = {}
        self._alerts: list[Response] = []

    async def send(self, request: ServiceRequest) -> ServiceResponse:
        """Send a request and return its response, the later one if it was acknowledged.

        Of one that the DSP holds for later it is the acknowledgement; the response is among `alerts` one day.
        Raises ValueError for a request that DUIS has no room for, SystemFault for a DSP that does not answer
        as it must, RigFault when nobody is there.
        """
        root = request_tree(request)
        sign(root, self._keys.own)
        document = serialise(root)
        self._record_request(request, document)
        later: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._waiting[request.request_id] = later
        try:
            reply = await self._link.post(service_of(request.command_variant), document)
            first = self._read_reply(request, reply)
            if _is_held(request) or not (request.command_variant.sends and is_acknowledgement(first)):
                return service_response(request, first, self._rules)
            return await self._later(request, first, later)
        finally:
            self._waiting.pop(request.request_id, None)

    def take(self, document: bytes) -> None:
        """Take a document that the DSP sends by itself: a response that was waited for, or an alert.

        Raises SystemFault for one that does not hold.
        """
        response = self._read(document)
        waiting = self._waiting.get(response.request_id) if response.request_id else None
        if waiting is not None and not waiting.done() and _answers(response):
            waiting.set_result(response)
        else:
            self._alerts.append(response)

    def give_up(self, request_id: RequestId, error: BaseException) -> None:
        """End the wait for a response: there will be none, for this reason."""
        waiting = self._waiting.get(request_id)
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)

    def answer_to(self, request: ServiceRequest) -> ServiceResponse | None:
        """Return the response to a request that the DSP held for later, None while there is none.

        Raises SystemFault for one that cannot be to it.
        """
        for sent in self._alerts:
            if sent.request_id == request.request_id and sent.response_id is not None:
                return service_response(request, sent, self._rules)
        return None

    @property
    def alerts(self) -> tuple[Response, ...]:
        """Everything that came and nobody waited for, in order."""
        return tuple(self._alerts)

    def forget_alerts(self) -> None:
        """Begin afresh."""
        self._alerts.clear()

    async def _later(
        self, request: ServiceRequest, first: Response, later: asyncio.Future[Response]
    ) -> ServiceResponse:
        try:
            async with asyncio.timeout(self._within_s):
                response = await later
        except TimeoutError:
            raise SystemFault(
                f"the DSP acknowledged {request.srv} {request.request_id} and did not answer it within "
                f"{self._within_s:g} s"
            ) from None
        read = service_response(request, response, self._rules)
        local = local_command(first)
        acknowledged = Acknowledgement(request_id=request.request_id, code=first.code, local=local)
        return replace(read, acknowledgement=acknowledged, local=local)

    def _read_reply(self, request: ServiceRequest, reply: Reply) -> Response:
        if not reply.is_document:
            text = reply.content[:200].decode(errors="replace")
            raise SystemFault(f"the DSP answered {request.srv} with HTTP status {reply.status}: {text}")
        response = self._read(reply.content)
        if response.request_id != request.request_id:
            raise SystemFault(f"the response to {request.request_id} is to {response.request_id}")
        return response

    def _read(self, document: bytes) -> Response:
        """Verify a document of the DSP's and read it. Raises SystemFault."""
        try:
            root = parse_xml(document)
            signer = verify(root, self._keys.dsp)
            response = read_response_tree(root)
            self._verify_s1sp(response)
        except DocumentError as error:
            self._tap.record(Boundary.DUIS, "dsp", "user", f"refused: {error}", document)
            raise SystemFault(f"a document of the DSP's does not hold: {error}") from error
        self._record_response(response, document)
        if signer.owner != self._dsp:
            raise SystemFault(f"a response is signed by {signer.owner}, not by the DSP {self._dsp}")
        return response

    def _verify_s1sp(self, response: Response) -> None:
        signed = _signed_by_s1sp(response)
        if signed is not None and self._keys.s1sp is not None:
            verify(parse_xml(signed), self._keys.s1sp)

    def _record_request(self, request: ServiceRequest, document: bytes) -> None:
        self._tap.record(
            Boundary.DUIS,
            str(request.request_id.originator),
            "dsp",
            request_line(request),
            document,
            **told(request),
        )

    def _record_response(self, response: Response, document: bytes) -> None:
        self._tap.record(
            Boundary.DUIS,
            "dsp",
            str(self._keys.own.certificate.owner),
            response_line(response),
            document,
            **response_details(response),
        )


def _is_held(request: ServiceRequest) -> bool:
    """Whether it is for a later time, and not a device that knows that time."""
    later = isinstance(request, FutureDatable) and request.execution is not None
    return later and not request.command_variant.signed_pre_command


def _answers(response: Response) -> bool:
    """Whether this is the answer to a request, not an alert about one, and not a second acknowledgement."""
    match response.body:
        case Smets1ResponseMessage(answer=Smets1Answer()):
            return True
        case DccAlertMessage(alert=S1spAlertDsp(alert=S1spAlert())):
            return True
        case _:
            return isinstance(response.body, ResponseMessage) and response.response_id is not None


def _signed_by_s1sp(response: Response) -> bytes | None:
    body = response.body
    if isinstance(body, Smets1ResponseMessage):
        return body.signed
    if isinstance(body, DccAlertMessage) and isinstance(body.alert, S1spAlertDsp):
        return body.alert.signed
    return None
