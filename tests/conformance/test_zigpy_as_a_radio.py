"""What a hub would have of zigpy as its radio, tried with bellows' application on the virtual dongle.

docs/wire-a-rig.md says that it is not enough for a Smart Energy hub. When one of these fails, it may be now.
"""

from __future__ import annotations

import asyncio
import logging
import re

import zigpy.application
import zigpy.types as zt
from bellows.zigbee.application import ControllerApplication

from tests.drivers.virtual.ncp.hosted import run
from tests.drivers.virtual.stack.network import KEY, MESSAGE, PPMID, ApsRequest

ZIGBEE_ALLIANCE_09 = b"ZigBeeAlliance09"
SMART_ENERGY = 0x0109


def address():
    return zt.EUI64.deserialize(PPMID.to_bytes_le())[0]


class Hooked(ControllerApplication):
    """zigpy's application with a place before its Device layer, as a radio of a hub would have to have it."""

    def packet_received(self, packet):
        self.packets.append(packet)
        super().packet_received(packet)

    async def came(self, profile, cluster):
        async with asyncio.timeout(3):
            while True:
                for packet in self.packets:
                    if (packet.profile_id, packet.cluster_id) == (profile, cluster):
                        return packet
                await asyncio.sleep(0.005)


async def started(path):
    application = Hooked(
        {
            "device": {"path": path, "baudrate": 115200},
            "database_path": None,
            "use_thread": False,
            "ota": {"enabled": False},
            "watchdog_enabled": False,
            "backup_enabled": False,
            "topology_scan_enabled": False,
            "network": {"channel": 20},
        }
    )
    application.packets = []
    await application.startup(auto_form=True)
    return application


def tried(folder, scenario):
    async def hosted_by_zigpy(hosted):
        application = await started(hosted.port.path)
        try:
            await scenario(hosted, application)
        finally:
            await application.shutdown()
            for _ in range(5):
                await asyncio.sleep(0.01)

    run(hosted_by_zigpy, folder)


async def join(hosted, key):
    joined = await hosted.device.join((20,), key, 2.0)
    assert joined.failure is None, joined
    return joined


def test_smart_energy_goes_both_ways_before_the_device_layer_which_drops_it(tmp_path, caplog):
    caplog.set_level(logging.DEBUG, logger="zigpy")

    async def scenario(hosted, application):
        await application.permit_with_link_key(node=address(), link_key=zt.KeyData(KEY), time_s=60)
        joined = await join(hosted, KEY)
        await application.send_packet(
            zt.ZigbeePacket(
                src=zt.AddrModeAddress(zt.AddrMode.NWK, 0x0000),
                src_ep=1,
                dst=zt.AddrModeAddress(zt.AddrMode.NWK, joined.short_address),
                dst_ep=1,
                profile_id=SMART_ENERGY,
                cluster_id=0x0704,
                tsn=1,
                data=zt.SerializableBytes(b"to the device"),
                tx_options=zt.TransmitOptions.ACK | zt.TransmitOptions.APS_Encryption,
            )
        )
        heard = await hosted.device_hears.message(0x0704)
        assert (heard.payload, heard.link_key_secured) == (b"to the device", True)
        await hosted.device.send(
            ApsRequest(**{**MESSAGE, "payload": b"to the hub", "link_key_secured": True})
        )
        packet = await application.came(SMART_ENERGY, 0x0704)
        assert packet.data.serialize() == b"to the hub"
        assert packet.tx_options & zt.TransmitOptions.APS_Encryption

    tried(tmp_path, scenario)
    # It does not listen to a device that it could not interview, nor to this profile.
    assert re.search(r"uninitialized device .* cluster 1796|custom profile 0x0109, ignoring", caplog.text)


def test_zigpy_has_no_way_to_share_a_link_key_that_was_established():
    """Without one, Smart Energy ends with key establishment: nothing after it could be secured."""
    told = {name for name in dir(zigpy.application.ControllerApplication) if "key" in name}
    assert told == {"permit_with_key", "permit_with_link_key"}


def test_whoever_knows_the_well_known_key_gets_in_while_a_device_is_let_in(tmp_path):
    """A Smart Energy trust centre knows each device's own key; zigpy keeps one for everybody beside it."""

    async def scenario(hosted, application):
        other = zt.EUI64.convert("00:db:12:34:56:78:90:ff")
        await application.permit_with_link_key(node=other, link_key=zt.KeyData(bytes(16)), time_s=60)
        # The policy that asks for a key of its own is taken back by zigpy's start-up two seconds later.
        await asyncio.sleep(2.5)
        await join(hosted, ZIGBEE_ALLIANCE_09)

    tried(tmp_path, scenario)
