"""tshark, which nobody here wrote, reads every kind of frame that we build."""

from __future__ import annotations

import pytest

from harness.zigbee import mac, tunnel
from harness.zigbee.decoder import Decoder
from harness.zigbee.zcl import Direction
from tests.conformance.oracles import Dissected, tshark
from tests.dcc_data import dcc_data
from tests.zigbee.conversation import LINK_KEY, NETWORK_KEY, Conversation, whole_life

pytestmark = pytest.mark.tshark

# Long enough for three blocks, and no GBCS message: the tests that need one say so.
FILLER = bytes(range(0x40, 0x40 + 78))

INFO = {
    "beacon request": "Beacon Request",
    "beacon": "Beacon, Src: 0x0000, EPID: 00:db:12:34:56:78:91:02",
    "association request": "Association Request, RFD",
    "ack": "Ack",
    "data request": "Data Request",
    "association response": "Association Response, PAN: 0x1a62 Addr: 0x3f4c",
    "transport key": "Transport Key",
    "device annce": "Device Announcement, Nwk Addr: 0x3f4c, Ext Addr: 00:db:12:34:56:78:90:a4",
    "match desc req": "Match Descriptor Request, Nwk Addr: 0x0000, Profile: 0x0109",
    "match desc rsp": "Match Descriptor Response, Nwk Addr: 0x0000, Status: Success",
    "nwk addr req": "Network Address Request, Address: 00:db:12:34:56:78:91:02",
    "nwk addr rsp": "Network Address Response, Status: Success, Address: 00:db:12:34:56:78:91:02 = 0x0000",
    "ieee addr req": "Extended Address Request, Nwk Addr: 0x0000",
    "ieee addr rsp": "Extended Address Response, Status: Success, Nwk Addr: 0x0000 = 00:db:12:34:56:78:91:02",
    "node desc req": "Node Descriptor Request, Nwk Addr: 0x0000",
    "node desc rsp": "Node Descriptor Response, Nwk Addr: 0x0000, Status: Success",
    "power desc req": "Power Descriptor Request, Nwk Addr: 0x0000",
    "power desc rsp": "Power Descriptor Response, Nwk Addr: 0x0000, Status: Success",
    "active ep req": "Active Endpoint Request, Nwk Addr: 0x3f4c",
    "active ep rsp": "Active Endpoint Response, Nwk Addr: 0x3f4c, Status: Success",
    "simple desc req": "Simple Descriptor Request, Nwk Addr: 0x3f4c, Endpoint: 1",
    "simple desc rsp": "Simple Descriptor Response, Nwk Addr: 0x3f4c, Status: Success",
    "mgmt lqi req": "Link Quality Request",
    "mgmt lqi rsp": "Link Quality Response, Status: Success",
    "permit joining req": "Permit Join Request",
    "permit joining rsp": "Permit Join Response, Status: Success",
    "bind req": "Bind Request, Tunneling (Cluster ID: 0x0704)",
    "bind rsp": "Bind Response, Status: Not Supported",
    "mgmt leave req": "Leave Request, Device: 00:db:12:34:56:78:90:a4",
    "mgmt leave rsp": "Leave Response, Status: Success",
    "parent annce": "Parent Announce, # children 1 : 00:db:12:34:56:78:90:a4",
    "read suites": "ZCL: Read Attributes, Seq: 7",
    "read suites ack": "APS: Ack, Dst Endpt: 1, Src Endpt: 1",
    "suites": "ZCL: Read Attributes Response, Seq: 7",
    "get protocols": "ZCL Tunneling: Get Supported Tunnel Protocols",
    "protocols": "ZCL Tunneling: Supported Tunnel Protocols Response",
    "request tunnel": "ZCL Tunneling: Request Tunnel",
    "request tunnel response": "ZCL Tunneling: Request Tunnel Response",
    "put 0": "APS: Data, Dst Endpt: 1, Src Endpt: 1 (fragment 0)",
    "put 0 ack": "APS: Ack, Dst Endpt: 1, Src Endpt: 1",
    "put 1": "APS: Data, Dst Endpt: 1, Src Endpt: 1 (fragment 1)",
    "put 1 ack": "APS: Ack, Dst Endpt: 1, Src Endpt: 1",
    "put 2": "PUT",
    "put 2 ack": "APS: Ack, Dst Endpt: 1, Src Endpt: 1",
    "get": "GET",
    "data error": "ZCL Tunneling: Transfer Data Error",
    "ack data": "ZCL Tunneling: Ack Transfer Data",
    "ready data": "ZCL Tunneling: Ready Data",
    "close tunnel": "ZCL Tunneling: Close Tunnel",
    "tunnel closed": "ZCL Tunneling: Tunnel Closure Notification",
    "update device": "Update Device",
    "remove device": "Remove Device",
    "request key": "Request Key",
    "switch key": "Switch Key",
    "verify key": "Verify Key",
    "confirm key": "Confirm Key, SUCCESS",
    "link key": "Transport Key",
    "application key": "Transport Key",
    "route request": "Route Request, Dst: 0x0000, Src: 0x3f4c",
    "route reply": "Route Reply, Responder: 0x0000, Originator: 0x3f4c",
    "network status": "Network Status, 0x1111: Target Device Unavailable",
    "route record": "Route Record, Dst: 0x0000",
    "rejoin request": "Rejoin Request, Device: 0x3f4c",
    "rejoin response": "Rejoin Response, New Address: 0x3f4c",
    "link status": "Link Status",
    "timeout request": "End Device Timeout Request",
    "timeout response": "End Device Timeout Response, Success",
    "leave": "Leave",
}
"""What tshark's Info column begins with, frame by frame."""


