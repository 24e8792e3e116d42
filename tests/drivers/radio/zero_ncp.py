"""An NCP without a radio: bellows' own tables in reverse, everything answered with zeros but what matters.

It shows that the driver's commands serialise and its answers parse at a version, and no more: a wrong table
would be wrong on both sides.
"""

from __future__ import annotations

import asyncio
import binascii
import os
import pty
import re
import tty

import bellows.types as t
from bellows.ash import PSEUDO_RANDOM_DATA_SEQUENCE
from bellows.ezsp import EZSP

from tests.drivers.radio.bench_of_one import HUB


class Gateway:
    """Answers every command with zeros (which mean success), but for the few that matter."""

    def __init__(self, version, deliver):
        self.version = version
        self.protocol = EZSP._BY_VERSION[version]
        self.deliver = deliver  # takes an EZSP frame to the host
        self.commands = []
        self.table = {}

    async def disconnect(self):
        return None

    async def send_data(self, data):
        number = int.from_bytes(data[3:5], "little")
        name = next(name for name, (other, *_) in self.protocol.COMMANDS.items() if other == number)
        _, tx, rx = self.protocol.COMMANDS[name]
        values, rest = t.deserialize_dict(data[5:], tx)
        assert rest == b""
        self.commands.append((name, values))
        answer = getattr(self, f"on_{name}", lambda **_: {})(**values)
        if isinstance(rx, dict):
            zeros = {key: kind.deserialize(bytes(64))[0] for key, kind in rx.items()}
            body = t.serialize_dict((), {**zeros, **answer}, rx)
        else:
            body = rx.deserialize(bytes(64))[0].serialize()
        self.reply(data[:1], 0x80, number, body)

    def reply(self, sequence, control, number, body):
        frame = sequence + bytes([control, 0x01]) + number.to_bytes(2, "little") + body
        asyncio.get_running_loop().call_soon(self.deliver, frame)

    def callback(self, name, **values):
        number, _, rx = self.protocol.COMMANDS[name]
        self.reply(b"\xff", 0x90, number, t.serialize_dict((), values, rx))

    def status(self, old, new):
        return new if self.version >= 14 else old

    def on_getEui64(self):
        return {"eui64": t.EUI64.deserialize(HUB.to_bytes_le())[0]}

    def on_getValue(self, **_):
        return {"value": bytes.fromhex("0000 07 04 04 00 AA")}

    def on_networkState(self):
        formed = hasattr(self, "parameters")
        return {"status": t.EmberNetworkStatus.JOINED_NETWORK if formed else t.EmberNetworkStatus.NO_NETWORK}

    def on_networkInit(self, **_):
        return {"status": self.status(t.EmberStatus.NOT_JOINED, t.sl_Status.NOT_JOINED)}

    def on_formNetwork(self, parameters):
        self.parameters = parameters
        up = self.status(t.EmberStatus.NETWORK_UP, t.sl_Status.NETWORK_UP)
        (field,) = self.protocol.COMMANDS["stackStatusHandler"][2]
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
        if self.version >= 14:
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


class AshPort:
    """ASH in front of a Gateway on a pty, for a line that loses nothing."""

    def __init__(self, version=13):
        self.master, slave = pty.openpty()
        tty.setraw(slave)
        self.path = os.ttyname(slave)
        os.close(slave)
        self.gateway = Gateway(version, self.send_frame)
        self.buffer = bytearray()
        self.sent = self.expected = 0
        self.mute = False

    def start(self):
        os.set_blocking(self.master, False)
        asyncio.get_running_loop().add_reader(self.master, self._readable)

    def unplug(self):
        if self.master >= 0:
            asyncio.get_running_loop().remove_reader(self.master)
            os.close(self.master)
            self.master = -1

    def send_frame(self, frame):
        octets = bytes(a ^ b for a, b in zip(frame, PSEUDO_RANDOM_DATA_SEQUENCE, strict=False))
        self._write(bytes([self.sent << 4 | self.expected]) + octets)
        self.sent = (self.sent + 1) % 8

    def _write(self, body):
        body += binascii.crc_hqx(body, 0xFFFF).to_bytes(2, "big")
        stuffed = b"".join(
            bytes([0x7D, octet ^ 0x20]) if octet in b"\x7e\x7d\x11\x13\x18\x1a" else bytes([octet])
            for octet in body
        )
        if self.master >= 0 and not self.mute:
            os.write(self.master, stuffed + b"\x7e")

    def _readable(self):
        try:
            self.buffer += os.read(self.master, 4096)
        except OSError:
            return  # nobody has the other end open
        while b"\x7e" in self.buffer:
            raw, _, self.buffer = self.buffer.partition(b"\x7e")
            raw = raw.rpartition(b"\x1a")[2]
            raw = re.sub(rb"\x7d(.)", lambda found: bytes([found[1][0] ^ 0x20]), raw, flags=re.DOTALL)
            if raw:
                self._frame(bytes(raw[:-2]))

    def _frame(self, body):
        if body == b"\xc0":
            self.sent = self.expected = 0
            self._write(b"\xc1\x02\x02")
        elif body[0] < 0x80:
            self.expected = ((body[0] >> 4) + 1) % 8
            self._write(bytes([0x80 | self.expected]))
            data = bytes(a ^ b for a, b in zip(body[1:], PSEUDO_RANDOM_DATA_SEQUENCE, strict=False))
            asyncio.get_running_loop().create_task(self._command(data))

    async def _command(self, data):
        version = self.gateway.version
        if data[1:3] == b"\x00\x00":  # version, in the oldest header
            self.send_frame(bytes([data[0], 0x80, 0x00, version, 2, 0x40, 0x74]))
        elif data[3:5] == b"\x00\x00":
            self.send_frame(bytes([data[0], 0x80, 0x01, 0, 0, version, 2, 0x40, 0x74]))
        else:
            await self.gateway.send_data(data)
