"""The end device's role: scan, associate, get the network key, announce, stay alive, rejoin, leave.

Source: 05-3474-22 §3.6.1 (joining and rejoining), §4.6.3 (the joiner's side), §3.6.10 (keep-alive).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from drivers.virtual.stack.core import NodeCore
from drivers.virtual.stack.faces import (
    ApsRequest,
    DeliveryMode,
    JoinFailure,
    JoinResult,
    LeaveReason,
    NetworkParameters,
)
from drivers.virtual.stack.mac_layer import Reception
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee import aps, aps_commands, mac, nwk, zdo
from harness.zigbee.aps import ApsFrame, ApsFrameType
from harness.zigbee.aps_commands import KeyType, SwitchKey, TransportKey
from harness.zigbee.mac import (
    AssociationRequest,
    AssociationResponse,
    AssociationStatus,
    Beacon,
    BeaconRequest,
    Capability,
    DataRequest,
    MacFrameType,
    ZigbeeBeacon,
)
from harness.zigbee.nwk import NwkFrame, NwkFrameType
from harness.zigbee.nwk_commands import Leave, NwkCommand, RejoinRequest, RejoinResponse
from harness.zigbee.security import AuthenticationFailed, KeyId

_STACK_PROFILE_PRO = 2
_GRAVITY = (JoinFailure.NO_NETWORK, JoinFailure.REFUSED, JoinFailure.NO_KEY, JoinFailure.WRONG_KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundNetwork:
    """A network that a scan found."""

    channel: int
    pan_id: int
    parent: int
    extended_pan_id: Eui64
    update_id: int
    permits: bool
    lqi: int


class EndDevice:
    """Role of a node that joins. `accepts_clear_key` makes it take a network key that nothing protects."""

    def __init__(self, core: NodeCore, *, always_on: bool) -> None:
        self._core = core
        self.capability = Capability(receiver_on_when_idle=always_on, mains_powered=always_on)
        self.accepts_clear_key = False
        self.parent_eui64: Eui64 | None = None
        self._parent = 0
        self._link_key: bytes | None = None
        self._beacons: list[FoundNetwork] | None = None
        self._associated: asyncio.Future[AssociationResponse] | None = None
        self._rejoined: asyncio.Future[RejoinResponse] | None = None
        self._keyed: asyncio.Future[TransportKey | JoinFailure] | None = None
        self._unanswered = 0
        core.mac.always_on = always_on
        core.zdo.on_leave = self._leave_soon

    # Joining.

    async def join(
        self, channels: tuple[int, ...], link_key: bytes, timeout_s: float, extended_pan_id: Eui64 | None
    ) -> JoinResult:
        """Find a network that lets devices join, and join it; NO_NETWORK when that takes too long."""
        self._link_key = link_key
        self._core.material.forget_network()
        self._core.mac.wake()
        try:
            async with asyncio.timeout(timeout_s):
                return await self._try_networks(channels, extended_pan_id)
        except TimeoutError:
            self._be_nowhere()
            return JoinResult(failure=JoinFailure.NO_NETWORK)
        except BaseException:
            self._be_nowhere()
            raise
        finally:
            self._core.mac.sleep()

    async def _try_networks(self, channels: tuple[int, ...], extended_pan_id: Eui64 | None) -> JoinResult:
        failures = [JoinFailure.NO_NETWORK]
        for found in await self._scan(channels):
            if not found.permits or extended_pan_id not in (None, found.extended_pan_id):
                continue
            failure = await self._enter(found)
            if failure is None:
                await self._announce()
                return self._result()
            failures.append(failure)
            self._be_nowhere()
        return JoinResult(failure=max(failures, key=_GRAVITY.index))

    async def _scan(self, channels: tuple[int, ...]) -> list[FoundNetwork]:
        """Return what answers a beacon request, the best heard first."""
        core = self._core
        found: list[FoundNetwork] = []
        self._beacons = found
        try:
            for channel in channels:
                core.mac.channel, core.mac.pan_id = channel, mac.BROADCAST
                request = BeaconRequest().to_bytes()
                await core.mac.send(
                    core.mac.frame(MacFrameType.COMMAND, mac.BROADCAST, request, pan=mac.BROADCAST)
                )
                await asyncio.sleep(core.timings.scan_s)
        finally:
            self._beacons = None
        return sorted(found, key=lambda network: -network.lqi)

    async def _enter(self, found: FoundNetwork) -> JoinFailure | None:
        core = self._core
        core.mac.channel, core.mac.pan_id, core.mac.short_address = found.channel, found.pan_id, None
        loop = asyncio.get_running_loop()
        self._associated, self._keyed = loop.create_future(), loop.create_future()
        try:
            response = await self._associate(found)
            if response is None or response.status is not AssociationStatus.SUCCESS:
                return JoinFailure.REFUSED
            key = await self._wait_for_key()
        finally:
            self._associated = self._keyed = None
        if isinstance(key, JoinFailure):
            return key
        self._settle_in(found, key)
        return None

    async def _associate(self, found: FoundNetwork) -> AssociationResponse | None:
        core = self._core
        request = AssociationRequest(capability=self.capability).to_bytes()
        frame = core.mac.frame(
            MacFrameType.COMMAND, found.parent, request, source=core.eui64, source_pan=mac.BROADCAST
        )
        if not await core.mac.send(frame):
            return None
        assert self._associated is not None
        await asyncio.sleep(core.timings.response_wait_s)
        try:
            async with asyncio.timeout(core.timings.association_s):
                while not self._associated.done():
                    await self._poll(found.parent, by=core.eui64)
                    await asyncio.wait({self._associated}, timeout=core.timings.poll_wait_s)
        except TimeoutError:
            return None
        return self._associated.result()

    async def _wait_for_key(self) -> TransportKey | JoinFailure:
        assert self._keyed is not None
        polling = self._core.spawn(self._poll_often()) if not self._core.mac.always_on else None
        try:
            async with asyncio.timeout(self._core.timings.key_s):
                return await self._keyed
        except TimeoutError:
            return JoinFailure.NO_KEY
        finally:
            if polling is not None:
                polling.cancel()

    async def _poll_often(self) -> None:
        while True:
            await self._poll(self._parent)
            await asyncio.sleep(self._core.timings.poll_wait_s)

    def _settle_in(self, found: FoundNetwork, key: TransportKey) -> None:
        core = self._core
        sequence = key.key_sequence or 0
        core.material.network_keys = {sequence: key.key}
        core.material.active_sequence = sequence
        core.network = NetworkParameters(
            channel=found.channel,
            pan_id=found.pan_id,
            extended_pan_id=found.extended_pan_id,
            network_key=key.key,
            key_sequence=sequence,
            update_id=found.update_id,
        )
        self._parent, self._unanswered = found.parent, 0
        self.parent_eui64 = key.source or found.extended_pan_id
        core.learn(found.parent, self.parent_eui64)

    async def _announce(self) -> None:
        core = self._core
        body = zdo.DeviceAnnce(
            nwk_address=core.mac.short_address or 0, ieee_address=core.eui64, capability=self.capability
        )
        await core.aps.send(
            ApsRequest(
                destination=nwk.BROADCAST_RX_ON,
                profile=0,
                cluster=zdo.DeviceAnnce.CLUSTER,
                source_endpoint=0,
                destination_endpoint=0,
                payload=zdo.encode(core.aps.next_counter(), body),
                mode=DeliveryMode.BROADCAST,
            )
        )

    def _result(self) -> JoinResult:
        core = self._core
        return JoinResult(
            failure=None,
            network=core.network,
            short_address=core.mac.short_address,
            parent_eui64=self.parent_eui64,
        )

    def _be_nowhere(self) -> None:
        core = self._core
        core.network = core.mac.channel = core.mac.pan_id = core.mac.short_address = None
        core.material.forget_network()
        core.forget_everybody()
        self.parent_eui64 = None

    # Staying.

    async def live(self) -> None:
        """Poll when sleepy, and give the parent a sign of life now and then."""
        timings = self._core.timings
        while True:
            await asyncio.sleep(timings.keep_alive_s if self._core.mac.always_on else timings.poll_s)
            if self._core.network is not None:
                await self._poll(self._parent)

    async def _poll(self, parent: int, *, by: Eui64 | None = None) -> None:
        core = self._core
        source = by if by is not None else core.mac.short_address
        if source is None:
            return
        core.mac.more_pending = False
        core.mac.wake()
        try:
            frame = core.mac.frame(MacFrameType.COMMAND, parent, DataRequest().to_bytes(), source=source)
            answered = await core.mac.send(frame)
            if by is None and core.network is not None:
                self.unicast_ended(answered)
            if answered and core.mac.more_pending:
                await asyncio.sleep(core.timings.poll_wait_s)
        finally:
            core.mac.sleep()

    def unicast_ended(self, arrived: bool) -> None:
        """Count what the parent did not acknowledge; too many in a row, and it is lost."""
        self._unanswered = 0 if arrived else self._unanswered + 1
        if self._unanswered == self._core.timings.lost_after and self._core.network is not None:
            self._core.listener.left_network(LeaveReason.LOST_PARENT)

    # Coming back and leaving.

    async def rejoin(self) -> JoinResult:
        """Come back to the network, under its key if that still opens, else by way of the trust centre."""
        network = self._core.network
        if network is None:
            return JoinResult(failure=JoinFailure.NO_NETWORK)
        self._core.mac.wake()
        try:
            for found in await self._scan((network.channel,)):
                if found.extended_pan_id != network.extended_pan_id:
                    continue
                self._go_on(found)
                if await self._ask_back(found, secured=True) or await self._ask_for_key(found):
                    self._unanswered = 0
                    await self._announce()
                    return self._result()
                return JoinResult(failure=JoinFailure.REFUSED)
            self._core.mac.channel, self._core.mac.pan_id = network.channel, network.pan_id
            return JoinResult(failure=JoinFailure.NO_NETWORK)
        finally:
            self._core.mac.sleep()

    def _go_on(self, found: FoundNetwork) -> None:
        core = self._core
        core.mac.channel, core.mac.pan_id = found.channel, found.pan_id
        self._parent = found.parent

    async def _ask_back(self, found: FoundNetwork, *, secured: bool) -> bool:
        core = self._core
        self._rejoined = asyncio.get_running_loop().create_future()
        try:
            packet = core.nwk_frame(
                NwkFrameType.COMMAND,
                found.parent,
                RejoinRequest(capability=self.capability).to_bytes(),
                radius=1,
                source_ieee=core.eui64,
            )
            if not await core.send_frame(packet, secured=secured, hop=found.parent):
                return False
            async with asyncio.timeout(core.timings.rejoin_s):
                response = await self._rejoined
        except TimeoutError:
            return False
        finally:
            self._rejoined = None
        core.mac.short_address = response.short_address
        return response.status == AssociationStatus.SUCCESS

    async def _ask_for_key(self, found: FoundNetwork) -> bool:
        """Rejoin without the network key: the trust centre sends the present one, if it still wants us."""
        self._keyed = asyncio.get_running_loop().create_future()
        try:
            if not await self._ask_back(found, secured=False):
                return False
            key = await self._wait_for_key()
        finally:
            self._keyed = None
        if isinstance(key, JoinFailure):
            return False
        self._settle_in(found, key)
        return True

    async def leave(self) -> None:
        """Leave the network and say so."""
        if self._core.network is None:
            return
        await self._go(LeaveReason.OWN_WISH)

    def _leave_soon(self) -> None:
        self._core.spawn(self._told_to_leave())

    async def _told_to_leave(self) -> None:
        if self._core.network is not None:
            await self._go(LeaveReason.TOLD)

    async def _go(self, reason: LeaveReason) -> None:
        core = self._core
        await core.send_command(
            nwk.BROADCAST_RX_ON, Leave(request=False), hop=self._parent, radius=1, source_ieee=core.eui64
        )
        self._be_nowhere()
        core.listener.left_network(reason)

    # What others send.

    def mac_received(self, reception: Reception) -> None:
        """Take a beacon or an association response."""
        try:
            if reception.frame.frame_type is MacFrameType.BEACON:
                self._beacon(reception)
                return
            command = mac.parse_command(reception.frame.payload)
        except DecodeError:
            return
        waiting = self._associated
        if isinstance(command, AssociationResponse) and waiting is not None and not waiting.done():
            if command.status is AssociationStatus.SUCCESS:
                # At once: the network key may follow before anybody who waits gets to run.
                self._core.mac.short_address = command.short_address
            waiting.set_result(command)

    def _beacon(self, reception: Reception) -> None:
        if self._beacons is None:
            return
        frame = reception.frame
        beacon = Beacon.from_bytes(frame.payload)
        network = ZigbeeBeacon.from_bytes(beacon.payload)
        if (
            network.protocol_id != 0
            or network.stack_profile != _STACK_PROFILE_PRO
            or not isinstance(frame.source, int)
            or frame.source_pan is None
            or self._core.mac.channel is None
        ):
            return
        self._beacons.append(
            FoundNetwork(
                channel=self._core.mac.channel,
                pan_id=frame.source_pan,
                parent=frame.source,
                extended_pan_id=network.extended_pan_id,
                update_id=network.update_id,
                permits=beacon.association_permit and network.end_device_capacity,
                lqi=reception.lqi,
            )
        )

    def nwk_command(self, command: NwkCommand, frame: NwkFrame, *, secured: bool) -> None:
        """Take a rejoin response or an order to leave."""
        if isinstance(command, RejoinResponse):
            if self._rejoined is not None and not self._rejoined.done():
                self._rejoined.set_result(command)
        elif isinstance(command, Leave) and secured and command.request and frame.source == self._parent:
            self._leave_soon()

    def unsecured(self, frame: NwkFrame) -> None:
        """Take a network key, for which alone NWK security is left out."""
        waiting = self._keyed
        if waiting is None or waiting.done():
            return
        command = ApsFrame.from_bytes(frame.payload)
        if command.frame_type is not ApsFrameType.COMMAND:
            return
        found = self._opened(command)
        if found is not None:
            waiting.set_result(found)

    def _opened(self, frame: ApsFrame) -> TransportKey | JoinFailure | None:
        if frame.security:
            if self._link_key is None or aps.auxiliary_header(frame).key_id is not KeyId.KEY_TRANSPORT:
                return None
            try:
                frame, _ = aps.unprotect(frame, self._link_key)
            except AuthenticationFailed:
                return JoinFailure.WRONG_KEY
        elif not self.accepts_clear_key:
            return None
        command = aps_commands.parse_command(frame.payload)
        if not isinstance(command, TransportKey) or command.key_type is not KeyType.STANDARD_NETWORK_KEY:
            return None
        return command if command.destination == self._core.eui64 else None

    def aps_command(self, command: aps_commands.ApsCommand, source: int, *, nwk_secured: bool) -> None:
        """Take a new network key, and the order to use it, from the trust centre."""
        core = self._core
        if source != 0 or not nwk_secured:
            return
        if isinstance(command, TransportKey) and command.key_type is KeyType.STANDARD_NETWORK_KEY:
            core.material.network_keys[command.key_sequence or 0] = command.key
        elif isinstance(command, SwitchKey) and command.key_sequence in core.material.network_keys:
            core.material.active_sequence = command.key_sequence

    def heard_of(self, eui64: Eui64, short_address: int) -> None:
        """Take no notice."""

    def link_key(self, eui64: Eui64) -> bytes | None:
        """Return the key shared with the trust centre, the only one there is."""
        return self._link_key if eui64 == self.parent_eui64 else None

    def set_link_key(self, key: bytes | None) -> None:
        """Share another key with the trust centre from now on."""
        self._link_key = key

    def next_hop(self, destination: int) -> int:  # noqa: ARG002
        """Everything goes by way of the parent, broadcasts too, so that they are acknowledged."""
        return self._parent

    def sleeps(self, short_address: int) -> bool:  # noqa: ARG002
        """A parent does not sleep."""
        return False

    def relay(self, frame: NwkFrame) -> None:
        """Relay nothing."""

    # What is kept without power.

    def save(self) -> dict[str, Any]:
        """Return it as plain json values."""
        return {
            "parent": self._parent,
            "parent_eui64": str(self.parent_eui64) if self.parent_eui64 is not None else None,
            "short_address": self._core.mac.short_address,
            "link_key": self._link_key.hex() if self._link_key is not None else None,
        }

    def restore(self, network: NetworkParameters, saved: dict[str, Any]) -> None:
        """Be where `save` said."""
        core = self._core
        core.network = network
        core.mac.channel, core.mac.pan_id = network.channel, network.pan_id
        core.mac.short_address = saved["short_address"]
        self._parent = saved["parent"]
        parent = saved["parent_eui64"]
        self.parent_eui64 = Eui64.parse(parent) if parent is not None else None
        self._link_key = bytes.fromhex(saved["link_key"]) if saved["link_key"] is not None else None
        if self.parent_eui64 is not None:
            core.learn(self._parent, self.parent_eui64)