@pytest.fixture(scope="module")
def message() -> bytes:
    """The CS08 command of the published vectors, 78 octets."""
    folder = dcc_data("gbcs", "rtds-4.5.0", "11.2_CS08")
    (file,) = folder.glob("*SUCCESS_COMMAND*")
    return bytes.fromhex(file.read_text().strip())


def dissect(tmp_path_factory, air: Conversation, keys: list[bytes]) -> dict[str, Dissected]:
    packets = tshark(tmp_path_factory.mktemp("tshark"), air.psdus(), keys)
    return dict(zip(air.names(), packets, strict=True))


@pytest.fixture(scope="module")
def seen(tmp_path_factory) -> dict[str, Dissected]:
    """The whole conversation as tshark sees it, given nothing but the install-code link key."""
    # One whose GBCS message is none: tshark's GBCS dissector is another test's matter.
    air = whole_life(b"")
    air.frames = [frame for frame in air.frames if not frame[0].startswith("put")]
    return dissect(tmp_path_factory, air, [LINK_KEY])


@pytest.fixture(scope="module")
def seen_gbcs(tmp_path_factory, message) -> dict[str, Dissected]:
    return dissect(tmp_path_factory, whole_life(message), [LINK_KEY])


def assert_sound(name: str, packet: Dissected) -> None:
    assert "_ws.malformed" not in packet.protocols, name
    assert not packet.values("_ws.expert.message"), (name, packet.values("_ws.expert.message"))
    assert packet.values("wpan.fcs_ok") == ["1"], name
    assert "data" not in packet.protocols, f"{name}: octets that tshark cannot place"
    assert packet.info.startswith(INFO[name]), (name, packet.info)


def test_every_frame_has_its_name_and_none_is_malformed(seen):
    for name, packet in seen.items():
        assert_sound(name, packet)


def test_the_names_cover_every_frame_of_the_conversation():
    assert set(whole_life(FILLER).names()) == set(INFO)


def test_the_transport_key_opens_under_the_install_code_link_key(seen):
    packet = seen["transport key"]
    assert packet.values("zbee_aps.cmd.key") == [NETWORK_KEY.hex(":")]
    assert packet.values("zbee.sec.key_id") == ["0x02"]
    assert "Standard Network Key" in packet.text()


def test_every_secured_frame_is_decrypted_with_keys_that_the_air_gave(seen):
    secured = [packet for packet in seen.values() if packet.values("zbee.sec.mic")]
    assert len(secured) > 50
    for packet in secured:
        assert not packet.values("zbee_sec.encrypted_payload"), packet.info
        assert "Encrypted Payload" not in packet.text(), packet.info


