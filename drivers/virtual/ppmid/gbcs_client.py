"""GBCS on the PPMID: which messages it obeys, what it answers, and why it stays silent.

A message is obeyed when it parses, is a command to this device from the Access Control Broker, carries the
MAC of broker and device, has a counter higher than any before it from that originator, and is a use case that
the device has. Anything else is recorded with the reason, and not answered.
Source: facts gb-domain §3.3 (MAC, whose keys), §3.4 (CS08); GBCS §4.3 (Protection Against Replay).
"""

from __future__ import annotations

from enum import Enum

from drivers.virtual.ppmid.config import PpmidConfig
from drivers.virtual.ppmid.defects import Defect
from drivers.virtual.ppmid.nonvolatile import Memory, NonVolatile
from drivers.virtual.ppmid.received import ReceivedLog
from harness.errors import DecodeError
from harness.gbcs import ACB, BenchPki, Cra, GbcsMessage, KeyUsage, OwnKeys, check_mac, der, parse
from harness.gbcs.use_cases import cs08


class Result(Enum):
    """What became of a message, by the test port's name."""

    ANSWERED = "answered"
    MALFORMED = "malformed"
    NOT_A_COMMAND = "not-a-command"
    WRONG_TARGET = "wrong-target"
    NOT_FROM_ACB = "not-from-acb"
    BAD_MAC = "bad-mac"
    REPLAYED = "replayed"
    UNSUPPORTED = "unsupported"


class GbcsClient:
    """Takes messages from the tunnel; `content` is what `memory` holds, stored again when it changes."""

    def __init__(
        self, config: PpmidConfig, content: NonVolatile, memory: Memory, received: ReceivedLog
    ) -> None:
        self._config = config
        self._content = content
        self._memory = memory
        self._received = received
        self._keys = OwnKeys(config.eui64, BenchPki(config.credentials))

    def handle(self, octets: bytes) -> bytes | None:
        """Take one message and return the response, or None when there is none to give."""
        try:
            message = parse(octets)
        except DecodeError as error:
            self._received.add("gbcs", mac="none", result=Result.MALFORMED.value, reason=str(error))
            return None
        mac_valid = self._mac_valid(message)
        result = self._judge(message, mac_valid=mac_valid)
        self._received.add(
            "gbcs",
            code=f"{message.message_code:04X}",
            use_case=message.use_case or "unknown",
            counter=str(message.counter),
            originator=str(message.originator),
            mac="none" if message.mac is None else "valid" if mac_valid else "invalid",
            result=result.value,
        )
        if result is not Result.ANSWERED:
            return None
        self._content.counters[message.originator] = message.counter
        self._memory.store(self._content)
        return self._respond(message)

    def _judge(self, message: GbcsMessage, *, mac_valid: bool) -> Result:
        if message.cra is not Cra.COMMAND:
            return Result.NOT_A_COMMAND
        if message.recipient != self._config.eui64:
            return Result.WRONG_TARGET
        if message.originator != ACB:
            return Result.NOT_FROM_ACB
        if not mac_valid and Defect.IGNORES_MAC not in self._config.defects:
            return Result.BAD_MAC
        if message.counter <= self._content.counters.get(message.originator, -1):
            return Result.REPLAYED
        if message.message_code != cs08.CS08.code:
            return Result.UNSUPPORTED
        return Result.ANSWERED if message.content == der.NULL else Result.MALFORMED

    def _mac_valid(self, message: GbcsMessage) -> bool:
        usage = KeyUsage.KEY_AGREEMENT
        own = self._keys.private_key(self._config.eui64, usage)
        return check_mac(message, own, self._keys.public_key(ACB, usage))

    def _respond(self, command: GbcsMessage) -> bytes:
        response = cs08.response(command, self._config.reported_firmware, self._keys)
        if Defect.BAD_RESPONSE_MAC in self._config.defects:
            return response[:-1] + bytes([response[-1] ^ 0x01])
        return response
