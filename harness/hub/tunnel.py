"""The hub's Tunneling server, and GBCS messages inside its tunnels.

A PPMID opens a tunnel as its client; the hub PUTs a message into it and takes the device's PUT as the
answer. One message a device is outstanding at a time, which is what makes the next PUT its answer;
a PUT that comes unasked goes to `unsolicited`.
Source: ZSE 1.4 Annex D.6 (cluster 0x0704); GBCS §10.2.2 (PUT); assumption HUB-004 of the profile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from harness.errors import DecodeError, DeviceSilent, StimulusImpossible, SystemFault
from harness.eui64 import Eui64
from harness.hub.exchanges import Exchanges
from harness.hub.profile import TunnelProfile
from harness.hub.zcl_server import default_response
from harness.rig.faces import ApsMessage
from harness.zigbee import tunnel as codec
from harness.zigbee import zcl_clusters
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType, ZclStatus

Send = Callable[[ApsMessage, float], Awaitable[None]]
Unsolicited = Callable[[Eui64, bytes], None]

_SMART_ENERGY = 0x0109


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel:
    """An open tunnel. `max_incoming` is how many octets the device takes at once."""

    number: int
    eui64: Eui64
    peer: int
    endpoint: int
    own_endpoint: int
    max_incoming: int


class TunnelServer:
    """Serves the tunnels of one hub. `drops` makes it lose a tunnel whenever it is to carry something."""

    def __init__(
        self,
        profile: TunnelProfile,
        send: Send,
        exchanges: Exchanges,
        *,
        link_key_secured: bool,
        next_sequence: Callable[[], int],
        unsolicited: Unsolicited,
        drops: bool = False,
    ) -> None:
        self._profile = profile
        self._send = send
        self._exchanges = exchanges
        self._link_key_secured = link_key_secured
        self._next_sequence = next_sequence
        self._unsolicited = unsolicited
        self._drops = drops
        self._tunnels: dict[int, Tunnel] = {}
        self._locks: dict[Eui64, asyncio.Lock] = {}
        self._last = -1

    @property
    def tunnels(self) -> tuple[Tunnel, ...]:
        """The tunnels that are open."""
        return tuple(self._tunnels.values())

    def tunnel_of(self, eui64: Eui64) -> Tunnel | None:
        """Return a device's tunnel."""
        return next((entry for entry in self._tunnels.values() if entry.eui64 == eui64), None)

    def forget(self, eui64: Eui64) -> None:
        """Drop the tunnels of a device that is gone."""
        self._tunnels = {number: entry for number, entry in self._tunnels.items() if entry.eui64 != eui64}

    # --- what the device sends --------------------------------------------------------------------------

    def receive(self, message: ApsMessage, request: ZclFrame, eui64: Eui64) -> ZclFrame | None:
        """Take a command of the cluster; return the answer, if any."""
        try:
            command = zcl_clusters.parse(codec.CLUSTER, request)
        except DecodeError:
            return default_response(request, ZclStatus.MALFORMED_COMMAND)
        answer: codec.TunnelCommand | ZclStatus | None
        if isinstance(command, codec.RequestTunnel):
            answer = self._open(message, command, eui64)
        elif isinstance(command, codec.CloseTunnel):
            closed = self._tunnels.pop(command.tunnel, None)
            answer = ZclStatus.SUCCESS if closed else ZclStatus.NOT_FOUND
        elif isinstance(command, codec.TransferData):
            answer = self._take(message, command)
        elif isinstance(command, codec.TransferDataError):
            self._exchanges.answer(("gbcs", eui64), command)
            answer = None
        elif isinstance(command, codec.GetSupportedTunnelProtocols):
            answer = self._protocols(command)
        else:
            answer = ZclStatus.UNSUP_CLUSTER_COMMAND
        return _reply(request, answer)

    def _open(
        self, message: ApsMessage, request: codec.RequestTunnel, eui64: Eui64
    ) -> codec.RequestTunnelResponse:
        status = codec.TunnelStatus.SUCCESS
        wanted = (self._profile.protocol, self._profile.manufacturer)
        if (request.protocol, request.manufacturer) != wanted:
            status = codec.TunnelStatus.PROTOCOL_NOT_SUPPORTED
        elif request.flow_control:
            status = codec.TunnelStatus.FLOW_CONTROL_NOT_SUPPORTED
        if status is not codec.TunnelStatus.SUCCESS:
            return codec.RequestTunnelResponse(
                tunnel=codec.NO_TUNNEL, status=status, maximum_incoming_transfer=self._profile.max_incoming
            )
        self.forget(eui64)  # a device that asks again has lost its old tunnel
        self._last = (self._last + 1) % codec.NO_TUNNEL
        opened = Tunnel(
            number=self._last,
            eui64=eui64,
            peer=message.peer,
            endpoint=message.source_endpoint,
            own_endpoint=message.destination_endpoint,
            max_incoming=request.maximum_incoming_transfer,
        )
        self._tunnels[opened.number] = opened
        self._exchanges.answer(("tunnel", eui64), opened)
        return codec.RequestTunnelResponse(
            tunnel=opened.number, maximum_incoming_transfer=self._profile.max_incoming
        )

    def _take(
        self, message: ApsMessage, transfer: codec.TransferData
    ) -> codec.TransferDataError | codec.TransferData | None:
        entry = self._tunnels.get(transfer.tunnel)
        refusal: codec.TransferDataStatus | None = None
        if entry is None:
            refusal = codec.TransferDataStatus.NO_SUCH_TUNNEL
        elif (entry.peer, entry.endpoint) != (message.peer, message.source_endpoint):
            refusal = codec.TransferDataStatus.WRONG_DEVICE
        elif len(transfer.data) > self._profile.max_incoming:
            refusal = codec.TransferDataStatus.DATA_OVERFLOW
        if refusal is not None or entry is None:
            assert refusal is not None
            return codec.TransferDataError(tunnel=transfer.tunnel, status=refusal)
        try:
            inside = codec.HrgpMessage.from_bytes(transfer.data)
        except DecodeError:
            return None  # an empty TransferData: nothing inside to answer
        if inside.verb is codec.Verb.GET:
            nothing = codec.HrgpMessage(verb=codec.Verb.GET_RESPONSE, remaining=0)
            return codec.TransferData(tunnel=transfer.tunnel, data=nothing.to_bytes())
        if not self._exchanges.answer(("gbcs", entry.eui64), inside.message):
            self._unsolicited(entry.eui64, inside.message)
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

        Waits for the device's tunnel when it has none yet, and for a message already outstanding. Raises
        DeviceSilent, RadioUndelivered, RigFault; StimulusImpossible for a message too long for the device.
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
            entry = self.tunnel_of(eui64) or await self._wait_for_tunnel(eui64, deadline - loop.time())
            return await self._put(entry, message, deadline - loop.time())
        finally:
            lock.release()

    async def _wait_for_tunnel(self, eui64: Eui64, timeout_s: float) -> Tunnel:
        async def nothing_to_send() -> None:
            return None

        opened = await self._exchanges.ask(
            ("tunnel", eui64), nothing_to_send, what=f"{eui64} opened no tunnel", timeout_s=timeout_s
        )
        assert isinstance(opened, Tunnel)
        return opened

    async def _put(self, entry: Tunnel, message: bytes, timeout_s: float) -> bytes:
        inside = codec.HrgpMessage(verb=codec.Verb.PUT, message=message).to_bytes()
        if len(inside) > entry.max_incoming:
            raise StimulusImpossible(
                f"{entry.eui64} takes {entry.max_incoming} octets at once; the message has {len(inside)}"
            )
        if self._drops:
            await self._close(entry, timeout_s)
        transfer = codec.TransferData(tunnel=entry.number, data=inside)
        answer = await self._exchanges.ask(
            ("gbcs", entry.eui64),
            lambda: self._command(entry, transfer, timeout_s),
            what=f"GBCS message of {len(message)} octets to {entry.eui64}",
            timeout_s=timeout_s,
        )
        if isinstance(answer, codec.TransferDataError):
            raise DeviceSilent(f"{entry.eui64} refused the tunnel's data: {answer.status.name}")
        assert isinstance(answer, bytes)
        return answer

    async def _close(self, entry: Tunnel, timeout_s: float) -> None:
        self._tunnels.pop(entry.number, None)
        await self._command(entry, codec.TunnelClosureNotification(tunnel=entry.number), timeout_s)
        raise SystemFault(f"the hub closed the tunnel of {entry.eui64} instead of delivering a message")

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


def is_tunnel_command(message: ApsMessage, frame: ZclFrame) -> bool:
    """Whether a frame is a command to the Tunneling server."""
    return (
        message.cluster == codec.CLUSTER
        and frame.frame_type is ZclFrameType.CLUSTER
        and frame.direction is Direction.TO_SERVER
    )


def _reply(request: ZclFrame, answer: codec.TunnelCommand | ZclStatus | None) -> ZclFrame | None:
    if answer is None:
        return None
    if not isinstance(answer, ZclStatus):
        return codec.frame(answer, request.sequence, direction=Direction.TO_CLIENT)
    if answer is ZclStatus.SUCCESS and request.disable_default_response:
        return None
    return default_response(request, answer)
