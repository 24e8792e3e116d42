"""Looking for networks: beacon requests out, beacons in. Source: 05-3474-22 §3.6.1.3 (network discovery)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from drivers.virtual.stack.mac_layer import MacLayer, Reception
from drivers.virtual.stack.timings import Timings
from harness.eui64 import Eui64
from harness.zigbee import mac
from harness.zigbee.mac import Beacon, BeaconRequest, MacFrameType, ZigbeeBeacon

_STACK_PROFILE_PRO = 2


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


class Scanner:
    """Scans by one radio, one scan at a time."""

    def __init__(self, radio: MacLayer, timings: Timings) -> None:
        self._mac = radio
        self._timings = timings
        self._beacons: list[FoundNetwork] | None = None

    async def scan(self, channels: tuple[int, ...]) -> list[FoundNetwork]:
        """Return what answers a beacon request, the best heard first."""
        found: list[FoundNetwork] = []
        self._beacons = found
        try:
            for channel in channels:
                self._mac.channel, self._mac.pan_id = channel, mac.BROADCAST
                request = BeaconRequest().to_bytes()
                await self._mac.send(
                    self._mac.frame(MacFrameType.COMMAND, mac.BROADCAST, request, pan=mac.BROADCAST)
                )
                await asyncio.sleep(self._timings.scan_s)
        finally:
            self._beacons = None
        return sorted(found, key=lambda network: -network.lqi)

    def heard(self, reception: Reception) -> None:
        """Take a beacon. Raises DecodeError."""
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
            or self._mac.channel is None
        ):
            return
        self._beacons.append(
            FoundNetwork(
                channel=self._mac.channel,
                pan_id=frame.source_pan,
                parent=frame.source,
                extended_pan_id=network.extended_pan_id,
                update_id=network.update_id,
                permits=beacon.association_permit and network.end_device_capacity,
                lqi=reception.lqi,
            )
        )
