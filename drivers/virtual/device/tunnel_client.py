"""A device's end of a GBCS tunnel: opened on a SMETS2+ hub, kept open, answered through and alerted through.

A device that sleeps also asks for what waits at the hub (GET), after opening and now and then.
Source: ZSE 1.4 Annex D.6 (cluster 0x0704); GBCS §10.2.2 (GET, GET-RESPONSE, PUT).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from drivers.virtual.device.questions import HUB, Questions, Unanswered
from drivers.virtual.device.timings import FirmwareTimings
from drivers.virtual.device.zcl_server import default_response
from drivers.virtual.stack.faces import ApsIndication, Delivery
from harness.errors import DecodeError
from harness.zigbee import tunnel, zcl_clusters
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType, ZclStatus

_Outcome = tunnel.TunnelCommand | ZclStatus
_MAX_INCOMING = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class TunnelHabits:
    """How a device uses its tunnel. `silent` swallows its answers, as no device should."""

    fetches: bool = False  # asks for what waits, as a sleeping device does
    flow_control: bool = False
    silent: bool = False


class TunnelClient:
    """One tunnel. `handle` takes a GBCS message and returns its answer; `spawn` runs something beside."""

    def __init__(
        self,
        questions: Questions,
        handle: Callable[[bytes], bytes | None],
        timings: FirmwareTimings,
        habits: TunnelHabits,
        spawn: Callable[[Coroutine[Any, Any, None]], object],
    ) -> None:
        self._questions = questions
        self._handle = handle
        self._timings = timings
        self._habits = habits
        self._spawn = spawn
        self._number: int | None = None
        self._endpoint = 0  # the hub's
        self._here, self._gone = asyncio.Event(), asyncio.Event()
        self._asking = False
        self._held: tunnel.TransferData | None = None  # came before the response that names its tunnel
        self._room = _MAX_INCOMING
        self._more_room = asyncio.Event()

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
                await self._stay()
            finally:
                self._number = None
                self._here.clear()

    async def _stay(self) -> None:
        if not self._habits.fetches:
            await self._gone.wait()
        while not self._gone.is_set():
            await self._send_data(tunnel.HrgpMessage(verb=tunnel.Verb.GET))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._timings.fetch_s):
                    await self._gone.wait()

    async def close(self) -> None:
        """Close the tunnel, and say so to the hub."""
        number, self._number = self._number, None
        self._here.clear()
        if number is not None:
            await self._send(tunnel.CloseTunnel(tunnel=number))

    async def put(self, message: bytes) -> bool:
        """PUT a message, when there is a tunnel; whether the hub has taken it in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timings.question_s * self._timings.question_tries):
                await self._here.wait()
        return await self._send_data(tunnel.HrgpMessage(verb=tunnel.Verb.PUT, message=message))

    async def _send_data(self, inside: tunnel.HrgpMessage) -> bool:
        data = inside.to_bytes()
        try:
            async with asyncio.timeout(self._timings.question_s * self._timings.question_tries):
                while self._habits.flow_control and self._room < len(data):
                    self._more_room.clear()
                    await self._more_room.wait()
        except TimeoutError:
            return False
        if self._number is None:
            return False
        self._room -= len(data) if self._habits.flow_control else 0
        return await self._send(tunnel.TransferData(tunnel=self._number, data=data))

    async def _send(self, command: tunnel.TunnelCommand) -> bool:
        frame = tunnel.frame(command, self._questions.next_sequence(), direction=Direction.TO_SERVER)
        sent = await self._questions.tell_zcl(self._endpoint, tunnel.CLUSTER, frame, secured=True)
        return sent is Delivery.DELIVERED

    async def _open(self) -> int:
        self._endpoint = endpoint = await self._questions.match(tunnel.CLUSTER)
        request = tunnel.frame(
            tunnel.RequestTunnel(
                flow_control=int(self._habits.flow_control), maximum_incoming_transfer=_MAX_INCOMING
            ),
            self._questions.next_sequence(),
            direction=Direction.TO_SERVER,
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
        if message.source != HUB:
            return default_response(message, frame, ZclStatus.NOT_AUTHORIZED)
        try:
            command = zcl_clusters.parse(tunnel.CLUSTER, frame)
        except DecodeError:
            return default_response(message, frame, ZclStatus.MALFORMED_COMMAND)
        outcome = self._done(message, frame, command)
        if isinstance(outcome, ZclStatus):
            return default_response(message, frame, outcome)
        return tunnel.frame(outcome, self._questions.next_sequence(), direction=Direction.TO_SERVER)

    def _done(self, message: ApsIndication, frame: ZclFrame, command: object) -> _Outcome:
        if isinstance(command, tunnel.TransferData) and self._asking and self._number is None:
            self._held = command  # one repeat on the air reverses the order
            return ZclStatus.SUCCESS
        if isinstance(command, tunnel.TransferData):
            return self._transfer(command)
        if isinstance(command, tunnel.TransferDataError | tunnel.TunnelClosureNotification):
            if command.tunnel == self._number:
                self._gone.set()
            return ZclStatus.SUCCESS
        if isinstance(command, tunnel.RequestTunnelResponse):
            return self._opened(command) if self._questions.take_zcl(message, frame) else ZclStatus.SUCCESS
        if isinstance(command, tunnel.AckTransferData | tunnel.ReadyData) and self._habits.flow_control:
            if command.tunnel == self._number:
                self._room = command.octets_left
                self._more_room.set()
            return ZclStatus.SUCCESS
        return ZclStatus.UNSUP_CLUSTER_COMMAND

    def _opened(self, response: tunnel.RequestTunnelResponse) -> _Outcome:
        if response.status is not tunnel.TunnelStatus.SUCCESS:
            return ZclStatus.SUCCESS
        self._here.set()
        self._number = response.tunnel  # now, not when `keep` goes on: the hub may PUT at once
        self._room = response.maximum_incoming_transfer
        held, self._held = self._held, None
        return self._transfer(held) if held is not None else ZclStatus.SUCCESS

    def _transfer(self, transfer: tunnel.TransferData) -> _Outcome:
        if transfer.tunnel != self._number:
            return tunnel.TransferDataError(
                tunnel=transfer.tunnel, status=tunnel.TransferDataStatus.NO_SUCH_TUNNEL
            )
        if len(transfer.data) > _MAX_INCOMING:
            return tunnel.TransferDataError(
                tunnel=transfer.tunnel, status=tunnel.TransferDataStatus.DATA_OVERFLOW
            )
        self._spawn(self._obey(transfer.data))
        if self._habits.flow_control:
            return tunnel.AckTransferData(tunnel=transfer.tunnel, octets_left=_MAX_INCOMING)
        return ZclStatus.SUCCESS

    async def _obey(self, data: bytes) -> None:
        try:
            inside = tunnel.HrgpMessage.from_bytes(data)
        except DecodeError:
            return  # an empty TransferData: nothing inside to answer
        if inside.verb not in (tunnel.Verb.PUT, tunnel.Verb.GET_RESPONSE):
            return
        nothing_waits = inside.verb is tunnel.Verb.GET_RESPONSE and not inside.message
        answer = None if nothing_waits else self._handle(inside.message)
        if answer is not None and not self._habits.silent:
            await self.put(answer)
        if inside.remaining:
            await self._send_data(tunnel.HrgpMessage(verb=tunnel.Verb.GET))


def is_for_tunnel(message: ApsIndication, frame: ZclFrame) -> bool:
    """Whether a frame is a command of the Tunneling server."""
    return (
        message.cluster == tunnel.CLUSTER
        and frame.frame_type is ZclFrameType.CLUSTER
        and frame.direction is Direction.TO_CLIENT
    )
