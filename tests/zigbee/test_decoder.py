"""The passive decoder: what it reads, learns, says when it cannot read; and that it never raises."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.zigbee import aps, mac, nwk, tunnel
from harness.zigbee.aps import ApsFrame, ApsFrameType, ExtendedHeader, Fragmentation
from harness.zigbee.aps_commands import KeyType, TransportKey, Tunnel
from harness.zigbee.decoder import Decoder
from harness.zigbee.mac import MacFrame, MacFrameType
from harness.zigbee.nwk import NwkFrame, NwkFrameType
from harness.zigbee.reassembly import MAXIMUM_OPEN, Reassembler
from harness.zigbee.security import KeyId
from harness.zigbee.zcl import Direction
from tests.zigbee.conversation import (
    HUB,
    HUB_SHORT,
    LINK_KEY,
    NETWORK_KEY,
    PAN,
    PPMID,
    Conversation,
    whole_life,
)

MESSAGE = bytes(range(0x40, 0x40 + 78))
AIR = whole_life(MESSAGE)
MAC_HEADER = 9  # octets: frame control, sequence, PAN id, two short addresses


def decode(air: Conversation = AIR, **keys):
    decoder = Decoder(**(keys or {"link_keys": {PPMID: LINK_KEY}}))
    return decoder, {name: decoder.feed(psdu) for name, psdu in air.frames}


def test_every_frame_is_read_from_the_install_code_link_key_alone():
    decoder, seen = decode()
    assert {name: record.error for name, record in seen.items() if record.error} == {}
    assert decoder.keys.network_keys == ((0, NETWORK_KEY),)
    assert [record.index for record in seen.values()] == list(range(len(seen)))


def test_a_link_key_of_nobody_known_serves_as_well():
    _, seen = decode(other_link_keys=[bytes(16), LINK_KEY])
    assert all(record.error is None for record in seen.values())


def test_records_know_who_speaks_to_whom():
    _, seen = decode()
    assert (seen["association response"].source_eui64, seen["association response"].destination_eui64) == (
        HUB,
        PPMID,
    )
    assert (seen["read suites"].source_eui64, seen["read suites"].destination_eui64) == (PPMID, HUB)
    assert seen["suites"].pan_id == PAN


def test_the_summary_says_what_a_frame_is():
    _, seen = decode()
    for name, beginning in {
        "beacon": "Beacon of 00-DB-12-34-56-78-91-02, open for joining",
        "association request": "MAC AssociationRequest 00-DB-12-34-56-78-90-A4 -> 0000",
        "transport key": "APS TransportKey of a STANDARD_NETWORK_KEY 0000 -> 3F4C [APS KEY_TRANSPORT key]",
        "device annce": "ZDO DeviceAnnce 3F4C -> FFFD [NWK]",
        "suites": "ZCL Key Establishment ReadAttributesResponse 0000 -> 3F4C [NWK]",
        "put 0": "APS DATA FIRST block 3 counter",
        "put 2": "ZCL Tunneling TransferData 79 octets in 3 fragments 0000 -> 3F4C [NWK, APS DATA key]",
        "leave": "NWK Leave 3F4C -> 0000 [NWK]",
    }.items():
        assert seen[name].summary.startswith(beginning)
    assert all("\n" not in record.summary for record in seen.values())


def test_the_record_that_completes_a_message_has_all_of_it():
    _, seen = decode()
    first, second, last = (seen[f"put {number}"] for number in range(3))
    assert (first.message, first.zcl, second.message) == (None, None, None)
    assert first.is_fragment
    assert last.fragments == (first.index, second.index, last.index)
    assert last.zcl_body == tunnel.TransferData(tunnel=1, data=b"\x03" + MESSAGE)


def test_without_keys_the_headers_are_read_and_the_rest_is_said_to_be_sealed():
    _, seen = decode(network_keys=[(0, bytes(16))])
    sealed = seen["transport key"]
    assert sealed.error == "APS: no key opens it"
    assert (sealed.aps_decrypted, sealed.aps.frame_type) == (False, ApsFrameType.COMMAND)
    assert sealed.aps_aux.key_id is KeyId.KEY_TRANSPORT
    assert seen["suites"].error == "NWK: no network key opens it"
    assert (seen["suites"].nwk.source, seen["suites"].nwk_decrypted, seen["suites"].aps) == (0, False, None)
    assert "[NWK sealed] ! NWK: no network key opens it" in seen["suites"].summary


def test_with_the_network_key_alone_the_tunnel_stays_sealed():
    _, seen = decode(network_keys=[(0, NETWORK_KEY)])
    assert seen["suites"].error is None
    assert seen["request tunnel"].error == "APS: no key opens it"
    assert seen["request tunnel"].nwk_decrypted


def test_a_learnt_link_key_opens_what_follows():
    new = bytes(range(16))
    decoder = Decoder(network_keys=[(0, NETWORK_KEY)], link_keys={PPMID: LINK_KEY})
    decoder.feed(AIR.psdu("link key"))
    air = Conversation(counter=200)
    air.data("after", tunnel_get(), up=True, cluster=tunnel.CLUSTER, link_key=new)
    assert decoder.feed(air.psdu("after")).error is None
    assert Decoder(network_keys=[(0, NETWORK_KEY)], link_keys={PPMID: LINK_KEY}).feed(air.psdu("after")).error


def tunnel_get() -> bytes:
    return tunnel.frame(
        tunnel.TransferData(tunnel=1, data=b"\x01"), 1, direction=Direction.TO_SERVER
    ).to_bytes()


def test_a_frame_without_its_sender_needs_the_address_book():
    air = Conversation(counter=200)
    air.data("bare", tunnel_get(), up=True, cluster=tunnel.CLUSTER, link_key=LINK_KEY, extended_nonce=False)
    keys = {"network_keys": [(0, NETWORK_KEY)], "link_keys": {PPMID: LINK_KEY}}
    # The NWK header of the hop names the sender, so a directly heard frame opens.
    assert Decoder(**keys).feed(air.psdu("bare")).error is None
    relayed = MacFrame.from_bytes(mac.strip_fcs(air.psdu("bare")))
    inner, _ = nwk.unprotect(NwkFrame.from_bytes(relayed.payload), NETWORK_KEY)
    again = nwk.protect(inner, NETWORK_KEY, frame_counter=1, source=HUB)
    psdu = mac.with_fcs(dataclasses.replace(relayed, source=0x5555, payload=again.to_bytes()).to_bytes())
    decoder = Decoder(**keys)
    assert "source EUI-64" in decoder.feed(psdu).error
    decoder.feed(AIR.psdu("device annce"))
    assert decoder.feed(psdu).error is None


def test_a_transport_key_that_a_parent_passes_on_does_not_name_the_parent():
    inner = TransportKey(
        key_type=KeyType.STANDARD_NETWORK_KEY, key=NETWORK_KEY, key_sequence=0, destination=PPMID, source=HUB
    )
    air = Conversation()
    air.command("passed on", inner, link_key=LINK_KEY, key_id=KeyId.KEY_TRANSPORT, secured=False)
    relayed = MacFrame.from_bytes(mac.strip_fcs(air.psdu("passed on")))
    frame = dataclasses.replace(NwkFrame.from_bytes(relayed.payload), source=0x5555)
    psdu = mac.with_fcs(dataclasses.replace(relayed, source=0x5555, payload=frame.to_bytes()).to_bytes())
    decoder = Decoder(link_keys={PPMID: LINK_KEY})
    assert decoder.feed(psdu).error is None
    assert decoder.addresses.eui64(PAN, 0x5555) is None


def test_a_tunnelled_transport_key_is_opened_and_learnt():
    key = TransportKey(
        key_type=KeyType.STANDARD_NETWORK_KEY,
        key=bytes(range(16)),
        key_sequence=1,
        destination=PPMID,
        source=HUB,
    )
    frame = ApsFrame(frame_type=ApsFrameType.COMMAND, counter=9, payload=key.to_bytes())
    sealed = aps.protect(frame, LINK_KEY, frame_counter=1, source=HUB, key_id=KeyId.KEY_TRANSPORT)
    air = Conversation()
    air.command("tunnel", Tunnel(destination=PPMID, frame=sealed.to_bytes()))
    decoder = Decoder(network_keys=[(0, NETWORK_KEY)], link_keys={PPMID: LINK_KEY})
    record = decoder.feed(air.psdu("tunnel"))
    assert record.tunnelled == key
    assert (1, bytes(range(16))) in decoder.keys.network_keys
    assert record.summary.startswith("APS tunnelled TransportKey of a STANDARD_NETWORK_KEY")


def test_two_networks_with_the_same_key_sequence_are_both_read():
    other = bytes(range(16))
    decoder = Decoder(network_keys=[(0, other), (0, NETWORK_KEY)])
    assert decoder.feed(AIR.psdu("suites")).error is None


@pytest.mark.parametrize("name", ["transport key", "suites", "put 0", "put 0 ack", "leave"])
def test_a_changed_bit_never_passes_for_the_frame(name):
    psdu = AIR.psdu(name)
    whole = Decoder(network_keys=[(0, NETWORK_KEY)], link_keys={PPMID: LINK_KEY}).feed(psdu)
    refused = 0
    for bit in range(8 * MAC_HEADER, 8 * (len(psdu) - 2)):
        changed = bytearray(psdu[:-2])
        changed[bit // 8] ^= 1 << bit % 8
        decoder = Decoder(network_keys=[(0, NETWORK_KEY)], link_keys={PPMID: LINK_KEY})
        record = decoder.feed(mac.with_fcs(bytes(changed)))
        refused += record.error is not None
        if record.nwk_decrypted:
            assert record.nwk == whole.nwk
        if record.aps_decrypted:
            assert record.aps == whole.aps
    # The level bits of a header and, before a frame that is sealed by APS alone, the NWK header may change.
    assert refused > 8 * (len(psdu) - 2 - MAC_HEADER) - 80


def test_a_wrong_fcs_stops_everything():
    psdu = AIR.psdu("beacon")
    record = Decoder().feed(psdu[:-1] + bytes([psdu[-1] ^ 0x80]))
    assert record.mac is None
    assert record.error.startswith("MAC: FCS")
    assert record.summary == f"{len(psdu)} octets ! {record.error}"


@given(st.binary(max_size=127))
def test_random_octets_never_raise(octets):
    for psdu in (octets, mac.with_fcs(octets)):
        assert Decoder().feed(psdu).summary


@given(st.sampled_from(AIR.frames), st.data())
def test_a_frame_cut_or_changed_under_its_seals_never_raises(frame, data):
    """Changed in clear at each layer, and sealed again, so that the layers above see rubbish."""
    decoder = Decoder(network_keys=[(0, NETWORK_KEY)], link_keys={PPMID: LINK_KEY})
    record = decoder.feed(frame[1])
    rubbish = data.draw(st.binary(max_size=60))
    if record.aps is None or record.nwk is None or record.mac is None:
        return
    cut = data.draw(st.integers(0, len(record.aps.payload)))
    payload = record.aps.payload[:cut] + rubbish
    inner = dataclasses.replace(record.aps, payload=payload).to_bytes()
    for nwk_payload in (inner, rubbish, inner[: len(inner) // 2]):
        network = dataclasses.replace(record.nwk, payload=nwk_payload)
        sealed = nwk.protect(network, NETWORK_KEY, frame_counter=1, source=HUB)
        outer = dataclasses.replace(record.mac, payload=sealed.to_bytes())
        again = decoder.feed(mac.with_fcs(outer.to_bytes()))
        assert again.nwk_decrypted
        assert again.summary


@given(st.binary(max_size=60))
def test_rubbish_in_nwk_and_aps_commands_never_raises(rubbish):
    decoder = Decoder(network_keys=[(0, NETWORK_KEY)])
    command = ApsFrame(frame_type=ApsFrameType.COMMAND, counter=1, payload=rubbish).to_bytes()
    for kind, payload in ((NwkFrameType.COMMAND, rubbish), (NwkFrameType.DATA, command)):
        air = Conversation()
        air.nwk("rubbish", payload, up=False, frame_type=kind)
        assert decoder.feed(air.psdu("rubbish")).nwk_decrypted


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(b"\x0b\x00\x00", "frame control: 0x0b is not of", id="inter-PAN"),
        pytest.param(b"\x0c\x00\x00", "frame control: 0x0c is not of", id="Green Power"),
    ],
)
def test_other_frames_in_mac_data_are_not_taken_for_zigbee(payload, reason):
    frame = MacFrame(
        frame_type=MacFrameType.DATA, sequence=1, destination_pan=PAN, destination=0xFFFF, payload=payload
    )
    record = Decoder().feed(mac.with_fcs(frame.to_bytes()))
    assert reason.split(":")[0] in record.error
    assert record.nwk is None


def test_a_beacon_of_another_kind_of_network_is_no_error():
    frame = MacFrame(
        frame_type=MacFrameType.BEACON,
        sequence=1,
        source_pan=PAN,
        source=HUB_SHORT,
        payload=mac.Beacon(payload=b"\x03thread").to_bytes(),
    )
    record = Decoder().feed(mac.with_fcs(frame.to_bytes()))
    assert (record.error, record.zigbee_beacon) == (None, None)
    assert record.summary.startswith("MAC Beacon")


# --- reassembly -------------------------------------------------------------------------------------

FIRST = ExtendedHeader(fragmentation=Fragmentation.FIRST, block=3)


def later(number: int) -> ExtendedHeader:
    return ExtendedHeader(fragmentation=Fragmentation.SUBSEQUENT, block=number)


def test_blocks_in_any_order_make_the_message_once():
    reassembler = Reassembler()
    assert reassembler.add("m", later(2), b"c", 0) is None
    assert reassembler.add("m", FIRST, b"a", 1) is None
    assert reassembler.add("m", FIRST, b"a", 2) is None
    whole = reassembler.add("m", later(1), b"b", 3)
    assert (whole.payload, whole.fragments) == (b"abc", (2, 3, 0))
    assert reassembler.add("m", later(1), b"b", 4) is None


def test_another_message_under_the_same_counter_begins_anew():
    reassembler = Reassembler()
    for header, octets in ((FIRST, b"a"), (later(1), b"b"), (later(2), b"c")):
        reassembler.add("m", header, octets, 0)
    assert reassembler.add("m", FIRST, b"x", 5) is None
    assert reassembler.add("m", later(1), b"y", 6) is None
    assert reassembler.add("m", later(2), b"z", 7).payload == b"xyz"


def test_messages_that_never_end_are_given_up():
    reassembler = Reassembler()
    for number in range(MAXIMUM_OPEN + 1):
        reassembler.add(number, FIRST, b"a", number)
    assert reassembler.add(0, later(1), b"b", 0) is None
    assert reassembler.add(0, later(2), b"c", 0) is None
    reassembler.add(MAXIMUM_OPEN, later(1), b"b", 0)
    assert reassembler.add(MAXIMUM_OPEN, later(2), b"c", 0).payload == b"abc"


def test_the_conversation_s_blocks_fit_a_frame():
    assert max(len(psdu) for psdu in AIR.psdus()) <= 127
