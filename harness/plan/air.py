"""What the air testifies: GBCS in tunnels, plain ZCL reads, suites offered and used, what went unsecured."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.errors import BenchError, DecodeError
from harness.eui64 import Eui64
from harness.evidence.recorder import CaseRecorder
from harness.rig.bench import Bench
from harness.smets.han import AttributeAddress, Side
from harness.zigbee import key_establishment, se_security
from harness.zigbee.aps import ApsFrameType
from harness.zigbee.aps_commands import KeyType, TransportKey
from harness.zigbee.cbke.commands import ConfirmKey, Initiate
from harness.zigbee.decoder import Decoder
from harness.zigbee.mac import Beacon
from harness.zigbee.records import DecodedFrame
from harness.zigbee.tunnel import HrgpMessage, TransferData
from harness.zigbee.zcl import Direction
from harness.zigbee.zcl_general import DefaultResponse, ReadAttributes, ReadAttributesResponse

_SIDE = {Side.CLIENT: Direction.TO_CLIENT, Side.SERVER: Direction.TO_SERVER}


@dataclass(frozen=True, slots=True, kw_only=True)
class OnAir:
    """What was heard. `sealed` counts the frames that nobody could read to the end."""

    frames: tuple[DecodedFrame, ...]

    def since(self, index: int) -> OnAir:
        """Return what was heard from a frame on, counted from 0."""
        return OnAir(frames=self.frames[index:])

    @property
    def sealed(self) -> int:
        """How many frames could not be read to the end."""
        return sum(frame.error is not None for frame in self.frames)

    def gbcs(self, source: Eui64, destination: Eui64) -> tuple[bytes, ...]:
        """Return the GBCS messages that went from one to the other in a tunnel, each once."""
        found = [
            _tunnelled(frame)
            for frame in self.frames
            if frame.source_eui64 == source and frame.destination_eui64 == destination
        ]
        return tuple(dict.fromkeys(message for message in found if message))

    def reads(self, device: Eui64, where: AttributeAddress) -> int:
        """Count the plain ZCL reads of an attribute that went to a device."""
        return sum(_reads(frame, device, where) for frame in self.frames)

    def sent(self, hub: Eui64, device: Eui64, cluster: int | None) -> bool:
        """Whether a hub was heard sending a device a message of a cluster; an acknowledgement is none."""
        return any(
            frame.source_eui64 == hub
            and frame.destination_eui64 == device
            and frame.aps is not None
            and frame.aps.frame_type is ApsFrameType.DATA
            and frame.aps.cluster == cluster
            for frame in self.frames
        )

    def network_keys_to(self, device: Eui64) -> tuple[DecodedFrame, ...]:
        """Return the frames in which a trust centre sent a device the network key."""
        return tuple(
            frame
            for frame in self.frames
            if isinstance(frame.aps_command, TransportKey)
            and frame.aps_command.key_type is KeyType.STANDARD_NETWORK_KEY
            and frame.aps_command.destination == device
        )

    def doors(self, network: Eui64) -> tuple[bool, ...]:
        """Return, for each beacon of a network (extended PAN id), whether it said that devices may join."""
        return tuple(
            frame.mac_body.association_permit
            for frame in self.frames
            if isinstance(frame.mac_body, Beacon)
            and frame.zigbee_beacon is not None
            and frame.zigbee_beacon.extended_pan_id == network
        )

    def suites_offered(self, hub: Eui64) -> int | None:
        """Return the key-establishment suites that a hub said it offers, None when it was not heard."""
        for frame in reversed(self.frames):
            body = frame.zcl_body
            if frame.source_eui64 != hub or not isinstance(body, ReadAttributesResponse):
                continue
            if frame.aps is None or frame.aps.cluster != key_establishment.CLUSTER:
                continue
            for record in body.records:
                value = record.value.value if record.value is not None else None
                if record.attribute == key_establishment.KEY_ESTABLISHMENT_SUITE and isinstance(value, int):
                    return value
        return None

    def suite_of_certificates(self, one: Eui64, other: Eui64) -> int | None:
        """Return the suite of the last certificates that both showed each other, None unless they agree."""
        shown = {
            frame.source_eui64: frame.zcl_body.suite
            for frame in self.frames
            if isinstance(frame.zcl_body, Initiate) and frame.source_eui64 in (one, other)
        }
        return shown[one] if len(shown) == 2 and shown[one] == shown[other] else None

    def key_confirmations(self, one: Eui64, other: Eui64) -> set[Eui64]:
        """Return who of the two confirmed an established key to the other."""
        return {
            frame.source_eui64
            for frame in self.frames
            if isinstance(frame.zcl_body, ConfirmKey)
            and frame.source_eui64 is not None
            and {frame.source_eui64, frame.destination_eui64} == {one, other}
        }

    def unsecured(self, source: Eui64, destination: Eui64) -> tuple[DecodedFrame, ...]:
        """Return the Smart Energy messages that went without the link key that they need, refusals apart."""
        return tuple(
            frame
            for frame in self.frames
            if frame.zcl is not None
            and frame.source_eui64 == source
            and frame.destination_eui64 == destination
            and frame.aps is not None
            and frame.aps_aux is None
            and se_security.needs_link_key(frame.aps.profile or 0, frame.aps.cluster or 0)
            and not isinstance(frame.zcl_body, DefaultResponse)
        )


def opens(key: bytes, frame: DecodedFrame) -> bool:
    """Whether this link key (16 octets), and no other, opens a frame that was secured with one."""
    return Decoder(other_link_keys=(key,)).feed(frame.psdu).aps_decrypted


def heard(recorder: CaseRecorder, bench: Bench) -> OnAir:
    """Return what was heard in a case so far, read again when there are frames whose key came late."""
    frames = tuple(entry.record for entry in recorder.air_record.frames)
    if all(frame.error is None for frame in frames):
        return OnAir(frames=frames)
    again = Decoder()
    for entry in bench.hubs.values():
        try:
            keys = entry.hub.keys()
        except BenchError:  # not started
            continue
        again.keys.add_network_key(keys.network_key)
        for eui64, known in keys.link_keys.items():
            for key in known:
                again.keys.add_link_key(key, eui64)
    return _clearer(frames, tuple(again.feed(frame.psdu) for frame in frames))


def _clearer(first: Iterable[DecodedFrame], second: Iterable[DecodedFrame]) -> OnAir:
    pairs = zip(first, second, strict=True)
    return OnAir(frames=tuple(one if one.error is None else other for one, other in pairs))


def _tunnelled(frame: DecodedFrame) -> bytes:
    if not isinstance(frame.zcl_body, TransferData):
        return b""
    try:
        return HrgpMessage.from_bytes(frame.zcl_body.data).message
    except DecodeError:
        return frame.zcl_body.data


def _reads(frame: DecodedFrame, device: Eui64, where: AttributeAddress) -> bool:
    return (
        isinstance(frame.zcl_body, ReadAttributes)
        and frame.destination_eui64 == device
        and frame.aps is not None
        and frame.aps.cluster == where.cluster
        and frame.zcl is not None
        and frame.zcl.direction is _SIDE[where.side]
        and where.attribute in frame.zcl_body.attributes
    )
