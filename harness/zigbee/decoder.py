"""The passive decoder: frames off the air in, layered records out.

It is given keys, learns more from Transport Keys that it can open, learns who goes by which short
address, and puts fragmented messages together. It never raises: what it cannot read is in a record's
`error`, beside the layers that it could. Feed it in the order of the air.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee import aps_commands, mac, nwk_commands, zcl_clusters, zcl_general, zdo
from harness.zigbee.aps import ZDO_PROFILE, ApsFrame, ApsFrameType
from harness.zigbee.aps_commands import ApsCommand, KeyType, TransportKey, Tunnel
from harness.zigbee.keyring import AddressBook, KeyRing
from harness.zigbee.mac import (
    AssociationResponse,
    AssociationStatus,
    Beacon,
    MacFrame,
    MacFrameType,
    ZigbeeBeacon,
)
from harness.zigbee.nwk import NwkFrame, NwkFrameType
from harness.zigbee.nwk_commands import RejoinResponse
from harness.zigbee.reassembly import Reassembler
from harness.zigbee.records import DecodedFrame
from harness.zigbee.security import AuxHeader, KeyId, split
from harness.zigbee.zcl import ZclFrame, ZclFrameType

__all__ = ["DecodedFrame", "Decoder"]

_ZIGBEE_PRO = 2


class Decoder:
    """Decodes PSDUs one after the other. `index` of a record counts from 0."""

    def __init__(
        self,
        *,
        network_keys: Iterable[tuple[int, bytes]] = (),
        link_keys: Mapping[Eui64, bytes] | None = None,
        other_link_keys: Iterable[bytes] = (),
    ) -> None:
        """Take network keys as (sequence number, key), link keys by EUI-64, and link keys of nobody known."""
        self.keys = KeyRing(network_keys, link_keys, other_link_keys)
        self.addresses = AddressBook()
        self._reassembler = Reassembler()
        self._fed = 0
        self._stages = (
            self._mac_frame,
            self._mac_body,
            self._beacon,
            self._nwk_frame,
            self._nwk_clear,
            self._nwk_command,
            self._aps_frame,
            self._aps_clear,
            self._aps_command,
            self._message,
            self._zdo,
            self._zcl_frame,
            self._zcl_body,
        )

    def feed(self, psdu: bytes) -> DecodedFrame:
        """Decode one PSDU with its FCS. Never raises."""
        record = DecodedFrame(index=self._fed, psdu=bytes(psdu))
        self._fed += 1
        for stage in self._stages:
            try:
                stage(record)
            except DecodeError as error:
                layer = stage.__name__.strip("_").split("_")[0].upper()
                record.error = f"{layer}: {error}"
            if record.error is not None:
                break
        return record

    # --- MAC ----------------------------------------------------------------------------------------

    def _mac_frame(self, record: DecodedFrame) -> None:
        frame = record.mac = MacFrame.from_bytes(mac.strip_fcs(record.psdu))
        record.source_eui64 = self._mac_eui64(frame.source_pan_id, frame.source)
        record.destination_eui64 = self._mac_eui64(frame.destination_pan, frame.destination)

    def _mac_eui64(self, pan: int | None, address: int | Eui64 | None) -> Eui64 | None:
        return address if isinstance(address, Eui64) else self.addresses.eui64(pan, address)

    def _mac_body(self, record: DecodedFrame) -> None:
        frame = record.mac
        if frame is None:
            return
        if frame.security:
            record.error = "MAC: secured, which Zigbee never is"
        elif frame.frame_type is MacFrameType.BEACON:
            record.mac_body = Beacon.from_bytes(frame.payload)
        elif frame.frame_type is MacFrameType.COMMAND:
            command = record.mac_body = mac.parse_command(frame.payload)
            if isinstance(command, AssociationResponse) and command.status is AssociationStatus.SUCCESS:
                self.addresses.learn(record.pan_id, command.short_address, record.destination_eui64)

    def _beacon(self, record: DecodedFrame) -> None:
        # Other kinds of network beacon too; only Zigbee's payload begins with protocol id 0.
        if isinstance(record.mac_body, Beacon) and record.mac_body.payload[:1] == b"\x00":
            record.zigbee_beacon = ZigbeeBeacon.from_bytes(record.mac_body.payload)

    # --- NWK ----------------------------------------------------------------------------------------

    def _nwk_frame(self, record: DecodedFrame) -> None:
        if record.mac is None or record.mac.frame_type is not MacFrameType.DATA or not record.mac.payload:
            return
        control = record.mac.payload[0]
        if control & 3 == NwkFrameType.INTER_PAN or control >> 2 & 15 != _ZIGBEE_PRO:
            raise DecodeError(
                "frame control", f"{control:#04x} is not of a Zigbee PRO network frame", offset=0
            )
        frame = record.nwk = NwkFrame.from_bytes(record.mac.payload)
        self.addresses.learn(record.pan_id, frame.source, frame.source_ieee)
        self.addresses.learn(record.pan_id, frame.destination, frame.destination_ieee)
        self._name_parties(record)

    def _name_parties(self, record: DecodedFrame) -> None:
        if record.nwk is not None:
            record.source_eui64 = self.addresses.eui64(record.pan_id, record.nwk.source)
            record.destination_eui64 = self.addresses.eui64(record.pan_id, record.nwk.destination)

    def _nwk_clear(self, record: DecodedFrame) -> None:
        if record.nwk is None or not record.nwk.security:
            return
        opened = self.keys.open_nwk(record.nwk)
        if opened is None:
            record.nwk_aux = _aux(record.nwk.payload)
            record.error = "NWK: no network key opens it"
            return
        record.nwk, record.nwk_aux = opened
        record.nwk_decrypted = True
        # The auxiliary header names this hop's sender, which the MAC header has by its short address.
        if record.mac is not None and isinstance(record.mac.source, int):
            self.addresses.learn(record.pan_id, record.mac.source, record.nwk_aux.source)
        self._name_parties(record)

    def _nwk_command(self, record: DecodedFrame) -> None:
        if record.nwk is None or record.nwk.frame_type is not NwkFrameType.COMMAND:
            return
        command = record.nwk_command = nwk_commands.parse_command(record.nwk.payload)
        if isinstance(command, RejoinResponse) and command.status == 0:
            self.addresses.learn(record.pan_id, command.short_address, record.nwk.destination_ieee)

    # --- APS ----------------------------------------------------------------------------------------

    def _aps_frame(self, record: DecodedFrame) -> None:
        if record.nwk is not None and record.nwk.frame_type is NwkFrameType.DATA:
            record.aps = ApsFrame.from_bytes(record.nwk.payload)

    def _aps_clear(self, record: DecodedFrame) -> None:
        if record.aps is None or not record.aps.security:
            return
        opened = self.keys.open_aps(record.aps, record.source_eui64, record.destination_eui64)
        if opened is None:
            record.aps_aux = _aux(record.aps.payload)
            record.error = "APS: no key opens it"
            return
        record.aps, aux = opened
        record.aps_aux, record.aps_decrypted = aux, True
        # Under a key-transport key the NWK source may be a parent that passes the trust centre's frame on.
        if record.nwk is not None and aux.key_id is KeyId.DATA:
            self.addresses.learn(record.pan_id, record.nwk.source, aux.source)
        self._name_parties(record)

    def _aps_command(self, record: DecodedFrame) -> None:
        if record.aps is None or record.aps.frame_type is not ApsFrameType.COMMAND:
            return
        command = aps_commands.parse_command(record.aps.payload)
        self._learn_key(command)
        if isinstance(command, Tunnel):
            record.tunnelled = self._open_tunnel(command, record.source_eui64)
        record.aps_command = command

    def _open_tunnel(self, command: Tunnel, source: Eui64 | None) -> ApsCommand | None:
        frame = ApsFrame.from_bytes(command.frame)
        opened = self.keys.open_aps(frame, source, command.destination) if frame.security else (frame, None)
        if opened is None:
            return None
        inner = aps_commands.parse_command(opened[0].payload)
        self._learn_key(inner)
        return inner

    def _learn_key(self, command: ApsCommand) -> None:
        if not isinstance(command, TransportKey):
            return
        if command.key_type is KeyType.STANDARD_NETWORK_KEY:
            self.keys.add_network_key(command.key, command.key_sequence or 0)
        elif command.key_type is KeyType.TRUST_CENTRE_LINK_KEY:
            self.keys.add_link_key(command.key, command.destination)
        else:
            self.keys.add_link_key(command.key)

    def _message(self, record: DecodedFrame) -> None:
        if record.aps is None or record.aps.frame_type is not ApsFrameType.DATA or record.nwk is None:
            return
        frame = record.aps
        if not record.is_fragment or frame.extended is None:
            record.message = frame.payload
            return
        name = (
            *(record.pan_id, record.nwk.source, record.nwk.destination, frame.counter),
            *(frame.profile, frame.cluster, frame.source_endpoint, frame.destination_endpoint),
        )
        whole = self._reassembler.add(name, frame.extended, frame.payload, record.index)
        if whole is not None:
            record.message, record.fragments = whole.payload, whole.fragments

    # --- application --------------------------------------------------------------------------------

    def _zdo(self, record: DecodedFrame) -> None:
        if record.message is None or record.aps is None or record.aps.profile != ZDO_PROFILE:
            return
        record.zdo_sequence, body = zdo.decode(record.aps.cluster or 0, record.message)
        if isinstance(body, zdo.DeviceAnnce | zdo.NwkAddrRsp | zdo.IeeeAddrRsp):
            self.addresses.learn(record.pan_id, body.nwk_address, body.ieee_address)
        record.zdo = body
        self._name_parties(record)

    def _zcl_frame(self, record: DecodedFrame) -> None:
        if record.message is None or record.aps is None or record.aps.profile == ZDO_PROFILE:
            return
        record.zcl = ZclFrame.from_bytes(record.message)

    def _zcl_body(self, record: DecodedFrame) -> None:
        if record.zcl is None or record.aps is None:
            return
        if record.zcl.frame_type is ZclFrameType.GLOBAL:
            record.zcl_body = zcl_general.parse(record.zcl)
        else:
            record.zcl_body = zcl_clusters.parse(record.aps.cluster or 0, record.zcl)


def _aux(secured: bytes) -> AuxHeader:
    return split(secured)[0]
