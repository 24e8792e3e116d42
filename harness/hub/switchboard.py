"""A hub's side of every APS message: who answers it, and who waits for it.

Incoming messages go to whoever asked for them, else to the Tunneling server or the plain ZCL servers;
the hub's own questions (Match_Desc, Read Attributes, GBCS in a tunnel) start here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace

from harness.errors import BenchError, DecodeError, StimulusImpossible
from harness.eui64 import Eui64
from harness.hub.device_log import DeviceLog, DeviceLogEntry
from harness.hub.exchanges import Exchanges
from harness.hub.finder import Finder
from harness.hub.profile import HubProfile
from harness.hub.tunnel import TunnelServer, Unsolicited, is_tunnel_command
from harness.hub.zcl_client import ZclClient
from harness.hub.zcl_server import ZclServer
from harness.rig.faces import ApsMessage
from harness.zigbee import zdo
from harness.zigbee.zcl import ZclFrame
from harness.zigbee.zcl_general import ReadRecord

_LOG = logging.getLogger(__name__)
_REPLY_S = 10.0

Send = Callable[[ApsMessage, float], Awaitable[None]]


class Switchboard:
    """Connects a hub's servers and clients with its radio.

    `suites` is the key-establishment bitmap to show; `announced` is told of each Device_annce; `drops` makes
    the tunnel server defective.
    """

    def __init__(
        self,
        name: str,
        profile: HubProfile,
        log: DeviceLog,
        send: Send,
        *,
        suites: int,
        drops: bool,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        unsolicited: Unsolicited,
        announced: Callable[[Eui64, int], None],
    ) -> None:
        self._name = name
        self._profile = profile
        self._log = log
        self._send = send
        self._wall_clock = wall_clock
        self._announced = announced
        self.exchanges = Exchanges()
        self._finder = Finder(send, self.exchanges)
        self._client = ZclClient(send, self.exchanges)
        self._server = ZclServer(profile, suites=suites, wall_clock=wall_clock)
        self._tunnel: TunnelServer | None = None
        if profile.tunnel is not None:
            self._tunnel = TunnelServer(
                profile.tunnel,
                send,
                self.exchanges,
                link_key_secured=profile.link_key_secured,
                next_sequence=self._client.next_sequence,
                unsolicited=unsolicited,
                clock=clock,
                drops=drops,
            )
        self._tasks: set[asyncio.Task[None]] = set()

    # --- questions ----------------------------------------------------------------------------------------

    def has_tunnel(self, eui64: Eui64) -> bool:
        """Whether a device has a tunnel open."""
        return self._tunnel is not None and self._tunnel.tunnel_of(eui64) is not None

    def tunnels(self) -> TunnelServer:
        """Return the tunnel server; StimulusImpossible on a hub that has none."""
        if self._tunnel is None:
            raise StimulusImpossible(
                f"hub {self._name} is a {self._profile.generation} hub without a tunnel: it carries no GBCS"
            )
        return self._tunnel

    async def read_attributes(
        self,
        entry: DeviceLogEntry,
        cluster: int,
        attributes: Iterable[int],
        *,
        client_side: bool,
        timeout_s: float,
    ) -> Mapping[int, ReadRecord]:
        """Find the endpoint, read the attributes."""
        assert entry.short_address is not None
        own = self._profile.endpoint_of(cluster) if client_side else self._profile.client_endpoint_of(cluster)
        own = own or self._profile.endpoints[0]
        endpoint = await self._finder.endpoint(
            entry.eui64,
            entry.short_address,
            profile=own.profile,
            cluster=cluster,
            client_side=client_side,
            timeout_s=timeout_s,
        )
        to = ApsMessage(
            peer=entry.short_address,
            peer_eui64=entry.eui64,
            profile=own.profile,
            cluster=cluster,
            source_endpoint=own.number,
            destination_endpoint=endpoint,
            payload=b"",
            link_key_secured=self._profile.link_key_secured,
        )
        return await self._client.read_attributes(
            to, tuple(attributes), client_side=client_side, timeout_s=timeout_s
        )

    # --- housekeeping -------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Do what is due: close the tunnels that have been silent for too long."""
        due = self.next_deadline()
        if self._tunnel is not None and due is not None and due <= now:
            self.spawn(self._tunnel.close_idle, "tunnel closing")

    def next_deadline(self) -> float | None:
        """Return when `tick` is due next."""
        return self._tunnel.next_deadline() if self._tunnel is not None else None

    # --- incoming -----------------------------------------------------------------------------------------

    def message(self, message: ApsMessage) -> None:
        """Take an APS message."""
        self._log.heard(message.peer, at=self._wall_clock())
        if message.profile == 0:
            self._zdo(message)
            return
        try:
            frame = ZclFrame.from_bytes(message.payload)
        except DecodeError as error:
            _LOG.warning("hub %s: 0x%04X sent what is no ZCL frame: %s", self._name, message.peer, error)
            return
        if self._client.response(message, frame):
            return
        answer = self._serve(message, frame)
        if answer is not None:
            reply = replace(
                message,
                source_endpoint=message.destination_endpoint,
                destination_endpoint=message.source_endpoint,
                payload=answer.to_bytes(),
            )
            self.spawn(lambda: self._reply(reply), "reply")

    def forget(self, eui64: Eui64) -> None:
        """Drop what is known of a device's present stay on the HAN."""
        self._finder.forget(eui64)
        if self._tunnel is not None:
            self._tunnel.forget(eui64)

    def _serve(self, message: ApsMessage, frame: ZclFrame) -> ZclFrame | None:
        entry = self._log.by_short_address(message.peer)
        if self._tunnel is not None and entry is not None and is_tunnel_command(message, frame):
            return self._tunnel.receive(message, frame, entry.eui64)
        return self._server.answer(message.cluster, frame)

    def _zdo(self, message: ApsMessage) -> None:
        if self._finder.response(message) or message.cluster != zdo.DeviceAnnce.CLUSTER:
            return
        try:
            announced = zdo.DeviceAnnce.from_bytes(message.payload[1:])
        except DecodeError as error:
            _LOG.warning("hub %s: malformed Device_annce: %s", self._name, error)
            return
        self.forget(announced.ieee_address)
        if self._tunnel is not None:
            sleeps = not announced.capability.receiver_on_when_idle
            self._tunnel.note_sleeper(announced.ieee_address, sleeps=sleeps)
        self._announced(announced.ieee_address, announced.nwk_address)

    async def _reply(self, message: ApsMessage) -> None:
        await self._send(message, _REPLY_S)

    # --- tasks --------------------------------------------------------------------------------------------

    def spawn(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        """Run something beside; what goes wrong with it is logged."""
        task = asyncio.get_running_loop().create_task(
            self._supervise(work, name), name=f"{self._name} {name}"
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cancel what runs beside."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _supervise(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        try:
            await work()
        except BenchError as error:
            _LOG.warning("hub %s: %s: %s", self._name, name, error)
