"""The hub's Tunneling server, and GBCS messages inside its tunnels.

A PPMID opens a tunnel as its client; the hub PUTs a message into it and takes the device's PUT as the
answer. One message a device is outstanding at a time, which is what makes the next PUT its answer;
an alert, and a PUT that comes unasked, go to `unsolicited`. What a sleeping device did not take waits until
the device asks for it with a GET.
Source: ZSE 1.4 Annex D.6 (cluster 0x0704); GBCS §10.2.2 (GET, GET-RESPONSE, PUT); assumption HUB-004 of the
profile.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from harness.errors import DecodeError, DeviceSilent, RadioUndelivered, StimulusImpossible
from harness.eui64 import Eui64
from harness.gbcs import Cra, parse
from harness.hub.exchanges import Exchanges
from harness.hub.profile import TunnelProfile
from harness.hub.tunnel_table import Tunnel, TunnelTable
from harness.hub.zcl_server import default_response
from harness.rig.faces import ApsMessage
from harness.zigbee import tunnel as codec
from harness.zigbee import zcl_clusters
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType, ZclStatus

Send = Callable[[ApsMessage, float], Awaitable[None]]
Unsolicited = Callable[[Eui64, bytes], None]
Delivered = Callable[[], None]
_Answer = codec.TunnelCommand | ZclStatus | None

_SMART_ENERGY = 0x0109
_CLOSE_WITHIN_S = 5.0


class TunnelServer:
    """Serves the tunnels of one hub.

    `closed` is told of each that the hub closes of its own accord, and how many seconds it was silent.
    `drops` has it do so whenever a tunnel is to carry something, as no hub should.
    """

    def __init__(
        self,
        profile: TunnelProfile,
        send: Send,
        exchanges: Exchanges,
        *,
        link_key_secured: bool,
        next_sequence: Callable[[], int],
        unsolicited: Unsolicited,
        closed: Callable[[Eui64, float], None],
        clock: Callable[[], float],
        drops: bool = False,
    ) -> None:
        self._profile = profile
        self._send = send
        self._exchanges = exchanges
        self._link_key_secured = link_key_secured
        self._next_sequence = next_sequence
        self._unsolicited = unsolicited
        self._closed = closed
        self._clock = clock
        self._drops = drops
        self._table = TunnelTable(most=profile.most_tunnels, close_after_s=profile.close_after_s)
        self._locks: dict[Eui64, asyncio.Lock] = {}
        self._sleepers: set[Eui64] = set()
        self._held: dict[Eui64, deque[bytes]] = {}

    @property
    def tunnels(self) -> tuple[Tunnel, ...]:
        """The tunnels that are open, the oldest first."""
        return self._table.all

    def tunnel_of(self, eui64: Eui64) -> Tunnel | None:
        """Return the tunnel that a device is reached by."""
        return self._table.of(eui64)

    def forget(self, eui64: Eui64) -> None:
        """Drop the tunnels of a device that is gone."""
        self._table.forget(eui64)

    def note_sleeper(self, eui64: Eui64, *, sleeps: bool) -> None:
        """Note whether a device's receiver is off when it is idle: what it does not take is held for it."""
        if sleeps:
            self._sleepers.add(eui64)
        else:
            self._sleepers.discard(eui64)

    # --- what the device sends --------------------------------------------------------------------------

    def receive(
        self, message: ApsMessage, request: ZclFrame, eui64: Eui64
    ) -> tuple[ZclFrame | None, Delivered]:
        """Take a command of the cluster; return the answer, if any, and what to call when it is delivered."""
        answer = self._answered(message, request, eui64)
        return _reply(request, answer), lambda: self._delivered(eui64, answer)

    def _answered(self, message: ApsMessage, request: ZclFrame, eui64: Eui64) -> _Answer:
        try:
            command = zcl_clusters.parse(codec.CLUSTER, request)
        except DecodeError:
            return ZclStatus.MALFORMED_COMMAND
        answer: _Answer
        if isinstance(command, codec.RequestTunnel):
            answer = self._open(message, request.sequence, command, eui64)
        elif isinstance(command, codec.GetSupportedTunnelProtocols):
            answer = self._protocols(command)
        elif isinstance(command, codec.CloseTunnel):
            found = self._mine(message, command.tunnel)
            answer = ZclStatus.SUCCESS if isinstance(found, Tunnel) else ZclStatus.NOT_FOUND
            if isinstance(found, Tunnel):
                self._table.close(found.number)
        elif isinstance(command, codec.TransferData):
            answer = self._take(message, command)
        elif isinstance(command, codec.TransferDataError):
            answer = self._refused(message, command, eui64)
        elif isinstance(command, codec.AckTransferData | codec.ReadyData):
            answer = self._room(message, command)
        else:
            answer = ZclStatus.UNSUP_CLUSTER_COMMAND
        return answer

    def _delivered(self, eui64: Eui64, answer: _Answer) -> None:
        """Go on from an answer that its device has: a tunnel is its own now, a message waits no more."""
        if isinstance(answer, codec.RequestTunnelResponse):
            entry = self._table.get(answer.tunnel)
            if entry is not None:
                self._exchanges.answer(("tunnel", eui64), entry)
        elif isinstance(answer, codec.TransferData):
            waiting = self._held.get(eui64)
            if waiting and waiting[0] == codec.HrgpMessage.from_bytes(answer.data).message:
                waiting.popleft()

    def _open(
        self, message: ApsMessage, sequence: int, request: codec.RequestTunnel, eui64: Eui64
    ) -> codec.RequestTunnelResponse:
        opened = self._table.asked_again(eui64, message.source_endpoint, sequence)
        status = self._why_not(request)
        number = opened.number if opened else None
        if status is codec.TunnelStatus.SUCCESS and number is None:
            number = self._table.free_number()
            if number is None:
                status = codec.TunnelStatus.NO_MORE_TUNNEL_IDS
        if status is not codec.TunnelStatus.SUCCESS or number is None:
            return codec.RequestTunnelResponse(
                tunnel=codec.NO_TUNNEL, status=status, maximum_incoming_transfer=self._profile.max_incoming
            )
        entry = Tunnel(
            number=number,
            eui64=eui64,
            peer=message.peer,
            endpoint=message.source_endpoint,
            own_endpoint=message.destination_endpoint,
            max_incoming=request.maximum_incoming_transfer,
            flow_control=bool(request.flow_control),
            asked_by=sequence,
            used_at=self._clock(),
            room=request.maximum_incoming_transfer,
        )
        self._table.add(entry)
        return codec.RequestTunnelResponse(
            tunnel=number, maximum_incoming_transfer=self._profile.max_incoming
        )

    def _why_not(self, request: codec.RequestTunnel) -> codec.TunnelStatus:
        wanted = (self._profile.protocol, self._profile.manufacturer)
        if (request.protocol, request.manufacturer) != wanted:
            return codec.TunnelStatus.PROTOCOL_NOT_SUPPORTED
        if request.flow_control and not self._profile.flow_control:
            return codec.TunnelStatus.FLOW_CONTROL_NOT_SUPPORTED
        return codec.TunnelStatus.SUCCESS

    def _mine(self, message: ApsMessage, number: int) -> Tunnel | codec.TransferDataStatus:
        """Return a tunnel by its number when it is the sender's, else what is wrong with that."""
        entry = self._table.get(number)
        if entry is None:
            return codec.TransferDataStatus.NO_SUCH_TUNNEL
        if not entry.is_of(message.peer, message.source_endpoint):
            return codec.TransferDataStatus.WRONG_DEVICE
        entry.used_at = self._clock()
        return entry

    def _take(self, message: ApsMessage, transfer: codec.TransferData) -> _Answer:
        entry = self._mine(message, transfer.tunnel)
        if isinstance(entry, Tunnel) and len(transfer.data) > self._profile.max_incoming:
            return codec.TransferDataError(
                tunnel=transfer.tunnel, status=codec.TransferDataStatus.DATA_OVERFLOW
            )
        if not isinstance(entry, Tunnel):
            return codec.TransferDataError(tunnel=transfer.tunnel, status=entry)
        taken: _Answer = None
        if entry.flow_control:
            taken = codec.AckTransferData(tunnel=entry.number, octets_left=self._profile.max_incoming)
        try:
            inside = codec.HrgpMessage.from_bytes(transfer.data)
        except DecodeError:
            return taken  # an empty TransferData: nothing inside to answer
        if inside.verb is codec.Verb.GET:
            return codec.TransferData(tunnel=transfer.tunnel, data=self._fetched(entry.eui64).to_bytes())
        if inside.verb is codec.Verb.PUT:
            self._put_by_device(entry.eui64, inside.message)
        return taken

    def _put_by_device(self, eui64: Eui64, message: bytes) -> None:
        if _is_alert(message) or not self._exchanges.answer(("gbcs", eui64), message):
            self._unsolicited(eui64, message)

    def _fetched(self, eui64: Eui64) -> codec.HrgpMessage:
        """Return the answer to a GET: the message that has waited longest, and how many more wait."""
        waiting = self._held.get(eui64) or (b"",)
        return codec.HrgpMessage(verb=codec.Verb.GET_RESPONSE, remaining=len(waiting) - 1, message=waiting[0])

    def _refused(self, message: ApsMessage, command: codec.TransferDataError, eui64: Eui64) -> _Answer:
        entry = self._mine(message, command.tunnel)
        if isinstance(entry, Tunnel) and command.status is codec.TransferDataStatus.NO_SUCH_TUNNEL:
            self._table.close(entry.number)
        self._exchanges.answer(("gbcs", eui64), command)
        return None

    def _room(self, message: ApsMessage, told: codec.AckTransferData | codec.ReadyData) -> _Answer:
        entry = self._mine(message, told.tunnel)
        if not isinstance(entry, Tunnel):
            return codec.TransferDataError(tunnel=told.tunnel, status=entry)
        if not entry.flow_control:
            return ZclStatus.UNSUP_CLUSTER_COMMAND
        entry.room = told.octets_left
        self._exchanges.answer(("room", entry.number), told)
        return None

    def _protocols(
        self, request: codec.GetSupportedTunnelProtocols
    ) -> codec.SupportedTunnelProtocolsResponse:
        served = codec.SupportedProtocol(
            manufacturer=self._profile.manufacturer, protocol=codec.TunnelProtocol(self._profile.protocol)
        )
        return codec.SupportedTunnelProtocolsResponse(protocols=() if request.offset else (served,))

    # --- what the hub sends -----------------------------------------------------------------------------

    async def exchange(self, eui64: Eui64, message: bytes, *, timeout_s: float) -> bytes:
        """PUT a GBCS message into a device's tunnel and return the one it answers with.

        Waits for the device's tunnel when it has none or has lost it, and for a message already outstanding.
        Raises DeviceSilent, RadioUndelivered, RigFault; StimulusImpossible for one too long for the device.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        lock = self._locks.setdefault(eui64, asyncio.Lock())
        try:
            async with asyncio.timeout_at(deadline):
                await lock.acquire()
        except TimeoutError:
            raise DeviceSilent(f"{eui64} still owes the answer to an earlier message") from None
        try:
            while True:
                entry = self.tunnel_of(eui64) or await self._wait_for_tunnel(eui64, deadline - loop.time())
                answer = await self._put(entry, message, deadline - loop.time())
                if isinstance(answer, bytes):
                    return answer
                if answer.status is not codec.TransferDataStatus.NO_SUCH_TUNNEL:
                    raise DeviceSilent(f"{eui64} refused the tunnel's data: {answer.status.name}")
        finally:
            lock.release()

    async def _wait_for_tunnel(self, eui64: Eui64, timeout_s: float) -> Tunnel:
        opened = await self._exchanges.ask(
            ("tunnel", eui64), _nothing, what=f"{eui64} opened no tunnel", timeout_s=timeout_s
        )
        assert isinstance(opened, Tunnel)
        return opened

    async def _put(self, entry: Tunnel, message: bytes, timeout_s: float) -> bytes | codec.TransferDataError:
        inside = codec.HrgpMessage(verb=codec.Verb.PUT, message=message).to_bytes()
        if len(inside) > entry.max_incoming:
            raise StimulusImpossible(
                f"{entry.eui64} takes {entry.max_incoming} octets at once; the message has {len(inside)}"
            )
        if self._drops:
            await self._close(entry, timeout_s)
            return codec.TransferDataError(
                tunnel=entry.number, status=codec.TransferDataStatus.NO_SUCH_TUNNEL
            )
        with self._holding(entry.eui64) as held:
            answer = await self._exchanges.ask(
                ("gbcs", entry.eui64),
                lambda: self._transfer(entry, inside, held, timeout_s),
                what=f"GBCS message of {len(message)} octets to {entry.eui64}",
                timeout_s=timeout_s,
            )
        assert isinstance(answer, bytes | codec.TransferDataError)
        return answer

    async def _transfer(self, entry: Tunnel, inside: bytes, held: deque[bytes], timeout_s: float) -> None:
        while entry.flow_control and entry.room < len(inside):
            await self._exchanges.ask(
                ("room", entry.number), _nothing, what=f"{entry.eui64} has no room", timeout_s=timeout_s
            )
        entry.room -= len(inside) if entry.flow_control else 0
        entry.used_at = self._clock()
        try:
            await self._command(entry, codec.TransferData(tunnel=entry.number, data=inside), timeout_s)
        except RadioUndelivered:
            if entry.eui64 not in self._sleepers:
                raise
            held.append(inside[1:])  # without the PUT: until it asks for it

    @contextmanager
    def _holding(self, eui64: Eui64) -> Iterator[deque[bytes]]:
        """Give what may wait for a device's GET while a message is outstanding, and no longer."""
        held = self._held[eui64] = deque()
        try:
            yield held
        finally:
            del self._held[eui64]

    async def close_idle(self) -> None:
        """Close the tunnels that have been silent for too long, and say so to their devices."""
        for entry in self._table.overdue(self._clock()):
            await self._close(entry, _CLOSE_WITHIN_S)

    def next_deadline(self) -> float | None:
        """Return when `close_idle` is due next, by the clock."""
        return self._table.next_deadline()

    async def _close(self, entry: Tunnel, timeout_s: float) -> None:
        self._table.close(entry.number)
        self._closed(entry.eui64, self._clock() - entry.used_at)
        await self._command(entry, codec.TunnelClosureNotification(tunnel=entry.number), timeout_s)

    async def _command(self, entry: Tunnel, command: codec.TunnelCommand, timeout_s: float) -> None:
        frame = codec.frame(command, self._next_sequence(), direction=Direction.TO_CLIENT)
        await self._send(
            ApsMessage(
                peer=entry.peer,
                peer_eui64=entry.eui64,
                profile=_SMART_ENERGY,
                cluster=codec.CLUSTER,
                source_endpoint=entry.own_endpoint,
                destination_endpoint=entry.endpoint,
                payload=frame.to_bytes(),
                link_key_secured=self._link_key_secured,
            ),
            timeout_s,
        )


async def _nothing() -> None:
    """Send nothing: the answer comes of itself."""


def _is_alert(message: bytes) -> bool:
    try:
        return parse(message).cra is Cra.ALERT
    except DecodeError:
        return False


def is_tunnel_command(message: ApsMessage, frame: ZclFrame) -> bool:
    """Whether a frame is a command to the Tunneling server."""
    return (
        message.cluster == codec.CLUSTER
        and frame.frame_type is ZclFrameType.CLUSTER
        and frame.direction is Direction.TO_SERVER
    )


def _reply(request: ZclFrame, answer: _Answer) -> ZclFrame | None:
    if answer is None:
        return None
    if not isinstance(answer, ZclStatus):
        return codec.frame(answer, request.sequence, direction=Direction.TO_CLIENT)
    if answer is ZclStatus.SUCCESS and request.disable_default_response:
        return None
    return default_response(request, answer)
