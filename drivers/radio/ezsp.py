"""A hub's radio: an EZSP dongle (Silicon Labs EmberZNet) through bellows, EZSP 8 to 19.

Only raw EZSP is used. zigpy's application layer interviews devices, keeps the well-known link key
installed, races its own trust-centre policy and drops Smart Energy frames; a hub wants none of that.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from drivers.radio import ezsp_network, ezsp_security
from drivers.radio.ezsp_faults import refused_path
from drivers.radio.ezsp_frames import Incoming, incoming, join_notice, sent
from drivers.radio.ezsp_link import COMMAND_S, NETWORK_S, EzspLink, PortFactory, Refused
from drivers.radio.ezsp_sender import RADIO_DOWN, EzspSender
from drivers.radio.ezsp_surface import EzspPort, eui64_to, status_of, t
from drivers.radio.fragments import Reassembler, acknowledgement_group_id
from harness.documents import Seconds
from harness.errors import RigFault
from harness.eui64 import Eui64
from harness.rig.faces import (
    ApsMessage,
    DriverContext,
    DriverSpec,
    Endpoint,
    Face,
    JoinKind,
    JoinNotice,
    NetworkSettings,
    NetworkState,
    RadioInfo,
    RadioListener,
)
from harness.tap import Boundary

Told = TypeVar("Told", ApsMessage, JoinNotice)

_LOG = logging.getLogger(__name__)
_DEVICE_ANNCE = 0x0013
_OLDEST, _NEWEST = 8, 19
_CONNECT, _COMMAND, _NETWORK = Seconds(8.0), Seconds(COMMAND_S), Seconds(NETWORK_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class EzspOptions:
    """How a dongle is reached. `path` is a device (better one of /dev/serial/by-id) or tcp://host:port.

    `flow_control: none` and `software` are one to bellows. `connect_timeout` bounds the whole opening;
    a dongle that misses its first reset needs 2.5 s more for each. `command_timeout` is how long an answer
    may take, `network_timeout` forming or resuming a network.
    """

    path: str
    baudrate: int = 115200
    flow_control: Literal["none", "hardware", "software"] = "none"
    connect_timeout: Seconds = _CONNECT
    command_timeout: Seconds = _COMMAND
    network_timeout: Seconds = _NETWORK

    def __post_init__(self) -> None:
        refusal = refused_path(self.path)
        if refusal is not None:
            raise ValueError(refusal)


class EzspRadio:
    """`harness.rig.faces.Radio` on an EZSP dongle."""

    def __init__(
        self, options: EzspOptions, context: DriverContext, *, port_factory: PortFactory = EzspPort
    ) -> None:
        self._options = options
        self._context = context
        self._port_factory = port_factory
        self._listener: RadioListener | None = None
        self._link: EzspLink | None = None
        self._sender: EzspSender | None = None
        self._windows: ezsp_security.JoinWindows | None = None
        self._keys: ezsp_security.KeyTable | None = None
        self._joining_afresh: set[Eui64] = set()  # sent the network key, not heard since
        self._own = Eui64(0)
        self._on_network = False
        self._trouble: RigFault | None = None  # with what nobody waited for
        self._reassembler = Reassembler()
        self._addresses: dict[int, Eui64] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, endpoints: tuple[Endpoint, ...], listener: RadioListener) -> RadioInfo:
        """Open the port, agree on a version, configure, register endpoints; raises RigFault."""
        await self.close()
        self._trouble = None
        link = EzspLink(
            self._options.path,
            callback=self._callback,
            fragment=self._fragment,
            lost=self._lost,
            command_s=self._options.command_timeout,
            network_s=self._options.network_timeout,
            port_factory=self._port_factory,
        )
        flow_control = None if self._options.flow_control == "none" else self._options.flow_control
        await link.open(
            baudrate=self._options.baudrate,
            flow_control=flow_control,
            timeout_s=self._options.connect_timeout,
        )
        self._link, self._listener = link, listener
        self._sender = EzspSender(link)
        self._windows = ezsp_security.JoinWindows(link)
        self._keys = ezsp_security.KeyTable(link)
        try:
            return await self._prepare(link, endpoints)
        except BaseException:
            await self.close()
            raise

    async def _prepare(self, link: EzspLink, endpoints: tuple[Endpoint, ...]) -> RadioInfo:
        if not _OLDEST <= link.version <= _NEWEST:
            raise RigFault(
                f"radio on {link.path} speaks EZSP {link.version}; {_OLDEST} to {_NEWEST} are supported",
                remedy="update the dongle's firmware",
            )
        info = await ezsp_network.describe_radio(link)
        self._own = info.eui64
        await ezsp_network.configure(link)
        for endpoint in endpoints:
            await ezsp_network.add_endpoint(link, endpoint)
        await self._sending().learn_sizes()
        _LOG.info("radio on %s: %s, %s, firmware %s", link.path, info.eui64, info.stack, info.firmware)
        return info

    async def form(self, settings: NetworkSettings) -> NetworkState:
        """Form a Smart Energy network, or resume it; afterwards nobody may join."""
        self._on_network = False
        state = await ezsp_network.bring_up(self._opened(), settings, self._own)
        self._on_network = True
        return state

    async def close(self) -> None:
        """Close the port; never raises; may be called twice."""
        link, self._link = self._link, None
        windows, self._windows = self._windows, None
        self._sender = None
        self._on_network = False
        if windows is not None:
            await windows.stop()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        if link is not None:
            await link.close()

    async def permit(self, eui64: Eui64, link_key: bytes, window_s: float) -> None:
        """Let this one device in for `window_s`."""
        await self._joining().permit(eui64, link_key, window_s)

    async def permit_anybody(self, window_s: float) -> None:
        """Let anybody in, the network key in the clear. Only a deliberately defective hub asks for this."""
        await self._joining().permit_anybody(window_s)

    async def set_link_key(self, eui64: Eui64, link_key: bytes) -> None:
        """Share this link key with a device from now on."""
        self._joining_afresh.discard(eui64)
        await self._key_table().write(eui64, link_key)

    async def close_window(self) -> None:
        """Let nobody in from now, and forget transient keys."""
        await self._joining().close_all()

    async def send(self, message: ApsMessage, *, timeout_s: float = 10.0) -> None:
        """Send and wait for the acknowledgement; RadioUndelivered or RigFault."""
        sender = self._sending()
        self._record(message, outgoing=True)
        await sender.send(message, timeout_s=timeout_s)

    async def remove(self, eui64: Eui64, short_address: int) -> None:
        """Tell a device to leave, and forget its keys."""
        long = eui64_to(eui64)
        await self._opened().succeed(
            "removeDevice", destShort=t.NWK(short_address), destLong=long, targetLong=long
        )
        await self.forget_key(eui64)

    async def forget_key(self, eui64: Eui64) -> None:
        """Close a device's window and erase its link key."""
        await self._joining().close(eui64)
        await self._key_table().erase(eui64)

    async def forget_all_keys(self) -> None:
        """Close every window and erase every link key."""
        await self._joining().close_all()
        await self._key_table().clear()

    async def update_network_key(self, network_key: bytes) -> NetworkState:
        """Send everybody another network key, have it used, and use it."""
        return await ezsp_network.update_network_key(self._opened(), network_key)

    async def ping(self) -> None:
        """Prove that the dongle answers, and always did, and is on its network if it has one; RigFault."""
        await self._opened().command("nop")
        if self._trouble is not None:
            raise self._trouble
        if self._on_network:
            await ezsp_network.check_joined(self._opened())

    # --- what the dongle says ---------------------------------------------------------------------------

    def _callback(self, name: str, values: list[Any]) -> None:
        link, sender = self._link, self._sender
        if link is None or sender is None:
            return
        if name == "incomingMessageHandler":
            frame = incoming(link.version, values)
            self._deliver(frame, frame.payload)
        elif name == "messageSentHandler":
            sender.sent(sent(link.version, values))
        elif name == "trustCenterJoinHandler":
            notice = join_notice(values)
            if notice is not None:
                self._joined(notice)
        elif name == "stackStatusHandler":
            _LOG.debug("%s: stack status %s", link.path, values[0])
            if self._on_network and status_of(values[0]) in RADIO_DOWN:
                self._spawn(self._look_for_network, "look for network")

    async def _look_for_network(self) -> None:
        """Call the radio lost if its network is down, as it has just said; that may be a false alarm."""
        try:
            await ezsp_network.check_joined(self._opened())
        except RigFault as fault:
            self._lost(fault.message)

    def _joined(self, notice: JoinNotice) -> None:
        if notice.kind is JoinKind.LEFT:
            self._addresses.pop(notice.short_address, None)
        else:
            self._addresses[notice.short_address] = notice.eui64
        if notice.kind is JoinKind.UNSECURED_JOIN and notice.admitted:
            self._joining_afresh.add(notice.eui64)
        if self._listener is not None:
            _tell(self._listener.radio_join, notice)

    def _fragment(self, version: int, values: list[Any]) -> None:
        frame = incoming(version, values)
        if self._link is None:
            return
        self._spawn(lambda: self._acknowledge_fragment(frame), "acknowledge fragment")
        whole = self._reassembler.feed(
            frame.key,
            index=frame.fragment_index,
            total=frame.fragment_total,
            payload=frame.payload,
            now=asyncio.get_running_loop().time(),
        )
        if whole is not None:
            self._deliver(frame, whole)

    async def _acknowledge_fragment(self, frame: Incoming) -> None:
        aps = t.EmberApsFrame(
            profileId=frame.aps.profileId,
            clusterId=frame.aps.clusterId,
            sourceEndpoint=frame.aps.destinationEndpoint,
            destinationEndpoint=frame.aps.sourceEndpoint,
            options=frame.aps.options,
            groupId=t.uint16_t(acknowledgement_group_id(frame.fragment_index)),
            sequence=frame.aps.sequence,
        )
        await self._opened().succeed("sendReply", t.NWK(frame.sender), aps, b"")

    def _deliver(self, frame: Incoming, payload: bytes) -> None:
        if frame.own:
            return
        if frame.aps.profileId == 0 and frame.aps.clusterId == _DEVICE_ANNCE and len(payload) >= 11:
            self._announced(int.from_bytes(payload[1:3], "little"), Eui64.from_bytes_le(payload[3:11]))
        message = frame.message(payload, frame.sender_eui64 or self._addresses.get(frame.sender))
        self._record(message, outgoing=False)
        if self._listener is not None:
            _tell(self._listener.radio_message, message)

    def _announced(self, short_address: int, eui64: Eui64) -> None:
        """Keep the key of a joiner that has just proved, under the network key, that it has the right one.

        A device that only came back keeps the key that it has, which may be an established one by now.
        """
        self._addresses[short_address] = eui64
        key = self._windows.key_of(eui64) if self._windows is not None else None
        if key is not None and eui64 in self._joining_afresh:
            self._joining_afresh.discard(eui64)
            table = self._key_table()
            self._spawn(lambda: table.write(eui64, key), f"keep key of {eui64}")

    def _lost(self, reason: str) -> None:
        if self._listener is not None:
            self._listener.radio_lost(reason)

    # --- housekeeping -------------------------------------------------------------------------------------

    def _spawn(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        task = asyncio.get_running_loop().create_task(self._quietly(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, work: Callable[[], Awaitable[None]], name: str) -> None:
        try:
            await work()
        except Refused as fault:
            _LOG.warning("%s: %s", name, fault)
        except RigFault as fault:
            # What was to be done is undone, such as a block that is now acknowledged by nobody.
            self._trouble = RigFault(f"{fault.message} (to {name})", remedy=fault.remedy)
            _LOG.warning("%s", self._trouble)

    def _record(self, message: ApsMessage, *, outgoing: bool) -> None:
        peer = str(message.peer_eui64 or f"0x{message.peer:04X}")
        ends = (self._context.name, peer) if outgoing else (peer, self._context.name)
        self._context.tap.record(
            Boundary.RADIO,
            *ends,
            f"APS profile 0x{message.profile:04X} cluster 0x{message.cluster:04X}",
            message.payload,
            peer=f"0x{message.peer:04X}",
            profile=message.profile,
            cluster=message.cluster,
            source_endpoint=message.source_endpoint,
            destination_endpoint=message.destination_endpoint,
            link_key_secured=message.link_key_secured,
            broadcast=message.broadcast,
        )

    def _opened(self) -> EzspLink:
        if self._link is None:
            raise RigFault(f"radio on {self._options.path} is not open")
        return self._link

    def _sending(self) -> EzspSender:
        self._opened()
        assert self._sender is not None
        return self._sender

    def _key_table(self) -> ezsp_security.KeyTable:
        self._opened()
        assert self._keys is not None
        return self._keys

    def _joining(self) -> ezsp_security.JoinWindows:
        self._opened()
        assert self._windows is not None
        return self._windows


def _tell(function: Callable[[Told], None], what: Told) -> None:
    """Call a listener from the loop: bellows would hide its errors, a port would die of them."""
    asyncio.get_running_loop().call_soon(function, what)


def _create(options: EzspOptions, context: DriverContext) -> EzspRadio:
    return EzspRadio(options, context)


DRIVER = DriverSpec(
    face=Face.RADIO,
    options=EzspOptions,
    create=_create,
    summary="EZSP dongle (Silicon Labs EmberZNet) through bellows",
)