def test_without_the_link_key_nothing_above_the_first_transport_key_is_seen(tmp_path_factory):
    air = whole_life(FILLER)
    packets = dissect(tmp_path_factory, air, [bytes(16)])
    assert "Encrypted Payload" in packets["transport key"].text()
    assert "zbee_zcl" not in packets["suites"].protocols


def test_the_suites_attribute_reads_as_suite_2(seen):
    for name in ("read suites", "suites"):
        assert seen[name].values("zbee_aps.cluster") == ["0x0800"]
        assert "Attribute: Supported Key Establishment Suites (0x0000)" in seen[name].text()
    assert seen["suites"].values("zbee_zcl.attr.bitmap16") == ["0x0002"]


def test_the_tunnel_is_asked_for_gb_hrgp(seen):
    request, response = seen["request tunnel"], seen["request tunnel response"]
    assert request.values("zbee_zcl_se.tun.protocol_id") == ["0x06"]
    assert "GB-HRGP" in request.text()
    assert request.values("zbee_zcl_se.tun.manufacturer_code") == ["0xffff"]
    assert request.values("zbee_zcl_se.tun.max_in_transfer_size") == ["0x05dc"]
    assert response.values("zbee_zcl_se.tun.transfer_status") == ["0x00"]


def test_a_get_is_a_get(seen):
    assert seen["get"].values("gbcs_tunnel.command") == ["0x01"]


def test_the_match_and_simple_descriptors_show_their_clusters(seen):
    assert seen["match desc req"].values("zbee_zdp.in_cluster") == ["0x0800"]
    assert seen["simple desc rsp"].values("zbee_zdp.app.device") == ["0x0502"]
    assert seen["simple desc rsp"].values("zbee_zdp.out_cluster") == ["0x0704"]


def test_the_beacon_shows_the_network(seen):
    beacon = seen["beacon"]
    assert beacon.values("zbee_beacon.update_id") == ["3"]
    assert beacon.values("zbee_beacon.ext_panid") == ["00:db:12:34:56:78:91:02"]
    assert beacon.values("zbee_beacon.end_dev") == ["1"]
    assert beacon.values("wpan.assoc_permit") == ["1"]


@pytest.mark.dcc_data
def test_fragments_are_put_together_and_the_gbcs_message_is_seen_inside_the_tunnel(seen_gbcs):
    packet = seen_gbcs["put 2"]
    assert_sound("put 2", packet)
    assert packet.values("zbee_aps.fragment.count") == ["3"]
    assert packet.values("gbcs_tunnel.command") == ["0x03"]
    assert packet.values("gbcs_message.grouping_header.message_code") == ["0x0129"]
    assert packet.values("gbcs_message.grouping_header.business_target_id") == ["00:db:12:34:56:78:90:a4"]


@pytest.mark.dcc_data
@pytest.mark.parametrize("prefix", [b"\x00", b"\x04"])
def test_another_first_octet_hides_the_gbcs_message_from_tshark(tmp_path_factory, message, prefix):
    air = whole_life(b"")
    air.frames = [frame for frame in air.frames if frame[0] in ("association response", "transport key")]
    transfer = tunnel.TransferData(tunnel=1, data=prefix + message)
    frame = tunnel.frame(transfer, 1, direction=Direction.TO_CLIENT)
    air.data("other", frame.to_bytes(), up=False, cluster=tunnel.CLUSTER, link_key=LINK_KEY)
    packet = dissect(tmp_path_factory, air, [LINK_KEY])["other"]
    assert "gbcs_tunnel" not in packet.protocols


def test_a_wrong_fcs_is_seen_by_both(tmp_path_factory):
    air = whole_life(FILLER)
    psdu = air.psdu("beacon")
    broken = psdu[:-1] + bytes([psdu[-1] ^ 1])
    (packet,) = tshark(tmp_path_factory.mktemp("tshark"), [broken], [])
    assert packet.values("wpan.fcs_ok") != ["1"]
    assert "FCS" in (Decoder().feed(broken).error or "")
    assert mac.with_fcs(psdu[:-2]) == psdu
