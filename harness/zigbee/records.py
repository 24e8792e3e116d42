"""What a passive decoder makes of one frame: its layers, and one line that says what it is."""

from __future__ import annotations

from dataclasses import dataclass

from harness.eui64 import Eui64
from harness.zigbee.aps import ApsFrame, ApsFrameType
from harness.zigbee.aps_commands import ApsCommand, TransportKey
from harness.zigbee.fields import Record
from harness.zigbee.mac import Beacon, MacCommand, MacFrame, MacFrameType, ZigbeeBeacon
from harness.zigbee.nwk import NwkFrame
from harness.zigbee.nwk_commands import NwkCommand
from harness.zigbee.security import AuxHeader
from harness.zigbee.tunnel import TransferData
from harness.zigbee.zcl import ZclFrame
from harness.zigbee.zcl_clusters import NAMES
from harness.zigbee.zdo import ZdoBody


@dataclass(slots=True, kw_only=True)
class DecodedFrame:
    """One frame, layer by layer; a layer that is not there, or could not be read, is None.

    A decoder fills it in, layer by layer, and nobody writes into it afterwards.

    `nwk` and `aps` are in clear when they could be opened, else as on the air; `nwk_aux` and `aps_aux`
    are there when that layer was secured. `message` is the whole APS payload in clear; of a fragmented
    message it stands on the frame that completed it, with the indices of all its frames in `fragments`.
    """

    index: int
    psdu: bytes
    mac: MacFrame | None = None
    mac_body: Beacon | MacCommand | None = None
    zigbee_beacon: ZigbeeBeacon | None = None
    nwk: NwkFrame | None = None
    nwk_aux: AuxHeader | None = None
    nwk_decrypted: bool = False
    nwk_command: NwkCommand | None = None
    aps: ApsFrame | None = None
    aps_aux: AuxHeader | None = None
    aps_decrypted: bool = False
    aps_command: ApsCommand | None = None
    tunnelled: ApsCommand | None = None  # what an APS Tunnel command held, when it could be opened
    message: bytes | None = None
    fragments: tuple[int, ...] = ()
    zdo: ZdoBody | None = None
    zdo_sequence: int | None = None
    zcl: ZclFrame | None = None
    zcl_body: Record | None = None
    source_eui64: Eui64 | None = None
    destination_eui64: Eui64 | None = None
    error: str | None = None

    @property
    def pan_id(self) -> int | None:
        """The PAN that the frame belongs to."""
        if self.mac is None:
            return None
        return self.mac.destination_pan if self.mac.source_pan_id is None else self.mac.source_pan_id

    @property
    def summary(self) -> str:
        """One line: layer, what, from whom to whom, how secured, what went wrong."""
        parts = [self._what(), self._way(), self._security(), self.error and f"! {self.error}"]
        return " ".join(part for part in parts if part)

    def _what(self) -> str:
        for describe in (self._application_layer, self._aps_layer, self._nwk_layer):
            if text := describe():
                return text
        return self._mac_layer()

    def _application_layer(self) -> str | None:
        if self.zdo is not None:
            return f"ZDO {type(self.zdo).__name__}"
        if self.zcl is None or self.aps is None:
            return None
        cluster = self.aps.cluster or 0
        if self.zcl_body is None:
            command = f"command 0x{self.zcl.command:02X}"
        else:
            command = type(self.zcl_body).__name__
        text = f"ZCL {NAMES.get(cluster, f'cluster 0x{cluster:04X}')} {command}"
        if isinstance(self.zcl_body, TransferData):
            text += f" {len(self.zcl_body.data)} octets"
        return f"{text} in {len(self.fragments)} fragments" if self.fragments else text

    def _aps_layer(self) -> str | None:
        if self.aps is None:
            return None
        if self.aps_command is not None:
            command = self.tunnelled or self.aps_command
            key = f" of a {command.key_type.name}" if isinstance(command, TransportKey) else ""
            return f"APS {'tunnelled ' if self.tunnelled else ''}{type(command).__name__}{key}"
        block = "" if self.aps.extended is None else f" {self.aps.extended.fragmentation.name} block"
        number = "" if self.aps.extended is None else f" {self.aps.extended.block}"
        return f"APS {self.aps.frame_type.name}{block}{number} counter {self.aps.counter}"

    def _nwk_layer(self) -> str | None:
        if self.nwk is None:
            return None
        return f"NWK {type(self.nwk_command).__name__ if self.nwk_command else self.nwk.frame_type.name}"

    def _mac_layer(self) -> str:
        if self.mac is None:
            return f"{len(self.psdu)} octets"
        if self.zigbee_beacon is not None and isinstance(self.mac_body, Beacon):
            joining = "open" if self.mac_body.association_permit else "closed"
            return f"Beacon of {self.zigbee_beacon.extended_pan_id}, {joining} for joining"
        if self.mac.frame_type is MacFrameType.ACK:
            return f"MAC ACK {self.mac.sequence}"
        return f"MAC {type(self.mac_body).__name__ if self.mac_body else self.mac.frame_type.name}"

    def _way(self) -> str | None:
        if self.nwk is not None:
            return f"{self.nwk.source:04X} -> {self.nwk.destination:04X}"
        if self.mac is None or (self.mac.source is None and self.mac.destination is None):
            return None
        return f"{_address(self.mac.source)} -> {_address(self.mac.destination)}"

    def _security(self) -> str | None:
        layers = []
        if self.nwk_aux is not None:
            layers.append("NWK" if self.nwk_decrypted else "NWK sealed")
        if self.aps_aux is not None:
            key = self.aps_aux.key_id.name
            layers.append(f"APS {key} key" if self.aps_decrypted else f"APS {key} key, sealed")
        return f"[{', '.join(layers)}]" if layers else None

    @property
    def is_fragment(self) -> bool:
        """Whether this is a block of a fragmented message."""
        return (
            self.aps is not None
            and self.aps.frame_type is ApsFrameType.DATA
            and self.aps.extended is not None
            and self.aps.extended.block is not None
        )


def _address(address: int | Eui64 | None) -> str:
    if address is None:
        return "-"
    return str(address) if isinstance(address, Eui64) else f"{address:04X}"
