"""The PPMID's end of a GBCS tunnel: opened on a SMETS2+ hub, kept open, and answered through.

Source: ZSE 1.4 Annex D.6 (cluster 0x0704); GBCS §10.2.2 (PUT).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from drivers.virtual.ppmid.config import FirmwareTimings
from drivers.virtual.ppmid.questions import HUB, Questions, Unanswered
from drivers.virtual.ppmid.zcl_server import default_response
from drivers.virtual.stack.faces import ApsIndication
from harness.errors import DecodeError
from harness.zigbee import tunnel, zcl_clusters
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType, ZclStatus

_Outcome = tunnel.TunnelCommand | ZclStatus


class TunnelClient:
    """One tunnel. `handle` takes a GBCS message and returns its answer; `silent` swallows the answer."""

    def __init__(
        self,
        questions: Questions,
        handle: Callable[[bytes], bytes | None],
        timings: FirmwareTimings,
        *,
        silent: bool = False,
    ) -> None:
        self._questions = questions
        self._handle = handle
        self._timings = timings
        self._silent = silent
        self._number: int | None = None
        self._gone = asyncio.Event()
        self._asking = False
        self._held: tunnel.TransferData | None = None  # came before the response that names its tunnel

    @property
    def number(self) -> int | None:
        """The tunnel's number, None while there is none."""
        return self._number

    async def keep(self) -> None:
        """Open the tunnel, and open it again whenever it is gone; runs until it is cancelled."""
        pause_s = self._timings.first_pause_s
        while True:
            self._gone.clear()
            try:
                self._number = await self._open()
            except Unanswered:
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, self._timings.longest_pause_s)
                continue
            pause_s = self._timings.first_pause_s
            try:
                await self._gone.wait()
            finally:
                self._number = None

    async def _open(self) -> int:
        endpoint = await self._questions.match(tunnel.CLUSTER)
        request = tunnel.frame(
            tunnel.RequestTunnel(), self._questions.next_sequence(), direction=Direction.TO_SERVER
        )
        self._asking, self._held = True, None
        try:
            answer = await self._questions.ask_zcl(endpoint, tunnel.CLUSTER, request, secured=True)
        finally:
            self._asking = False
        try:
            opened = zcl_clusters.parse(tunnel.CLUSTER, answer)
        except DecodeError as error:
            raise Unanswered(f"RequestTunnelResponse: {error}") from None
        is_specific = answer.frame_type is ZclFrameType.CLUSTER
        if not is_specific or not isinstance(opened, tunnel.RequestTunnelResponse):
            raise Unanswered("the hub knows no RequestTunnel")
        if opened.status is not tunnel.TunnelStatus.SUCCESS:
            raise Unanswered(f"the hub opens no tunnel: {opened.status.name}")
        return opened.tunnel

    def take(self, message: ApsIndication, frame: ZclFrame) -> ZclFrame | None:
        """Take a command of the Tunneling server and return what goes back."""
        if message.source != HUB or not message.link_key_secured:
            return default_response(message, frame, ZclStatus.NOT_AUTHORIZED)
        try:
            command = zcl_clusters.parse(tunnel.CLUSTER, frame)
        except DecodeError:
            return default_response(message, frame, ZclStatus.MALFORMED_COMMAND)
        outcome: _Outcome = ZclStatus.UNSUP_CLUSTER_COMMAND
        if isinstance(command, tunnel.TransferData) and self._asking and self._number is None:
            self._held, outcome = command, ZclStatus.SUCCESS  # one repeat on the air reverses the order
        elif isinstance(command, tunnel.TransferData):
            outcome = self._transfer(command)
        elif isinstance(command, tunnel.TransferDataError | tunnel.TunnelClosureNotification):
            if command.tunnel == self._number:
                self._gone.set()
            outcome = ZclStatus.SUCCESS
        elif isinstance(command, tunnel.RequestTunnelResponse):
            outcome = self._opened(command) if self._questions.take_zcl(message, frame) else ZclStatus.SUCCESS
        if isinstance(outcome, ZclStatus):
            return default_response(message, frame, outcome)
        return tunnel.frame(outcome, self._questions.next_sequence(), direction=Direction.TO_SERVER)

    def _opened(self, response: tunnel.RequestTunnelResponse) -> _Outcome:
        if response.status is not tunnel.TunnelStatus.SUCCESS:
            return ZclStatus.SUCCESS
        self._number = response.tunnel  # now, not when `keep` goes on: the hub may PUT at once
        held, self._held = self._held, None
        return self._transfer(held) if held is not None else ZclStatus.SUCCESS

    def _transfer(self, transfer: tunnel.TransferData) -> _Outcome:
        if transfer.tunnel != self._number:
            return tunnel.TransferDataError(
                tunnel=transfer.tunnel, status=tunnel.TransferDataStatus.NO_SUCH_TUNNEL
            )
        try:
            inside = tunnel.HrgpMessage.from_bytes(transfer.data)
        except DecodeError:
            return ZclStatus.SUCCESS  # an empty TransferData: nothing inside to answer
        if inside.verb is not tunnel.Verb.PUT:
            return ZclStatus.SUCCESS
        answer = self._handle(inside.message)
        if answer is None or self._silent:
            return ZclStatus.SUCCESS
        put = tunnel.HrgpMessage(verb=tunnel.Verb.PUT, message=answer)
        return tunnel.TransferData(tunnel=transfer.tunnel, data=put.to_bytes())
