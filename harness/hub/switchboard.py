"""A hub's side of every APS message: who answers it, and who waits for it.

Incoming messages go to whoever asked for them, else to key establishment, the Tunneling server or the plain
ZCL servers; the hub's own questions (Match_Desc, Read Attributes, GBCS in a tunnel) start here. A Smart
Energy message that is not secured with an established link key goes nowhere: it is refused.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from harness.errors import BenchError, DecodeError, DeviceSilent, StimulusImpossible
from harness.eui64 import Eui64
from harness.hub.device_log import DeviceLog, DeviceLogEntry
from harness.hub.events import EventBook
from harness.hub.exchanges import Exchanges
from harness.hub.finder import Finder
from harness.hub.firmware_images import FirmwareImages
from harness.hub.key_establishment import KeyEstablishment, SetKey, is_key_establishment
from harness.hub.ota_server import OtaServer, is_ota_command
from harness.hub.profile import HubProfile
from harness.hub.trust_centre import HubEventKind
from harness.hub.tunnel import Delivered, TunnelServer, Unsolicited, is_tunnel_command
from harness.hub.zcl_client import ZclClient
from harness.hub.zcl_server import ZclServer, default_response
from harness.rig.faces import ApsMessage
from harness.zigbee import ota_commands, se_security, zdo
from harness.zigbee.cbke.authority import CredentialStore
from harness.zigbee.zcl import ZclFrame
from harness.zigbee.zcl_general import ReadRecord

_LOG = logging.getLogger(__name__)
_REPLY_S = 10.0

Send = Callable[[ApsMessage, float], Awaitable[None]]


def _nothing() -> None:
    """Do nothing when an answer is delivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What the switchboard needs for key establishment.

    `suites` is the bitmap to offer; `own` gives the hub's EUI-64; `set_key` makes radio and device log use a
    key; `accepts_unsecured` refuses no message that needs one, which no hub should.
    """

    credentials: CredentialStore
    suites: int
    own: Callable[[], Eui64]
    set_key: SetKey
    accepts_unsecured: bool = False


class Switchboard:
    """Connects a hub's servers and clients with its radio.

    `announced` is told of each Device_annce, `book` of what goes wrong; `drops` makes the tunnel server
    defective.
    """

    def __init__(
        self,
        name: str,
        profile: HubProfile,
        log: DeviceLog,
        send: Send,
        *,
        keys: Keys,
        book: EventBook,
        drops: bool,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        unsolicited: Unsolicited,
        announced: Callable[[Eui64, int], None],
        images: FirmwareImages,
    ) -> None:
        self._name = name
        self._profile = profile
        self._log = log
        self._send = send
        self._wall_clock = wall_clock
        self._announced = announced
        self._book = book
        self.exchanges = Exchanges()
        self._finder = Finder(send, self.exchanges)
        self._client = ZclClient(send, self.exchanges)
        self._server = ZclServer(profile, suites=keys.suites, wall_clock=wall_clock)
        self._keys = keys
        self._establishment = KeyEstablishment(
            keys.credentials,
            suites=keys.suites,
            own=keys.own,
            send=send,
            spawn=self.spawn,
            next_sequence=self._client.next_sequence,
            set_key=keys.set_key,
            failed=lambda eui64, end: book.note(HubEventKind.KEY_NOT_ESTABLISHED, eui64, end.reason),
        )
        self._images = images
        self._ota = OtaServer(images)
        self._tunnel: TunnelServer | None = None
        if profile.tunnel is not None:
            self._tunnel = TunnelServer(
                profile.tunnel,
                send,
                self.exchanges,
                link_key_secured=profile.link_key_secured,
                next_sequence=self._client.next_sequence,
                unsolicited=unsolicited,
                closed=book.tunnel_closed,
                clock=clock,
                drops=drops,
            )
        self._bare: set[tuple[int, int]] = set()  # peer and cluster of questions put unsecured on purpose
        self._gone: set[int] = set()  # short addresses of those who have left, or are told to
        self._tasks: dict[asyncio.Task[None], Eui64 | None] = {}  # and whom each is for alone

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
        secured: bool = True,
    ) -> Mapping[int, ReadRecord]:
        """Find the endpoint, read the attributes; `secured` False: under the network key alone, wrongly."""
        to = await self._addressed(entry, cluster, client_side=client_side, timeout_s=timeout_s)
        if not secured:
            return await self._read_bare(
                replace(to, link_key_secured=False), attributes, client_side, timeout_s
            )
        if to.link_key_secured:
            self.check_established(entry)
        return await self._client.read_attributes(
            to, tuple(attributes), client_side=client_side, timeout_s=timeout_s
        )

    async def _read_bare(
        self, to: ApsMessage, attributes: Iterable[int], client_side: bool, timeout_s: float
    ) -> Mapping[int, ReadRecord]:
        self._bare.add((to.peer, to.cluster))
        try:
            return await self._client.read_attributes(
                to, tuple(attributes), client_side=client_side, timeout_s=timeout_s
            )
        finally:
            self._bare.discard((to.peer, to.cluster))

    def tell_of_image(self, *devices: Eui64) -> None:
        """Tell devices that there is an image for them, if there is, and a link key to tell it under."""
        for entry in self._log.entries:
            secured = entry.established or not self._profile.link_key_secured
            here = entry.eui64 in devices and entry.short_address is not None
            if here and secured and self._images.image_for(entry.eui64) is not None:
                self.spawn(partial(self._notify_image, entry), "image notify", of=entry.eui64)

    async def _notify_image(self, entry: DeviceLogEntry) -> None:
        to = await self._addressed(entry, ota_commands.CLUSTER, client_side=True, timeout_s=_REPLY_S)
        frame = ota_commands.frame(ota_commands.ImageNotify(), self._client.next_sequence())
        await self._send(replace(to, payload=frame.to_bytes()), _REPLY_S)

    def check_established(self, entry: DeviceLogEntry) -> None:
        """Raise DeviceSilent while there is no link key to secure Smart Energy messages to a device with."""
        if self._profile.link_key_secured and not entry.established and not self._keys.accepts_unsecured:
            raise DeviceSilent(f"{entry.eui64} has established no link key with hub {self._name}")

    async def _addressed(
        self, entry: DeviceLogEntry, cluster: int, *, client_side: bool, timeout_s: float
    ) -> ApsMessage:
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
        return ApsMessage(
            peer=entry.short_address,
            peer_eui64=entry.eui64,
            profile=own.profile,
            cluster=cluster,
            source_endpoint=own.number,
            destination_endpoint=endpoint,
            payload=b"",
            link_key_secured=self._profile.link_key_secured
            and se_security.needs_link_key(own.profile, cluster),
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
        self._log.heard(message.peer, at=self._wall_clock(), rssi_dbm=message.rssi_dbm, lqi=message.lqi)
        if message.profile == 0:
            self._zdo(message)
            return
        try:
            frame = ZclFrame.from_bytes(message.payload)
        except DecodeError as error:
            _LOG.warning("hub %s: 0x%04X sent what is no ZCL frame: %s", self._name, message.peer, error)
            return
        entry = self._log.by_short_address(message.peer)
        if self._is_unsecured(message, frame, entry):
            self._refuse(message, frame, entry)
        elif not self._client.response(message, frame):
            self._answer(message, *self._serve(message, frame, entry), of=entry)

    def _is_unsecured(self, message: ApsMessage, frame: ZclFrame, entry: DeviceLogEntry | None) -> bool:
        if self._keys.accepts_unsecured or not self._profile.link_key_secured:
            return False
        if (message.peer, message.cluster) in self._bare:
            return False
        established = entry is not None and entry.established
        return se_security.is_unsecured(
            message.profile,
            message.cluster,
            frame,
            link_key_secured=message.link_key_secured and established,
            broadcast=message.broadcast,
        )

    def _refuse(self, message: ApsMessage, frame: ZclFrame, entry: DeviceLogEntry | None) -> None:
        if entry is not None:
            why = "under the network key" if entry.established else "before key establishment"
            self._book.note(HubEventKind.UNSECURED, entry.eui64, f"cluster 0x{message.cluster:04X} {why}")
        if se_security.may_be_refused(frame, broadcast=message.broadcast):
            refusal = default_response(frame, se_security.REFUSAL)
            self._answer(replace(message, link_key_secured=False), refusal, of=entry)

    def _answer(
        self,
        message: ApsMessage,
        answer: ZclFrame | None,
        delivered: Delivered = _nothing,
        *,
        of: DeviceLogEntry | None,
    ) -> None:
        """Answer a message, and call `delivered` then; `of` is its device, which may be gone by then."""
        if answer is None or message.peer in self._gone:
            return
        reply = replace(
            message,
            source_endpoint=message.destination_endpoint,
            destination_endpoint=message.source_endpoint,
            payload=answer.to_bytes(),
        )

        async def send() -> None:
            await self._send(reply, _REPLY_S)
            delivered()

        self.spawn(send, "reply", of=of.eui64 if of is not None else None)

    def forget(self, eui64: Eui64, short_address: int | None) -> None:
        """End a device's stay on the HAN: nothing is sent to it there any more, until somebody `is_here`."""
        if short_address is not None:
            self._gone.add(short_address)
        for task, device in tuple(self._tasks.items()):
            if device == eui64:
                task.cancel()
        self._images.gone(eui64)
        self._begin_anew(eui64)

    def is_here(self, short_address: int) -> None:
        """Answer whoever has this address: a device has joined by it, or announced it."""
        self._gone.discard(short_address)

    def _begin_anew(self, eui64: Eui64) -> None:
        self._finder.forget(eui64)
        self._establishment.forget(eui64)
        if self._tunnel is not None:
            self._tunnel.forget(eui64)

    def _serve(
        self, message: ApsMessage, frame: ZclFrame, entry: DeviceLogEntry | None
    ) -> tuple[ZclFrame | None, Delivered]:
        if entry is not None and is_key_establishment(message, frame):
            self._establishment.receive(message, frame, entry.eui64)
            return None, _nothing
        if self._tunnel is not None and entry is not None and is_tunnel_command(message, frame):
            return self._tunnel.receive(message, frame, entry.eui64)
        if entry is not None and is_ota_command(message, frame):
            return self._ota.receive(frame, entry.eui64), _nothing
        return self._server.answer(message.cluster, frame), _nothing

    def _zdo(self, message: ApsMessage) -> None:
        if self._finder.response(message) or message.cluster != zdo.DeviceAnnce.CLUSTER:
            return
        try:
            announced = zdo.DeviceAnnce.from_bytes(message.payload[1:])
        except DecodeError as error:
            _LOG.warning("hub %s: malformed Device_annce: %s", self._name, error)
            return
        self.is_here(announced.nwk_address)
        self._begin_anew(announced.ieee_address)
        if self._tunnel is not None:
            sleeps = not announced.capability.receiver_on_when_idle
            self._tunnel.note_sleeper(announced.ieee_address, sleeps=sleeps)
        self._announced(announced.ieee_address, announced.nwk_address)

    # --- tasks --------------------------------------------------------------------------------------------

    def spawn(
        self, work: Callable[[], Awaitable[None]], name: str, *, of: Eui64 | None = None
    ) -> asyncio.Task[None]:
        """Run something beside, if `of` a device, for as long as that stays; what goes wrong is logged."""
        task = asyncio.get_running_loop().create_task(
            self._supervise(work, name), name=f"{self._name} {name}"
        )
        self._tasks[task] = of
        task.add_done_callback(self._tasks.pop)
        return task

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
