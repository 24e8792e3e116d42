"""A PPMID's stack and a hub without air between them: faults on demand, nothing by chance."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from drivers.virtual.stack.faces import (
    ApsIndication,
    Delivery,
    DeliveryMode,
    JoinFailure,
    JoinResult,
    LeaveReason,
    NetworkParameters,
)
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, BenchPki, OwnKeys
from harness.gbcs.use_cases import cs08
from harness.zigbee import (
    install_code,
    key_establishment,
    ota_commands,
    tunnel,
    zcl_clusters,
    zcl_general,
    zdo,
)
from harness.zigbee.cbke import commands
from harness.zigbee.cbke.authority import BenchAuthority
from harness.zigbee.cbke.exchange import Established, Exchange
from harness.zigbee.cbke.suites import SUITES
from harness.zigbee.key_establishment import KeyEstablishmentSuites
from harness.zigbee.ota_commands import OtaStatus
from harness.zigbee.zcl import Direction, ZclFrame, ZclFrameType

PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
CODE = bytes.fromhex("83FED3407A939723A5C639B26916D505")
HUB_ENDPOINT = 123
SEED = "test"


class FakeHub:
    """A hub as a PPMID meets it. `asked` is all that came, `puts` what came in a tunnel."""

    def __init__(self, suites=0x0002, *, eui64="00-DB-12-34-56-78-91-02", channel=20):
        self.suites = suites
        self.network = NetworkParameters(
            channel=channel, pan_id=0x5678, extended_pan_id=Eui64.parse(eui64), network_key=bytes(range(16))
        )
        self.permits = True
        self.link_key = install_code.link_key(CODE)
        self.silent_to = set()  # clusters
        self.ignored = 0  # so many requests more
        self.conversation = None  # key establishment under way
        self.link_keys = []  # established
        self.serves = {key_establishment.CLUSTER, tunnel.CLUSTER, ota_commands.CLUSTER}
        self.tunnel_status = tunnel.TunnelStatus.SUCCESS
        self.value = None
        self.image = None  # octets of an OTA file
        self.offers = {}  # what is wrong in the offer of it
        self.blocks = None  # so many are given, and no more
        self.ends = []  # how the transfers ended, by the PPMID's account
        self.asked = []
        self.puts = []
        self.answers = []
        self.stack = None
        self.tunnels = 0
        self.counter = 0
        self.tunnel_opened = asyncio.Event()
        self.put_arrived = asyncio.Event()
        self.answered = asyncio.Event()

    # --- what the PPMID sends

    def take(self, request):
        self.asked.append(request)
        if self.ignored:
            self.ignored -= 1
            return
        if request.cluster in self.silent_to:
            return
        if request.profile == 0:
            self.take_match(request)
            return
        frame = ZclFrame.from_bytes(request.payload)
        if request.cluster == ota_commands.CLUSTER and frame.frame_type is ZclFrameType.CLUSTER:
            assert request.link_key_secured
            answer = self.take_ota(zcl_clusters.parse(request.cluster, frame))
            if answer is not None:
                self.say(request.cluster, ota_commands.frame(answer, frame.sequence), secured=True)
        elif request.cluster == key_establishment.CLUSTER and frame.frame_type is ZclFrameType.CLUSTER:
            self.take_key_establishment(frame)
        elif frame.frame_type is ZclFrameType.CLUSTER:
            self.take_tunnel(
                request, tunnel.COMMANDS[frame.direction, frame.command].from_bytes(frame.payload), frame
            )
        elif frame.command == zcl_general.ReadAttributes.COMMAND:
            value = self.value or key_establishment.suites_value(KeyEstablishmentSuites(self.suites))
            record = zcl_general.ReadRecord(attribute=0, value=value)
            body = zcl_general.ReadAttributesResponse(records=(record,))
            answer = zcl_general.frame(body, frame.sequence, direction=Direction.TO_CLIENT)
            self.say(request.cluster, answer, secured=request.link_key_secured)
        else:
            self.answers.append(zcl_general.parse(frame))
            self.answered.set()

    def take_ota(self, asked):
        if isinstance(asked, ota_commands.UpgradeEndRequest):
            self.ends.append(asked.status)
            fields = {name: getattr(asked, name) for name in ("manufacturer", "image_type", "file_version")}
            return ota_commands.UpgradeEndResponse(**fields)
        if self.image is None:
            return ota_commands.QueryNextImageResponse(status=OtaStatus.NO_IMAGE_AVAILABLE)
        if isinstance(asked, ota_commands.QueryNextImageRequest):
            offer = {"manufacturer": asked.manufacturer, "image_type": asked.image_type, **self.offers}
            return ota_commands.QueryNextImageResponse(
                status=OtaStatus.SUCCESS, size=len(self.image), **offer
            )
        if self.blocks is not None:
            self.blocks -= 1
            if self.blocks < 0:
                return ota_commands.ImageBlockResponse(status=OtaStatus.ABORT)
        data = self.image[asked.offset : asked.offset + asked.maximum]
        return ota_commands.ImageBlockResponse(
            status=OtaStatus.SUCCESS,
            manufacturer=asked.manufacturer,
            image_type=asked.image_type,
            file_version=asked.file_version,
            offset=asked.offset,
            length=len(data),
            data=data,
        )

    def notify(self):
        """Say that there may be an image."""
        self.say(ota_commands.CLUSTER, ota_commands.frame(ota_commands.ImageNotify(), 1), secured=True)

    def take_match(self, request):
        sequence, body = zdo.decode(request.cluster, request.payload)
        assert (body.profile, body.nwk_address, request.link_key_secured) == (0x0109, 0, False)
        found = (HUB_ENDPOINT,) if set(body.input_clusters) <= self.serves else ()
        status = zdo.ZdoStatus.SUCCESS if found else zdo.ZdoStatus.NO_MATCH
        answer = zdo.MatchDescRsp(status=status, nwk_address=0, endpoints=found)
        self.hand(profile=0, cluster=0x8006, endpoint=0, payload=zdo.encode(sequence, answer), secured=False)

    def take_key_establishment(self, frame):
        command = commands.COMMANDS[frame.direction, frame.command].from_bytes(frame.payload)
        if isinstance(command, commands.Initiate):
            credentials = BenchAuthority(SEED).credentials(
                self.network.extended_pan_id, SUITES[command.suite]
            )
            self.conversation = Exchange(credentials, peer=PPMID, ephemeral=12345, initiator=False)
        reaction = self.conversation.take(command, 0.0)
        if isinstance(reaction.outcome, Established):
            self.link_keys.append(reaction.outcome.link_key)
        if reaction.send is not None:
            self.say_key_establishment(reaction.send)

    def say_key_establishment(self, command):
        answer = ZclFrame(
            frame_type=ZclFrameType.CLUSTER,
            direction=Direction.TO_CLIENT,
            sequence=1,
            command=command.COMMAND,
            payload=command.to_bytes(),
        )
        self.say(key_establishment.CLUSTER, answer, secured=False)

    def take_tunnel(self, request, command, frame):
        assert request.link_key_secured
        if isinstance(command, tunnel.RequestTunnel):
            self.tunnels += 1
            answer = tunnel.RequestTunnelResponse(tunnel=self.tunnels, status=self.tunnel_status)
            self.say(0x0704, tunnel.frame(answer, frame.sequence, direction=Direction.TO_CLIENT))
            self.tunnel_opened.set()
        else:
            self.puts.append(command)
            self.put_arrived.set()

    # --- what the hub sends

    def hand(self, *, profile, cluster, endpoint, payload, secured, mode=DeliveryMode.UNICAST, source=0):
        self.counter = (self.counter + 1) & 0xFF
        message = ApsIndication(
            source=source,
            source_eui64=None,
            profile=profile,
            cluster=cluster,
            source_endpoint=HUB_ENDPOINT if endpoint else 0,
            destination_endpoint=endpoint,
            payload=payload,
            counter=self.counter,
            mode=mode,
            acknowledged=True,
            link_key_secured=secured,
            lqi=255,
            rssi_dbm=-40,
        )
        self.stack.listener.aps_received(message)

    def say(self, cluster, frame, *, secured=True, **rest):
        self.hand(
            profile=0x0109, cluster=cluster, endpoint=1, payload=frame.to_bytes(), secured=secured, **rest
        )

    def tell(self, command):
        self.say(0x0704, tunnel.frame(command, 77, direction=Direction.TO_CLIENT))

    def put(self, message, *, number=None):
        inside = tunnel.HrgpMessage(verb=tunnel.Verb.PUT, message=message)
        self.tell(
            tunnel.TransferData(tunnel=self.tunnels if number is None else number, data=inside.to_bytes())
        )

    async def exchange(self, message):
        """PUT a message and return the one that comes back."""
        self.put_arrived.clear()
        self.put(message)
        await within(self.put_arrived.wait())
        inside = tunnel.HrgpMessage.from_bytes(self.puts[-1].data)
        assert (inside.verb, self.puts[-1].tunnel) == (tunnel.Verb.PUT, self.tunnels)
        return inside.message

    async def read(self, cluster, *attributes, side=Direction.TO_CLIENT, **rest):
        """Read attributes and return the body of whatever answers."""
        frame = zcl_general.frame(zcl_general.ReadAttributes(attributes=attributes), 42, direction=side)
        return await self.ask(cluster, frame, **rest)

    async def ask(self, cluster, frame, **rest):
        self.answered.clear()
        self.say(cluster, frame, **rest)
        await within(self.answered.wait())
        return self.answers[-1]


class FakeStack:
    """Stands on whichever hub permits joining."""

    def __init__(self, hubs, listener):
        self.hubs = hubs
        self.listener = listener
        self.hub = None
        self.network = self.short_address = None
        self.on = False
        self.lost = 0  # so many joins or rejoins fail for want of a key
        self.clear_key = False
        self.swaps_to = None  # the hub that has taken the place of its own, at the next rejoin
        self.restored = []
        self.gate = None  # an event that join waits for
        self.left = []
        self.sent_while_off = []
        self.shared_keys = []

    async def join(self, channels, link_key, timeout_s, extended_pan_id=None):
        if self.gate is not None:
            await self.gate.wait()
        hub = next((hub for hub in self.hubs if hub.permits and hub.network.channel in channels), None)
        if hub is None:
            return JoinResult(failure=JoinFailure.NO_NETWORK)
        if self.lost:
            self.lost -= 1
            return JoinResult(failure=JoinFailure.NO_KEY)
        if hub.link_key != link_key:
            return JoinResult(failure=JoinFailure.WRONG_KEY)
        return self._on(hub)

    def _on(self, hub):
        hub.stack = self
        self.hub, self.network, self.short_address = hub, hub.network, 0x796F
        return JoinResult(
            failure=None,
            network=hub.network,
            short_address=0x796F,
            parent_eui64=hub.network.extended_pan_id,
        )

    async def rejoin(self, channels=()):
        if self.lost:
            self.lost -= 1
            return JoinResult(failure=JoinFailure.NO_NETWORK)
        if self.swaps_to is not None:
            self.before, self.swaps_to, hub = self.hub, None, self.swaps_to
            return replace(self._on(hub), swapped=True)
        return self._on(self.hub)

    def restore(self, saved):
        self.restored.append(saved)
        self._on(self.before)

    async def leave(self):
        self.left.append(self.network.channel)
        self.hub = self.network = self.short_address = None
        self.listener.left_network(LeaveReason.OWN_WISH)

    def told_to_leave(self):
        self.hub = self.network = self.short_address = None
        self.listener.left_network(LeaveReason.TOLD)

    def lose_parent(self):
        self.listener.left_network(LeaveReason.LOST_PARENT)

    async def send(self, request):
        await asyncio.sleep(0)
        if not self.on:
            self.sent_while_off.append(request)
        if self.hub is None or not self.on:
            return Delivery.NOT_JOINED
        asyncio.get_running_loop().call_soon(self.hub.take, request)
        return Delivery.DELIVERED

    def set_link_key(self, key):
        self.shared_keys.append(key)

    def save(self):
        return {"network": self.network.channel}

    def add_endpoint(self, descriptor):
        assert (descriptor.endpoint, descriptor.profile, descriptor.device_id) == (1, 0x0109, 0x0502)

    def power(self, on):
        self.on = on


async def within(work, seconds=2.0):
    async with asyncio.timeout(seconds):
        return await work


def command(counter=1, *, device=PPMID, seed=SEED, originator=ACB):
    """Return a CS08 command as the DSP sends it."""
    return cs08.command(
        originator=originator,
        device=device,
        counter=counter,
        supplementary_party=SUPPLIER,
        supplementary_counter=counter + 1000,
        keys=OwnKeys(ACB, BenchPki(seed)),
    )


def with_mac_of_nobody(message):
    return message[:-1] + bytes([message[-1] ^ 0x80])
