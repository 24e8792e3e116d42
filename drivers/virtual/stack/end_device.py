"""The end device's role: join, announce, stay alive, rejoin, leave.

Source: 05-3474-22 §3.6.1 (joining and rejoining), §4.6.3 (the joiner's side), §3.6.10 (keep-alive).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from drivers.virtual.stack.admission import Admission
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
from drivers.virtual.stack.scan import FoundNetwork, Scanner
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee import aps_commands, mac, nwk, zdo
from harness.zigbee.aps_commands import KeyType, SwitchKey, TransportKey
from harness.zigbee.mac import (
    AssociationResponse,
    AssociationStatus,
    Capability,
    DataRequest,
    MacFrameType,
)
from harness.zigbee.nwk import NwkFrame, NwkFrameType
from harness.zigbee.nwk_commands import Leave, NwkCommand, RejoinRequest, RejoinResponse

_GRAVITY = (JoinFailure.NO_NETWORK, JoinFailure.REFUSED, JoinFailure.NO_KEY, JoinFailure.WRONG_KEY)


class EndDevice:
    """Role of a node that joins."""

    def __init__(self, core: NodeCore, *, always_on: bool) -> None:
        self._core = core
        self.capability = Capability(receiver_on_when_idle=always_on, mains_powered=always_on)
        self.admission = Admission(core, self._poll)
        self.parent_eui64: Eui64 | None = None
        self.ignores_network_key = False
        self._parent = 0
        self._scanner = Scanner(core.mac, core.timings)
        self._rejoined: asyncio.Future[RejoinResponse] | None = None
        self._unanswered = 0
        core.mac.always_on = always_on
        core.zdo.on_leave = self._leave_soon

    # Joining.

    async def join(
        self, channels: tuple[int, ...], link_key: bytes, timeout_s: float, extended_pan_id: Eui64 | None
    ) -> JoinResult:
        """Find a network that lets devices join, and join it; NO_NETWORK when that takes too long."""
        self.admission.link_key = link_key
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
        for found in await self._scanner.scan(channels):
            if not found.permits or extended_pan_id not in (None, found.extended_pan_id):
                continue
            key = await self.admission.associate(found, self.capability)
            if not isinstance(key, JoinFailure):
                self._settle_in(found, key)
                await self._announce()
                return self._result()
            failures.append(key)
            self._be_nowhere()
        return JoinResult(failure=max(failures, key=_GRAVITY.index))

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
            pause_s = timings.keep_alive_s if not self._unanswered else timings.keep_alive_again_s
            await asyncio.sleep(pause_s if self._core.mac.always_on else timings.poll_s)
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

    async def rejoin(self, channels: tuple[int, ...] = ()) -> JoinResult:
        """Come back to the network, under its key if that still opens, else by way of the trust centre.

        The network is looked for by its extended PAN id: on its channel, or on `channels` if given.
        """
        core, network = self._core, self._core.network
        if network is None:
            return JoinResult(failure=JoinFailure.NO_NETWORK)
        place = core.mac.pan_id, core.mac.short_address, self._parent
        failure = JoinFailure.NO_NETWORK
        core.mac.wake()
        try:
            for found in await self._scanner.scan(channels or (network.channel,)):
                if found.extended_pan_id != network.extended_pan_id:
                    continue
                self._go_on(found)
                before = self.parent_eui64
                if await self._ask_back(found, secured=True) or await self._ask_for_key(found):
                    self._unanswered = 0
                    await self._announce()
                    return replace(self._result(), swapped=self.parent_eui64 != before)
                failure = JoinFailure.REFUSED
            core.mac.channel, (core.mac.pan_id, core.mac.short_address, self._parent) = network.channel, place
            return JoinResult(failure=failure)
        finally:
            core.mac.sleep()

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
        self.admission.trust_centre = self.parent_eui64
        try:
            key = await self.admission.expect_key(lambda: self._ask_back(found, secured=False))
        finally:
            self.admission.trust_centre = None
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
                self._scanner.heard(reception)
                return
            command = mac.parse_command(reception.frame.payload)
        except DecodeError:
            return
        if isinstance(command, AssociationResponse):
            self.admission.answered(command)

    def nwk_command(self, command: NwkCommand, frame: NwkFrame, *, secured: bool) -> None:
        """Take a rejoin response or an order to leave."""
        if isinstance(command, RejoinResponse):
            if self._rejoined is not None and not self._rejoined.done():
                self._rejoined.set_result(command)
        elif isinstance(command, Leave) and secured and command.request and frame.source == self._parent:
            self._leave_soon()

    def unsecured(self, frame: NwkFrame) -> None:
        """Take a network key, for which alone NWK security is left out."""
        self.admission.unsecured(frame)

    def aps_command(self, command: aps_commands.ApsCommand, source: int, *, nwk_secured: bool) -> None:
        """Take a new network key, and the order to use it, from the trust centre."""
        core = self._core
        if source != 0 or not nwk_secured or self.ignores_network_key:
            return
        if isinstance(command, TransportKey) and command.key_type is KeyType.STANDARD_NETWORK_KEY:
            core.material.network_keys[command.key_sequence or 0] = command.key
        elif isinstance(command, SwitchKey) and command.key_sequence in core.material.network_keys:
            core.material.switch_network_key(command.key_sequence)
            if core.network is not None:
                key = core.material.network_keys[command.key_sequence]
                core.network = replace(core.network, network_key=key, key_sequence=command.key_sequence)

    def heard_of(self, eui64: Eui64, short_address: int) -> None:
        """Take no notice."""

    def link_key(self, eui64: Eui64) -> bytes | None:
        """Return the key shared with the trust centre, the only one there is."""
        return self.admission.link_key if eui64 == self.parent_eui64 else None

    def set_link_key(self, key: bytes | None) -> None:
        """Share another key with the trust centre from now on."""
        self.admission.link_key = key

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
            "link_key": self.admission.link_key.hex() if self.admission.link_key is not None else None,
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
        self.admission.link_key = bytes.fromhex(saved["link_key"]) if saved["link_key"] is not None else None
        if self.parent_eui64 is not None:
            core.learn(self._parent, self.parent_eui64)
