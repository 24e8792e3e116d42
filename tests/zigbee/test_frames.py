"""Frames that are built as values come back as the same values, and look as the specification draws them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.zigbee import aps, mac, nwk
from harness.zigbee.aps import ApsFrame, ApsFrameType, DeliveryMode, ExtendedHeader, Fragmentation
from harness.zigbee.mac import Capability, MacFrame, MacFrameType
from harness.zigbee.nwk import NwkFrame, NwkFrameType, SourceRoute
from harness.zigbee.security import AuthenticationFailed, KeyId
from tests.zigbee.conversation import HUB, LINK_KEY, NETWORK_KEY, PPMID

U8, U16 = st.integers(0, 0xFF), st.integers(0, 0xFFFF)
EUI64 = st.builds(Eui64, st.integers(0, (1 << 64) - 1))
PAYLOAD = st.binary(max_size=80)


@st.composite
def mac_frames(draw):
    destination = draw(st.none() | U16 | EUI64)
    source = draw(st.none() | U16 | EUI64)
    compressed = destination is not None and source is not None and draw(st.booleans())
    return MacFrame(
        frame_type=draw(st.sampled_from(list(MacFrameType))),
        frame_pending=draw(st.booleans()),
        ack_request=draw(st.booleans()),
        pan_id_compression=compressed,
        version=draw(st.integers(0, 1)),
        sequence=draw(U8),
        destination_pan=None if destination is None else draw(U16),
        destination=destination,
        source_pan=None if source is None or compressed else draw(U16),
        source=source,
        payload=draw(PAYLOAD),
    )


nwk_frames = st.builds(
    NwkFrame,
    frame_type=st.sampled_from([NwkFrameType.DATA, NwkFrameType.COMMAND]),
    discover_route=st.sampled_from(list(nwk.DiscoverRoute)),
    end_device_initiator=st.booleans(),
    destination=U16,
    source=U16,
    radius=U8,
    sequence=U8,
    destination_ieee=st.none() | EUI64,
    source_ieee=st.none() | EUI64,
    multicast_control=st.none() | U8,
    source_route=st.none()
    | st.builds(SourceRoute, relay_index=U8, relays=st.lists(U16, max_size=5).map(tuple)),
    payload=PAYLOAD,
)

blocks = st.none() | st.builds(
    ExtendedHeader, fragmentation=st.sampled_from([Fragmentation.FIRST, Fragmentation.SUBSEQUENT]), block=U8
)


@st.composite
def aps_frames(draw):
    mode = draw(st.sampled_from(list(DeliveryMode)))
    group = mode is DeliveryMode.GROUP
    return ApsFrame(
        frame_type=ApsFrameType.DATA,
        delivery_mode=mode,
        ack_request=draw(st.booleans()),
        destination_endpoint=None if group else draw(U8),
        group=draw(U16) if group else None,
        cluster=draw(U16),
        profile=draw(U16),
        source_endpoint=draw(U8),
        counter=draw(U8),
        extended=draw(blocks),
        payload=draw(PAYLOAD),
    )


@given(mac_frames())
def test_mac_frames_round_trip(frame):
    assert MacFrame.from_bytes(mac.strip_fcs(mac.with_fcs(frame.to_bytes()))) == frame


@given(nwk_frames)
def test_nwk_frames_round_trip(frame):
    assert NwkFrame.from_bytes(frame.to_bytes()) == frame


@given(aps_frames())
def test_aps_frames_round_trip(frame):
    assert ApsFrame.from_bytes(frame.to_bytes()) == frame


@given(nwk_frames, st.integers(0, 0xFFFFFFFF), U8)
def test_secured_nwk_frames_round_trip(frame, counter, sequence):
    secured = nwk.protect(frame, NETWORK_KEY, frame_counter=counter, source=HUB, key_sequence=sequence)
    assert frame.payload not in secured.payload or len(frame.payload) < 4
    opened, aux = nwk.unprotect(NwkFrame.from_bytes(secured.to_bytes()), NETWORK_KEY)
    assert opened == frame
    assert (aux.frame_counter, aux.source, aux.key_sequence) == (counter, HUB, sequence)


@given(aps_frames(), st.sampled_from([KeyId.DATA, KeyId.KEY_TRANSPORT, KeyId.KEY_LOAD]), st.booleans())
def test_secured_aps_frames_round_trip(frame, key_id, extended_nonce):
    secured = aps.protect(
        frame, LINK_KEY, frame_counter=7, source=PPMID, key_id=key_id, extended_nonce=extended_nonce
    )
    opened, aux = aps.unprotect(ApsFrame.from_bytes(secured.to_bytes()), LINK_KEY, source=PPMID)
    assert opened == frame
    assert (aux.key_id, aux.source) == (key_id, PPMID if extended_nonce else None)


@given(nwk_frames, st.data())
def test_a_changed_bit_in_a_secured_nwk_frame_is_noticed(frame, data):
    octets = bytearray(nwk.protect(frame, NETWORK_KEY, frame_counter=1, source=HUB).to_bytes())
    header = len(frame.to_bytes()) - len(frame.payload)
    level_bits = range(8 * header, 8 * header + 3)
    bit = data.draw(st.integers(0, 8 * len(octets) - 1).filter(lambda n: n not in level_bits))
    octets[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DecodeError):
        nwk.unprotect(NwkFrame.from_bytes(bytes(octets)), NETWORK_KEY)


def test_another_link_key_does_not_open_a_frame():
    frame = ApsFrame(frame_type=ApsFrameType.COMMAND, counter=1, payload=b"\x09\x01")
    secured = aps.protect(frame, LINK_KEY, frame_counter=1, source=HUB, key_id=KeyId.KEY_TRANSPORT)
    with pytest.raises(AuthenticationFailed):
        aps.unprotect(secured, bytes(16))
    with pytest.raises(DecodeError, match="not secured"):
        aps.unprotect(frame, LINK_KEY)


def test_the_fcs_is_the_standard_s_own_example():
    # IEEE 802.15.4-2006 §7.2.1.9, whose bits are in the order of transmission: octets 02 00 6A, FCS E4 79.
    assert mac.with_fcs(mac.ack(0x6A).to_bytes()).hex() == "02006ae479"


def test_a_wrong_fcs_is_refused():
    with pytest.raises(DecodeError, match="FCS"):
        mac.strip_fcs(bytes.fromhex("0200560000"))


def test_a_capability_octet_reads_as_the_standard_draws_it():
    full = Capability(full_function_device=True, mains_powered=True, receiver_on_when_idle=True)
    assert full.to_bytes() == b"\x8e"
    assert Capability.from_bytes(b"\x80") == Capability()


def test_the_reserved_addressing_mode_is_refused():
    with pytest.raises(DecodeError, match="addressing mode 1"):
        MacFrame.from_bytes(bytes.fromhex("0104010203040506"))


def test_a_frame_of_a_later_mac_is_refused():
    with pytest.raises(DecodeError, match="2006"):
        MacFrame.from_bytes(bytes.fromhex("012001"))


def test_an_acknowledgement_of_data_turns_the_endpoints_round():
    data = ApsFrame(
        frame_type=ApsFrameType.DATA,
        destination_endpoint=1,
        source_endpoint=2,
        cluster=0x0704,
        profile=0x0109,
        counter=9,
    )
    ack = aps.acknowledgement(data)
    assert (ack.source_endpoint, ack.destination_endpoint, ack.counter) == (1, 2, 9)
    assert ApsFrame.from_bytes(ack.to_bytes()) == ack


def test_an_acknowledgement_of_a_command_has_the_ack_format_bit_and_no_endpoints():
    command = ApsFrame(frame_type=ApsFrameType.COMMAND, counter=9)
    assert aps.acknowledgement(command).to_bytes() == b"\x12\x09"


def test_the_acknowledgement_of_a_block_carries_the_bitfield():
    header = ExtendedHeader(fragmentation=Fragmentation.FIRST, block=0, ack_bitfield=0xFF)
    frame = ApsFrame(frame_type=ApsFrameType.COMMAND, counter=9)
    ack = aps.acknowledgement(frame, extended=header)
    assert ack.to_bytes() == b"\x92\x09\x01\x00\xff"
    assert ApsFrame.from_bytes(ack.to_bytes()) == ack
