"""Commands that form a network, take the network processor on and off it, and say who is on it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from drivers.virtual.ncp.core import Answer, NcpCore, outcome
from drivers.virtual.ncp.status import Status
from drivers.virtual.ncp.trust_centre import HASHED_LINK_KEY
from drivers.virtual.stack.faces import NetworkParameters
from harness.eui64 import Eui64

_NO_NETWORK, _JOINED_NETWORK = 0, 2
_COORDINATOR, _END_DEVICE = 1, 3
_USES_MAC_ASSOCIATION = 0
_HAVE_NETWORK_KEY, _KEEP_FRAME_COUNTERS = 0x0200, 0x1000
_HAVE_TRUST_CENTRE_LINK_KEY = 0x0010
_STRONGEST_DBM = 20
_CHANNELS = range(11, 27)
_ENERGY_SCAN = 0
_QUIET_DBM = -96
_NOBODY = 0xFFFF


class Networking:
    """Handlers are found by name: ``on_`` and the command's."""

    def __init__(self, core: NcpCore) -> None:
        self._core = core
        self._network_key = bytes(16)
        self._key_sequence = 0
        self._bitmask = 0

    def on_networkState(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Say whether the network processor is on a network."""
        return {"state": _JOINED_NETWORK if self._core.up else _NO_NETWORK}

    def on_networkInit(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Go on with the network of before the reset, if there was one."""
        core = self._core
        if core.up:
            return outcome(Status.INVALID_CALL)
        if core.kept.stack is None:
            return outcome(Status.NOT_JOINED)
        core.stack.restore(core.kept.stack)
        core.volatile.tx_power = core.kept.tx_power
        core.remember_network()
        core.network_status(Status.NETWORK_UP)
        return outcome(Status.OK)

    def on_setInitialSecurityState(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Take the keys of the network that is to be formed."""
        if self._core.up:
            return outcome(Status.INVALID_CALL)
        state = fields["state"]
        self._bitmask = state["bitmask"]
        self._network_key, self._key_sequence = state["network_key"], state["key_sequence"]
        if not self._bitmask & _HAVE_NETWORK_KEY:
            self._network_key = self._core.rng.randbytes(16)
        kept = self._core.kept
        kept.security_bitmask, kept.preconfigured_key = self._bitmask, state["preconfigured_key"]
        self._core.volatile.security_set = True
        return outcome(Status.OK)

    def on_getCurrentSecurityState(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Say which security is in force."""
        if not self._core.up:
            return {"status": Status.NOT_JOINED, "state": {}}
        bitmask = _HAVE_TRUST_CENTRE_LINK_KEY | self._core.kept.security_bitmask & HASHED_LINK_KEY
        state = {"bitmask": bitmask, "trust_centre": self._core.eui64.to_bytes_le()}
        return {"status": Status.OK, "state": state}

    def on_formNetwork(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Form a network with the keys given before."""
        core, asked = self._core, fields["parameters"]
        if core.up:
            return outcome(Status.INVALID_CALL)
        if not core.volatile.security_set:
            return outcome(Status.SECURITY_STATE_NOT_SET)
        if asked["channel"] not in _CHANNELS:
            return outcome(Status.BAD_ARGUMENT)
        power = int.from_bytes(bytes((asked["tx_power"],)), "little", signed=True)
        if power > _STRONGEST_DBM:
            return outcome(Status.INVALID_POWER)
        if not self._bitmask & _KEEP_FRAME_COUNTERS:
            core.stack.set_frame_counters(network=0, aps=0)
        extended = asked["extended_pan_id"]
        core.stack.form(
            NetworkParameters(
                channel=asked["channel"],
                pan_id=asked["pan_id"],
                extended_pan_id=Eui64.from_bytes_le(extended) if any(extended) else core.eui64,
                network_key=self._network_key,
                key_sequence=self._key_sequence,
                update_id=asked["update_id"],
            )
        )
        core.volatile.tx_power = core.kept.tx_power = power
        core.remember_network()
        core.network_status(Status.NETWORK_UP)
        return outcome(Status.OK)

    def on_leaveNetwork(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Leave the network and forget it."""
        core = self._core
        if not core.up:
            return outcome(Status.NOT_JOINED)
        core.stack.abandon()
        core.remember_network()
        core.network_status(Status.NETWORK_DOWN)
        return outcome(Status.OK)

    def on_permitJoining(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Open or close the network to association."""
        core, duration = self._core, fields["duration"]
        if not core.up:
            return outcome(Status.NOT_JOINED)
        core.stack.permit_joining(0 if core.mishaps.stays_shut else duration)
        opened = Status.NETWORK_OPENED if duration else Status.NETWORK_CLOSED
        core.soon("stackStatusHandler", status=opened)
        return outcome(Status.OK)

    def on_getNodeId(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return the short address, a coordinator's 0."""
        return {"short": 0 if self._core.up else _NOBODY - 1}

    def on_getNetworkParameters(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Describe the network."""
        network = self._core.stack.network
        if network is None:
            return {"status": Status.NOT_JOINED, "node_type": 0, "parameters": {}}
        parameters = {
            "extended_pan_id": network.extended_pan_id.to_bytes_le(),
            "pan_id": network.pan_id,
            "tx_power": self._core.volatile.tx_power & 0xFF,
            "channel": network.channel,
            "join_method": _USES_MAC_ASSOCIATION,
            "manager": 0,
            "update_id": network.update_id,
            "channels": 1 << network.channel,
        }
        return {"status": Status.OK, "node_type": _COORDINATOR, "parameters": parameters}

    def on_setRadioPower(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Set the transmit power in dBm."""
        if fields["power"] > _STRONGEST_DBM:
            return outcome(Status.INVALID_POWER)
        self._core.volatile.tx_power = fields["power"]
        return outcome(Status.OK)

    def on_setRadioChannel(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """A network's channel is not moved that way here."""
        return outcome(Status.INVALID_CALL)

    def on_startScan(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Scan for energy, of which there is none but ours; an active scan finds no foreign network."""
        channels = [channel for channel in _CHANNELS if fields["channels"] >> channel & 1]
        if not channels:
            return outcome(Status.BAD_ARGUMENT)
        self._core.spawn(self._scan(channels if fields["kind"] == _ENERGY_SCAN else []))
        return outcome(Status.OK)

    async def _scan(self, channels: list[int]) -> None:
        await asyncio.sleep(0)
        mishaps = self._core.mishaps
        if mishaps.scans_partly:
            channels = channels[::2]
        for channel in channels * (2 if mishaps.scans_twice else 1):
            self._core.callback("energyScanResultHandler", {"channel": channel, "rssi": _QUIET_DBM})
        self._core.callback("scanCompleteHandler", {"channel": 0, "status": Status.OK})

    def on_stopScan(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """No scan takes long enough to be stopped."""
        return outcome(Status.OK)

    # Who is on the network.

    def on_getChildData(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Describe a child."""
        children = self._core.stack.children() if self._core.up else ()
        if fields["index"] >= len(children):
            return {"status": Status.NOT_JOINED, "child": {}}
        eui64, short = children[fields["index"]]
        child = {"eui64": eui64.to_bytes_le(), "kind": _END_DEVICE, "short": short}
        return {"status": Status.OK, "child": child}

    def on_getParentChildParameters(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Count the children."""
        children = self._core.stack.children() if self._core.up else ()
        return {"children": len(children), "parent": _NOBODY}

    def on_neighborCount(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """No routers are around."""
        return {"count": 0}

    def on_getNeighbor(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """No routers are around."""
        return {"status": Status.FAILED, "neighbour": {}}

    def on_getRouteTableEntry(self, _: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Everybody is in range, and there are no routes."""
        return {"status": Status.INDEX_OUT_OF_RANGE, "route": {}}

    def on_lookupNodeIdByEui64(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return a node's short address."""
        short = self._core.stack.short_address_of(fields["eui64"])
        if short is None:
            return {"status": Status.NOT_FOUND, "short": _NOBODY}
        return {"status": Status.OK, "short": short}

    def on_lookupEui64ByNodeId(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Return a node's EUI-64."""
        eui64 = self._core.stack.eui64_of(fields["short"])
        if eui64 is None:
            return {"status": Status.NOT_FOUND, "eui64": Eui64(0)}
        return {"status": Status.OK, "eui64": eui64}

    def on_removeDevice(self, fields: Mapping[str, Any]) -> Answer:  # noqa: N802
        """Tell a device to leave."""
        if not self._core.up:
            return outcome(Status.NOT_JOINED)
        self._core.spawn(self._core.stack.remove_device(fields["target"]))
        return outcome(Status.OK)
