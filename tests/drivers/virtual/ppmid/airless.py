"""Carries APS messages between real hubs and a virtual PPMID, without dongle, stack or air."""

from __future__ import annotations

import asyncio

from drivers.virtual.stack.faces import (
    ApsIndication,
    Delivery,
    DeliveryMode,
    JoinFailure,
    JoinResult,
    LeaveReason,
    NetworkParameters,
)
from harness.errors import RadioUndelivered
from harness.rig.faces import ApsMessage, JoinKind, JoinNotice, NetworkState, RadioInfo
from harness.zigbee import zdo
from harness.zigbee.mac import Capability
from tests.drivers.virtual.ppmid.fake_air import PPMID

SHORT = 0x796F


class AirlessRadio:
    """Implements harness.rig.faces.Radio for one PPMID."""

    def __init__(self, eui64):
        self.eui64 = eui64
        self.key = None
        self.stack = None

    async def open(self, endpoints, listener):
        self.listener = listener
        return RadioInfo(eui64=self.eui64, stack="airless", firmware="0")

    async def form(self, settings):
        self.network = NetworkParameters(
            channel=settings.channel,
            pan_id=0x5678,
            extended_pan_id=settings.extended_pan_id,
            network_key=bytes(range(16)),
        )
        return NetworkState(
            channel=settings.channel,
            pan_id=0x5678,
            extended_pan_id=settings.extended_pan_id,
            network_key=bytes(range(16)),
            network_key_sequence=0,
            resumed=False,
        )

    async def close(self):
        pass

    async def forget_all_keys(self):
        self.key = None

    async def ping(self):
        pass

    async def permit(self, eui64, link_key, window_s):
        assert eui64 == PPMID
        self.key = link_key

    async def close_window(self):
        self.key = None

    async def set_link_key(self, eui64, link_key):
        self.shared = link_key

    async def send(self, message, *, timeout_s=10.0):
        if self.stack is None or not self.stack.on or message.peer != SHORT:
            raise RadioUndelivered(f"0x{message.peer:04X} did not acknowledge")
        self.stack.deliver(message)

    async def remove(self, eui64, short_address):
        stack, self.stack = self.stack, None
        self.key = None
        if stack is not None:
            stack.forget()
            stack.listener.left_network(LeaveReason.TOLD)
            self.notice(JoinKind.LEFT)

    async def forget_key(self, eui64):
        self.key = None

    def notice(self, kind):
        self.listener.radio_join(
            JoinNotice(kind=kind, eui64=PPMID, short_address=SHORT, parent=0, admitted=True)
        )


class AirlessStack:
    """Implements DeviceStack above whichever radio has a key for it."""

    def __init__(self, radios, listener):
        self.radios = radios
        self.listener = listener
        self.link_key = None  # unknown after a power cut
        self.on = False
        self.forget()

    def forget(self):
        self.radio = self.network = self.short_address = None

    async def join(self, channels, link_key, timeout_s, extended_pan_id=None):
        radio = next((radio for radio in self.radios if radio.key is not None), None)
        if radio is None:
            return JoinResult(failure=JoinFailure.NO_NETWORK)
        radio.notice(JoinKind.UNSECURED_JOIN)
        if radio.key != link_key:
            return JoinResult(failure=JoinFailure.WRONG_KEY)
        self.radio = radio
        return self._announce()

    async def rejoin(self, channels=()):
        self.radio.notice(JoinKind.SECURED_REJOIN)
        return self._announce()

    def _announce(self):
        radio = self.radio
        radio.stack, self.network, self.short_address = self, radio.network, SHORT
        announced = zdo.DeviceAnnce(
            nwk_address=SHORT,
            ieee_address=PPMID,
            capability=Capability(mains_powered=True, receiver_on_when_idle=True),
        )
        self._to_hub(0, 0x0013, 0, 0, zdo.encode(1, announced), secured=False)
        return JoinResult(failure=None, network=radio.network, short_address=SHORT, parent_eui64=radio.eui64)

    async def leave(self):
        radio = self.radio
        self.forget()
        radio.stack = None
        radio.notice(JoinKind.LEFT)
        self.listener.left_network(LeaveReason.OWN_WISH)

    async def send(self, request):
        await asyncio.sleep(0)
        if self.radio is None or not self.on:
            return Delivery.NOT_JOINED
        if request.profile == 0:
            self._answer_match(request)
        else:
            self._to_hub(
                request.profile,
                request.cluster,
                request.source_endpoint,
                request.destination_endpoint,
                request.payload,
                secured=request.link_key_secured,
            )
        return Delivery.DELIVERED

    def _answer_match(self, request):
        """Answer for the dongle, whose stack would."""
        sequence, body = zdo.decode(request.cluster, request.payload)
        served = self.radio.listener.profile.endpoints[0]
        found = (served.number,) if set(body.input_clusters) <= set(served.input_clusters) else ()
        answer = zdo.MatchDescRsp(status=zdo.ZdoStatus.SUCCESS, nwk_address=0, endpoints=found)
        message = ApsMessage(
            peer=SHORT,
            profile=0,
            cluster=0x8006,
            source_endpoint=0,
            destination_endpoint=0,
            payload=zdo.encode(sequence, answer),
        )
        asyncio.get_running_loop().call_soon(self.deliver, message)

    def _to_hub(self, profile, cluster, source, destination, payload, *, secured):
        assert not secured or self.link_key in (None, self.radio.shared)  # else the hub cannot read it
        message = ApsMessage(
            peer=SHORT,
            peer_eui64=PPMID,
            profile=profile,
            cluster=cluster,
            source_endpoint=source,
            destination_endpoint=destination,
            payload=payload,
            link_key_secured=secured,
        )
        asyncio.get_running_loop().call_soon(self.radio.listener.radio_message, message)

    def deliver(self, message):
        if message.profile == 0 and message.cluster == zdo.MatchDescReq.CLUSTER:
            sequence, _ = zdo.decode(message.cluster, message.payload)
            answer = zdo.MatchDescRsp(status=zdo.ZdoStatus.SUCCESS, nwk_address=SHORT, endpoints=(1,))
            self._to_hub(0, 0x8006, 0, 0, zdo.encode(sequence, answer), secured=False)
            return
        self.listener.aps_received(
            ApsIndication(
                source=0,
                source_eui64=self.radio.eui64,
                profile=message.profile,
                cluster=message.cluster,
                source_endpoint=message.source_endpoint,
                destination_endpoint=message.destination_endpoint,
                payload=message.payload,
                counter=0,
                mode=DeliveryMode.UNICAST,
                acknowledged=True,
                link_key_secured=message.link_key_secured,
                lqi=255,
                rssi_dbm=-40,
            )
        )

    def set_link_key(self, key):
        self.link_key = key

    def save(self):
        return {"channel": self.network.channel}

    def add_endpoint(self, descriptor):
        pass

    def power(self, on):
        self.on = on
