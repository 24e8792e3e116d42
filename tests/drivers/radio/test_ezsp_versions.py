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


class Gateway:
    """Answers every command with zeros (which mean success), but for the few that matter."""

    def __init__(self, port):
        self.port = port
        self.commands = []
        self.table = {}

    async def disconnect(self):
        return None

    async def send_data(self, data):
        protocol = self.port._protocol
        name, tx, rx = protocol.COMMANDS_BY_ID[int.from_bytes(data[3:5], "little")]
        values, rest = t.deserialize_dict(data[5:], tx)
        assert rest == b""
        self.commands.append((name, values))
        answer = getattr(self, f"on_{name}", lambda **_: {})(**values)
        if isinstance(rx, dict):
            zeros = {key: kind.deserialize(bytes(64))[0] for key, kind in rx.items()}
            body = t.serialize_dict((), {**zeros, **answer}, rx)
        else:
            body = rx.deserialize(bytes(64))[0].serialize()
        self.reply(data[:1], 0x80, protocol.COMMANDS[name][0], body)

    def reply(self, sequence, control, number, body):
        frame = sequence + bytes([control, 0x01]) + number.to_bytes(2, "little") + body
        asyncio.get_running_loop().call_soon(self.port.frame_received, frame)

    def callback(self, name, **values):
        number, _, rx = self.port._protocol.COMMANDS[name]
        self.reply(b"\xff", 0x90, number, t.serialize_dict((), values, rx))

    def status(self, old, new):
        return new if self.port.ezsp_version >= 14 else old

    def on_getEui64(self):
        return {"eui64": t.EUI64.deserialize(HUB.to_bytes_le())[0]}

    def on_getValue(self, **_):
        return {"value": bytes.fromhex("0000 07 04 04 00 AA")}

    def on_networkInit(self, **_):
        return {"status": self.status(t.EmberStatus.NOT_JOINED, t.sl_Status.NOT_JOINED)}

    def on_formNetwork(self, parameters):
        self.parameters = parameters
        up = self.status(t.EmberStatus.NETWORK_UP, t.sl_Status.NETWORK_UP)
        (field,) = self.port._protocol.COMMANDS["stackStatusHandler"][2]
        self.callback("stackStatusHandler", **{field: up})
        return {}

    def on_setInitialSecurityState(self, state):
        self.security = state
        return {}

    def on_getNetworkParameters(self):
        return {"parameters": self.parameters}

    def on_getNetworkKeyInfo(self):
        info = t.SecurityManagerNetworkKeyInfo.deserialize(bytes(64))[0]
        return {"network_key_info": info.replace(network_key_set=t.Bool.true)}

    def on_findKeyTableEntry(self, address, linkKey):  # noqa: N803 - EZSP's own name
        return {"index": 0 if not any(address.serialize()) else self.table.get(address.serialize(), 0xFF)}

    def on_importLinkKey(self, index, address, key):
        self.table[address.serialize()] = index
        return {}

    def on_addOrUpdateKeyTableEntry(self, address, **_):
        self.table[address.serialize()] = 0
        return {}

    def on_sendUnicast(self, **sent):
        if self.port.ezsp_version >= 14:
            self.callback(
                "messageSentHandler",
                status=t.sl_Status.OK,
                message_type=0,
                nwk=sent["nwk"],
                aps_frame=sent["aps_frame"],
                message_tag=sent["message_tag"],
                message=b"",
            )
        else:
            self.callback(
                "messageSentHandler",
                type=0,
                indexOrDestination=sent["indexOrDestination"],
                apsFrame=sent["apsFrame"],
                messageTag=sent["messageTag"],
                status=t.EmberStatus.SUCCESS,
                messageContents=b"",
            )
        return {"sequence": 77}


def port_of(version, made):
    class WirelessPort(EzspPort):
        async def connect(self, *, use_thread):
            self._gw = Gateway(self)
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
        announce(gateway)
        await settle()
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
        assert 0x11 in policies
        assert [event.peer_eui64 for event in listener.messages] == [PPMID]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def fields(message):
    return {name: getattr(message, name) for name in message.__slots__}


def announce(gateway):
    payload = b"\x01" + (0x1234).to_bytes(2, "little") + PPMID.to_bytes_le() + b"\x80"
    aps = t.EmberApsFrame(0, 0x0013, 0, 0, t.EmberApsOption(0), 0, 1)
    if gateway.port.ezsp_version >= 14:
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
