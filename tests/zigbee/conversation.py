"""A short life on a HAN, frame by frame: what every decoder, ours and others', is shown.

A hub (coordinator) and a PPMID. The PPMID joins under its install-code link key, finds Key
Establishment, reads its suites, opens a tunnel and is sent a message too long for one APS frame.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.eui64 import Eui64
from harness.zigbee import aps, aps_commands, install_code, mac, nwk, nwk_commands, tunnel, zcl_general, zdo
from harness.zigbee.aps import ApsFrame, ApsFrameType, ExtendedHeader, Fragmentation
from harness.zigbee.key_establishment import KeyEstablishmentSuites, suites_value
from harness.zigbee.mac import Capability, MacFrame, MacFrameType
from harness.zigbee.nwk import NwkFrame, NwkFrameType
from harness.zigbee.security import KeyId
from harness.zigbee.zcl import Direction

HUB = Eui64.parse("00-DB-12-34-56-78-91-02")
PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
INSTALL_CODE = bytes.fromhex("83FED3407A939723A5C639B26916D505")
LINK_KEY = install_code.link_key(INSTALL_CODE)
NETWORK_KEY = bytes.fromhex("010305070900020406080A0C0D0F0E0C")
PAN, PPMID_SHORT, HUB_SHORT = 0x1A62, 0x3F4C, 0x0000
BLOCK = 40
END_DEVICE = Capability(receiver_on_when_idle=True, mains_powered=True)


@dataclass
class Conversation:
    """Builds frames; `frames` are named PSDUs in the order of the air."""

    frames: list[tuple[str, bytes]] = field(default_factory=list)
    counter: int = 0
    aps_counter: int = 0

    def names(self) -> list[str]:
        return [name for name, _ in self.frames]

    def psdus(self) -> list[bytes]:
        return [psdu for _, psdu in self.frames]

    def psdu(self, name: str) -> bytes:
        return next(psdu for known, psdu in self.frames if known == name)

    def add(self, name: str, frame: MacFrame) -> None:
        self.frames.append((name, mac.with_fcs(frame.to_bytes())))

    def next(self) -> int:
        self.counter += 1
        return self.counter

    def mac_command(self, name, command, *, source, destination, **fields) -> None:
        frame = MacFrame(
            frame_type=MacFrameType.COMMAND,
            sequence=self.next(),
            ack_request=destination != mac.BROADCAST,
            destination_pan=PAN,
            destination=destination,
            source=source,
            payload=command.to_bytes(),
            **fields,
        )
        self.add(name, frame)

    def nwk(self, name, payload, *, up, frame_type=NwkFrameType.DATA, secured=True, **fields) -> None:
        """One hop from PPMID to hub (`up`) or back."""
        source, destination = (PPMID_SHORT, HUB_SHORT) if up else (HUB_SHORT, PPMID_SHORT)
        destination = fields.pop("destination", destination)
        number = self.next()
        frame = NwkFrame(
            frame_type=frame_type,
            destination=destination,
            source=source,
            sequence=number,
            payload=payload,
            **fields,
        )
        if secured:
            sender = PPMID if up else HUB
            frame = nwk.protect(frame, NETWORK_KEY, frame_counter=number, source=sender)
        hop = mac.BROADCAST if nwk.is_broadcast(destination) else destination
        self.add(
            name,
            MacFrame(
                frame_type=MacFrameType.DATA,
                sequence=number,
                ack_request=hop != mac.BROADCAST,
                pan_id_compression=True,
                destination_pan=PAN,
                destination=hop,
                source=source,
                payload=frame.to_bytes(),
            ),
        )

    def aps(
        self, name, frame, *, up, link_key=None, key_id=KeyId.DATA, extended_nonce=True, **fields
    ) -> None:
        if link_key is not None:
            sender = PPMID if up else HUB
            frame = aps.protect(
                frame,
                link_key,
                frame_counter=self.counter,
                source=sender,
                key_id=key_id,
                extended_nonce=extended_nonce,
            )
        self.nwk(name, frame.to_bytes(), up=up, **fields)

    def command(self, name, command, *, up=False, **fields) -> None:
        self.aps_counter += 1
        frame = ApsFrame(
            frame_type=ApsFrameType.COMMAND, counter=self.aps_counter, payload=command.to_bytes()
        )
        self.aps(name, frame, up=up, **fields)

    def data(
        self, name, payload, *, up, cluster, profile=0x0109, endpoint=1, acked=True, **fields
    ) -> ApsFrame:
        self.aps_counter += 1
        frame = ApsFrame(
            frame_type=ApsFrameType.DATA,
            delivery_mode=fields.pop("delivery_mode", aps.DeliveryMode.UNICAST),
            ack_request=acked,
            destination_endpoint=endpoint,
            cluster=cluster,
            profile=profile,
            source_endpoint=endpoint,
            counter=self.aps_counter,
            extended=fields.pop("extended", None),
            payload=payload,
        )
        self.aps(name, frame, up=up, **fields)
        return frame

    def zdo(self, name, body, *, up, **fields) -> None:
        payload = zdo.encode(self.aps_counter & 0xFF, body)
        acked = fields.pop("acked", False)
        self.data(name, payload, up=up, cluster=body.CLUSTER, profile=0, endpoint=0, acked=acked, **fields)

    def fragmented(self, name, payload, *, up, cluster, **fields) -> None:
        """A message in blocks, each acknowledged."""
        blocks = [payload[start : start + BLOCK] for start in range(0, len(payload), BLOCK)]
        counter = self.aps_counter
        for number, block in enumerate(blocks):
            self.aps_counter = counter
            kind = Fragmentation.SUBSEQUENT if number else Fragmentation.FIRST
            header = ExtendedHeader(fragmentation=kind, block=number or len(blocks))
            frame = self.data(f"{name} {number}", block, up=up, cluster=cluster, extended=header, **fields)
            bitfield = 0xFF
            ack = ExtendedHeader(fragmentation=kind, block=number, ack_bitfield=bitfield)
            self.aps(f"{name} {number} ack", aps.acknowledgement(frame, extended=ack), up=not up)


def whole_life(message: bytes) -> Conversation:
    """From beacon request to leave; `message` is the GBCS message in the tunnel."""
    air = Conversation()
    _join(air)
    _discover(air)
    _tunnel(air, message)
    _commands(air)
    return air


def _join(air: Conversation) -> None:
    beacon_request = MacFrame(
        frame_type=MacFrameType.COMMAND,
        sequence=air.next(),
        destination_pan=mac.BROADCAST,
        destination=mac.BROADCAST,
        payload=mac.BeaconRequest().to_bytes(),
    )
    air.add("beacon request", beacon_request)
    zigbee = mac.ZigbeeBeacon(
        extended_pan_id=HUB, router_capacity=True, end_device_capacity=True, update_id=3
    )
    beacon = mac.Beacon(association_permit=True, pan_coordinator=True, payload=zigbee.to_bytes())
    air.add(
        "beacon",
        MacFrame(
            frame_type=MacFrameType.BEACON,
            sequence=air.next(),
            source_pan=PAN,
            source=HUB_SHORT,
            payload=beacon.to_bytes(),
        ),
    )
    air.mac_command(
        "association request",
        mac.AssociationRequest(capability=END_DEVICE),
        source=PPMID,
        destination=HUB_SHORT,
        source_pan=mac.BROADCAST,
    )
    air.add("ack", mac.ack(air.counter, frame_pending=True))
    air.mac_command(
        "data request", mac.DataRequest(), source=PPMID, destination=HUB_SHORT, pan_id_compression=True
    )
    air.mac_command(
        "association response",
        mac.AssociationResponse(short_address=PPMID_SHORT),
        source=HUB,
        destination=PPMID,
        pan_id_compression=True,
    )
    air.command(
        "transport key",
        aps_commands.TransportKey(
            key_type=aps_commands.KeyType.STANDARD_NETWORK_KEY,
            key=NETWORK_KEY,
            key_sequence=0,
            destination=PPMID,
            source=HUB,
        ),
        link_key=LINK_KEY,
        key_id=KeyId.KEY_TRANSPORT,
        secured=False,
    )
    air.zdo(
        "device annce",
        zdo.DeviceAnnce(nwk_address=PPMID_SHORT, ieee_address=PPMID, capability=END_DEVICE),
        up=True,
        destination=nwk.BROADCAST_RX_ON,
        delivery_mode=aps.DeliveryMode.BROADCAST,
        source_ieee=PPMID,
    )


def _discover(air: Conversation) -> None:
    ok = zdo.ZdoStatus.SUCCESS
    descriptor = zdo.SimpleDescriptor(
        endpoint=1,
        profile=0x0109,
        device_id=0x0502,
        input_clusters=(0x0000, 0x0800),
        output_clusters=(0x0704,),
    )
    node = zdo.NodeDescriptor(
        logical_type=zdo.LogicalType.COORDINATOR, capability=END_DEVICE, manufacturer=0x121D
    )
    neighbour = zdo.Neighbour(
        extended_pan_id=HUB,
        ieee_address=PPMID,
        nwk_address=PPMID_SHORT,
        device_type=zdo.LogicalType.END_DEVICE,
        relationship=zdo.Relationship.CHILD,
        depth=1,
        lqi=200,
    )
    bodies = {
        "match desc req": zdo.MatchDescReq(nwk_address=0, profile=0x0109, input_clusters=(0x0800,)),
        "match desc rsp": zdo.MatchDescRsp(status=ok, nwk_address=0, endpoints=(1,)),
        "nwk addr req": zdo.NwkAddrReq(ieee_address=HUB),
        "nwk addr rsp": zdo.NwkAddrRsp(status=ok, ieee_address=HUB, nwk_address=0),
        "ieee addr req": zdo.IeeeAddrReq(nwk_address=0),
        "ieee addr rsp": zdo.IeeeAddrRsp(status=ok, ieee_address=HUB, nwk_address=0),
        "node desc req": zdo.NodeDescReq(nwk_address=0),
        "node desc rsp": zdo.NodeDescRsp(status=ok, nwk_address=0, descriptor=node),
        "power desc req": zdo.PowerDescReq(nwk_address=0),
        "power desc rsp": zdo.PowerDescRsp(status=ok, nwk_address=0, descriptor=0xC110),
        "active ep req": zdo.ActiveEpReq(nwk_address=PPMID_SHORT),
        "active ep rsp": zdo.ActiveEpRsp(status=ok, nwk_address=PPMID_SHORT, endpoints=(1,)),
        "simple desc req": zdo.SimpleDescReq(nwk_address=PPMID_SHORT, endpoint=1),
        "simple desc rsp": zdo.SimpleDescRsp(status=ok, nwk_address=PPMID_SHORT, descriptor=descriptor),
        "mgmt lqi req": zdo.MgmtLqiReq(),
        "mgmt lqi rsp": zdo.MgmtLqiRsp(
            status=ok, table=zdo.NeighbourList(total=1, start_index=0, neighbours=(neighbour,))
        ),
        "permit joining req": zdo.MgmtPermitJoiningReq(duration=60),
        "permit joining rsp": zdo.MgmtPermitJoiningRsp(status=ok),
        "bind req": zdo.BindReq(
            source=PPMID, source_endpoint=1, cluster=0x0704, destination=HUB, destination_endpoint=1
        ),
        "bind rsp": zdo.BindRsp(status=zdo.ZdoStatus.NOT_SUPPORTED),
        "mgmt leave req": zdo.MgmtLeaveReq(device=PPMID, remove_children=True),
        "mgmt leave rsp": zdo.MgmtLeaveRsp(status=ok),
        "parent annce": zdo.ParentAnnce(children=(PPMID,)),
    }
    for name, body in bodies.items():
        air.zdo(name, body, up=name.endswith("req"))
    request = zcl_general.frame(zcl_general.ReadAttributes(attributes=(0x0000,)), 7)
    asked = air.data("read suites", request.to_bytes(), up=True, cluster=0x0800)
    air.aps("read suites ack", aps.acknowledgement(asked), up=False)
    value = suites_value(KeyEstablishmentSuites.SUITE_2)
    answer = zcl_general.frame(
        zcl_general.ReadAttributesResponse(records=(zcl_general.ReadRecord(attribute=0, value=value),)),
        7,
        direction=Direction.TO_CLIENT,
    )
    air.data("suites", answer.to_bytes(), up=False, cluster=0x0800)


def _tunnel(air: Conversation, message: bytes) -> None:
    commands = [
        ("get protocols", tunnel.GetSupportedTunnelProtocols(), True),
        (
            "protocols",
            tunnel.SupportedTunnelProtocolsResponse(
                protocols=(tunnel.SupportedProtocol(protocol=tunnel.TunnelProtocol.GB_HRGP),)
            ),
            False,
        ),
        ("request tunnel", tunnel.RequestTunnel(), True),
        ("request tunnel response", tunnel.RequestTunnelResponse(tunnel=1), False),
    ]
    for name, command, up in commands:
        _tunnel_command(air, name, command, up=up)
    put = tunnel.HrgpMessage(message=message).to_bytes()
    transfer = tunnel.frame(tunnel.TransferData(tunnel=1, data=put), 21, direction=Direction.TO_CLIENT)
    air.aps_counter += 1
    air.fragmented("put", transfer.to_bytes(), up=False, cluster=tunnel.CLUSTER, link_key=LINK_KEY)
    for name, command, up in [
        (
            "get",
            tunnel.TransferData(tunnel=1, data=tunnel.HrgpMessage(verb=tunnel.Verb.GET).to_bytes()),
            True,
        ),
        (
            "data error",
            tunnel.TransferDataError(tunnel=9, status=tunnel.TransferDataStatus.NO_SUCH_TUNNEL),
            True,
        ),
        ("ack data", tunnel.AckTransferData(tunnel=1, octets_left=100), True),
        ("ready data", tunnel.ReadyData(tunnel=1, octets_left=100), False),
        ("close tunnel", tunnel.CloseTunnel(tunnel=1), True),
        ("tunnel closed", tunnel.TunnelClosureNotification(tunnel=1), False),
    ]:
        _tunnel_command(air, name, command, up=up)


def _tunnel_command(air: Conversation, name: str, command, *, up: bool) -> None:
    direction = Direction.TO_SERVER if up else Direction.TO_CLIENT
    frame = tunnel.frame(command, air.counter & 0xFF, direction=direction)
    # Half of them without the extended nonce: then a decoder must know the sender by its short address.
    air.data(
        name,
        frame.to_bytes(),
        up=up,
        cluster=tunnel.CLUSTER,
        link_key=LINK_KEY,
        extended_nonce=bool(air.counter & 1),
    )


def _commands(air: Conversation) -> None:
    key_types = aps_commands.KeyType
    commands = {
        "update device": aps_commands.UpdateDevice(
            device=PPMID, short_address=PPMID_SHORT, status=aps_commands.UpdateStatus.UNSECURED_JOIN
        ),
        "remove device": aps_commands.RemoveDevice(target=PPMID),
        "request key": aps_commands.RequestKey(key_type=aps_commands.RequestedKeyType.TRUST_CENTRE_LINK_KEY),
        "switch key": aps_commands.SwitchKey(key_sequence=1),
        "verify key": aps_commands.VerifyKey(source=PPMID, digest=bytes(16)),
        "confirm key": aps_commands.ConfirmKey(destination=PPMID),
    }
    for name, command in commands.items():
        air.command(name, command, up=name in ("update device", "request key", "verify key"))
    new_key = aps_commands.TransportKey(
        key_type=key_types.TRUST_CENTRE_LINK_KEY, key=bytes(range(16)), destination=PPMID, source=HUB
    )
    air.command("link key", new_key, link_key=LINK_KEY, key_id=KeyId.KEY_LOAD)
    partner = aps_commands.TransportKey(
        key_type=key_types.APPLICATION_LINK_KEY, key=bytes(range(16)), partner=HUB, initiator=1
    )
    air.command("application key", partner, link_key=LINK_KEY, key_id=KeyId.KEY_LOAD)
    nwk_bodies = {
        "route request": nwk_commands.RouteRequest(identifier=1, destination=0, destination_ieee=HUB),
        "route reply": nwk_commands.RouteReply(identifier=1, originator=PPMID_SHORT, responder=0),
        "network status": nwk_commands.NetworkStatus(
            status=nwk_commands.NetworkStatusCode.TARGET_DEVICE_UNAVAILABLE, destination=0x1111
        ),
        "route record": nwk_commands.RouteRecord(relays=(0x2222,)),
        "rejoin request": nwk_commands.RejoinRequest(capability=END_DEVICE),
        "rejoin response": nwk_commands.RejoinResponse(short_address=PPMID_SHORT),
        "link status": nwk_commands.LinkStatus(
            links=(nwk_commands.LinkCost(neighbour=PPMID_SHORT, incoming=1, outgoing=2),)
        ),
        "timeout request": nwk_commands.EndDeviceTimeoutRequest(timeout=8),
        "timeout response": nwk_commands.EndDeviceTimeoutResponse(),
        "leave": nwk_commands.Leave(request=False, rejoin=False),
    }
    for name, body in nwk_bodies.items():
        up = name.endswith("request") or name in ("leave", "route record")
        addresses = {"source_ieee": PPMID if up else HUB, "destination_ieee": HUB if up else PPMID}
        destination = {"destination": nwk.BROADCAST_ROUTERS} if name == "link status" else {}
        if destination:
            addresses.pop("destination_ieee")
        air.nwk(
            name,
            body.to_bytes(),
            up=up,
            frame_type=NwkFrameType.COMMAND,
            radius=1,
            **addresses,
            **destination,
        )
