"""Where APS messages come in: sorted by whom they are for, refused when they need a link key and have none.

Source: ZSE §5.4.6 (what needs the link key); 05-3474-22 §2.4 (profile 0 is ZDO).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from drivers.virtual.device.key_establishment import KeyEstablishment, is_key_establishment
from drivers.virtual.device.questions import ENDPOINT, Questions, Send
from drivers.virtual.device.tasks import Spawn
from drivers.virtual.device.tunnel_client import TunnelClient, is_for_tunnel
from drivers.virtual.device.zcl_server import default_response
from drivers.virtual.stack.faces import ApsIndication, ApsRequest, DeliveryMode
from harness.errors import DecodeError
from harness.zigbee import se_security
from harness.zigbee.zcl import ZclFrame

Answer = Callable[[ApsIndication, ZclFrame], ZclFrame | None]


class Front:
    """Hands messages on and sends what goes back.

    `established` says whether a link key was established; `answer` takes what is neither key establishment's,
    the tunnel's nor the answer to a question. With `accepts_unsecured` no link key is asked for, as no device
    should.
    """

    def __init__(
        self,
        questions: Questions,
        keys: KeyEstablishment,
        tunnel: Callable[[], TunnelClient | None],
        answer: Answer,
        *,
        established: Callable[[], bool],
        send: Send,
        spawn: Spawn,
        accepts_unsecured: bool = False,
    ) -> None:
        self._questions = questions
        self._keys = keys
        self._tunnel = tunnel
        self._rest = answer
        self._established = established
        self._send = send
        self._spawn = spawn
        self._accepts_unsecured = accepts_unsecured

    def take(self, message: ApsIndication) -> None:
        """Take an APS message, and answer it when it is to be answered."""
        if message.profile == 0:
            self._questions.take_zdo(message)
            return
        if message.destination_endpoint not in (ENDPOINT, 0xFF):
            return
        try:
            frame = ZclFrame.from_bytes(message.payload)
        except DecodeError:
            return
        if self._is_unsecured(message, frame):
            message = replace(message, link_key_secured=False)
            answer = _refusal(message, frame)
        else:
            answer = self._answer(message, frame)
        if answer is not None:
            self._spawn(self._reply(message, answer))

    def _is_unsecured(self, message: ApsIndication, frame: ZclFrame) -> bool:
        return not self._accepts_unsecured and se_security.is_unsecured(
            message.profile,
            message.cluster,
            frame,
            link_key_secured=message.link_key_secured and self._established(),
            broadcast=message.mode is not DeliveryMode.UNICAST,
        )

    def _answer(self, message: ApsIndication, frame: ZclFrame) -> ZclFrame | None:
        if is_key_establishment(message, frame):
            self._keys.take(message, frame)
            return None
        if is_for_tunnel(message, frame) and (tunnel := self._tunnel()) is not None:
            return tunnel.take(message, frame)
        if self._questions.take_zcl(message, frame):
            return None
        return self._rest(message, frame)

    async def _reply(self, message: ApsIndication, answer: ZclFrame) -> None:
        await self._send(
            ApsRequest(
                destination=message.source,
                profile=message.profile,
                cluster=message.cluster,
                source_endpoint=ENDPOINT,
                destination_endpoint=message.source_endpoint,
                payload=answer.to_bytes(),
                link_key_secured=message.link_key_secured,
            )
        )


def _refusal(message: ApsIndication, frame: ZclFrame) -> ZclFrame | None:
    if not se_security.may_be_refused(frame, broadcast=message.mode is not DeliveryMode.UNICAST):
        return None
    return default_response(message, frame, se_security.REFUSAL)
