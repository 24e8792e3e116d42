"""The driver through bellows' real codec at every EZSP layout, answered by a gateway without a wire."""

from __future__ import annotations

import asyncio

import bellows.types as t
import pytest

from drivers.radio.ezsp import EzspOptions, EzspRadio
from drivers.radio.ezsp_surface import EzspPort
from harness.rig.faces import DriverContext
from harness.tap import NullTap
from tests.drivers.radio.bench_of_one import ENDPOINT, HUB, KEY, MESSAGE, PPMID, SETTINGS, Listener, settle
from tests.drivers.radio.zero_ncp import Gateway


def port_of(version, made):
    class WirelessPort(EzspPort):
        async def connect(self, *, use_thread):
            self._gw = Gateway(version, self.frame_received)
            self._switch_protocol_version(version)
            self.start_ezsp()
            made.append(self._gw)

    return WirelessPort


@pytest.mark.parametrize("version", [8, 9, 10, 11, 12, 13, 14, 16, 17, 18, 19])
def test_a_hub_runs_at_every_ezsp_version(version):
    async def main():
        gateways = []
        listener = Listener()
        radio = EzspRadio(
            EzspOptions(path="/dev/bench"),
            DriverContext(name="x", tap=NullTap()),
            port_factory=port_of(version, gateways),
        )
        info = await radio.open((ENDPOINT,), listener)
        assert (info.eui64, info.stack) == (HUB, f"EZSP {version}")
        (gateway,) = gateways
        state = await radio.form(SETTINGS)
        assert (state.channel, state.extended_pan_id, state.resumed) == (20, HUB, False)
        assert gateway.security.networkKey.serialize() == SETTINGS.network_key
        assert int(gateway.security.bitmask) == 0x0B00
        await radio.permit(PPMID, KEY, 60.0)
        let_in(gateway)
        announce(gateway)
        await settle()
        assert gateway.table == {PPMID.to_bytes_le(): 0}
        await radio.set_link_key(PPMID, bytes(16))
        assert gateway.table == {PPMID.to_bytes_le(): 0}
        await radio.send(MESSAGE)
        await radio.send(MESSAGE.__class__(**{**fields(MESSAGE), "payload": bytes(200)}))
        sent = [values for name, values in gateway.commands if name == "sendUnicast"]
        counters = [
            frame.sequence for values in sent for frame in values.values() if hasattr(frame, "groupId")
        ]
        assert counters == [0, 0, 77, 77]
        await radio.remove(PPMID, 0x1234)
        await radio.close_window()
        await radio.ping()
        await radio.close()
        policies = [int(values["decisionId"]) for name, values in gateway.commands if name == "setPolicy"]
        assert 0x13 in policies
        assert [event.peer_eui64 for event in listener.messages] == [PPMID]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def fields(message):
    return {name: getattr(message, name) for name in message.__slots__}


def let_in(gateway):
    gateway.callback(
        "trustCenterJoinHandler",
        newNodeId=0x1234,
        newNodeEui64=t.EUI64.deserialize(PPMID.to_bytes_le())[0],
        status=t.EmberDeviceUpdate(1),
        policyDecision=t.EmberJoinDecision(0),
        parentOfNewNodeId=0,
    )


def announce(gateway):
    payload = b"\x01" + (0x1234).to_bytes(2, "little") + PPMID.to_bytes_le() + b"\x80"
    aps = t.EmberApsFrame(0, 0x0013, 0, 0, t.EmberApsOption(0), 0, 1)
    if gateway.version >= 14:
        gateway.callback(
            "incomingMessageHandler",
            message_type=4,
            aps_frame=aps,
            nwk=0x1234,
            eui64=t.EUI64.deserialize(PPMID.to_bytes_le())[0],
            binding_index=255,
            address_index=255,
            lqi=200,
            rssi=-40,
            timestamp=0,
            message=payload,
        )
    else:
        gateway.callback(
            "incomingMessageHandler",
            type=4,
            apsFrame=aps,
            lastHopLqi=200,
            lastHopRssi=-40,
            sender=0x1234,
            bindingIndex=255,
            addressIndex=255,
            messageContents=payload,
        )
