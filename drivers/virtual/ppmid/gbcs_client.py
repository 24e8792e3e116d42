"""GBCS on the PPMID: which messages it obeys, what it answers, what it alerts, and why it stays silent.

It obeys commands to itself from the Access Control Broker (`harness.gbcs.acceptance` has the checks): joins,
unjoins, what it is joined to, its firmware version. Anything else is recorded with the reason, not answered.
Source: facts gb-domain §3.3 (MAC, signature, whose keys), §3.4; GBCS §4.3 (Protection Against Replay).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from drivers.virtual.device.joined_devices import JoinedDevices
from drivers.virtual.device.spoiling import spoil_mac
from drivers.virtual.ppmid.config import PpmidConfig
from drivers.virtual.ppmid.defects import Defect
from drivers.virtual.ppmid.nonvolatile import Memory, NonVolatile
from drivers.virtual.ppmid.received import ReceivedLog
from drivers.virtual.ppmid.wrong_responses import Responses
from harness.eui64 import Eui64
from harness.gbcs import ACB, BenchPki, GbcsMessage, OwnKeys
from harness.gbcs.acceptance import Acceptance, Accepted, Refusal, Refused
from harness.gbcs.message import parse
from harness.gbcs.use_case import UseCase
from harness.gbcs.use_cases.cs08 import CS08, Cs08Result
from harness.gbcs.use_cases.firmware import CS09, PpmidActivation
from harness.gbcs.use_cases.joining import (
    CS03A2,
    CS03B,
    CS03C,
    CS04AC,
    CS04B,
    CS07,
    Join,
    JoinDetails,
    JoinResult,
    UnjoinResult,
)

_ANSWERED = "answered"
_LEFT_OUT = {
    Defect.IGNORES_MAC: Refusal.BAD_MAC,
    Defect.IGNORES_SIGNATURE: Refusal.BAD_SIGNATURE,
    Defect.ACCEPTS_REPLAY: Refusal.REPLAYED,
    Defect.ANSWERS_FOR_OTHERS: Refusal.WRONG_TARGET,
    Defect.OBEYS_ANYBODY: Refusal.WRONG_ORIGINATOR,
}
_USE_CASES: tuple[UseCase[Any, Any], ...] = (CS03A2, CS03B, CS03C, CS04AC, CS04B, CS07, CS08)


class GbcsClient:
    """Takes messages from the tunnel; `content` is what `memory` holds, stored again when it changes."""

    def __init__(
        self, config: PpmidConfig, content: NonVolatile, memory: Memory, received: ReceivedLog
    ) -> None:
        self._config = config
        self._content = content
        self._memory = memory
        self._received = received
        pki = BenchPki(config.credentials)
        self._keys = OwnKeys(config.eui64, pki)
        self._responses = Responses(self._keys, pki, config.defects)
        self._joined = JoinedDevices(
            content,
            self._store,
            pki.authorities()[:1],  # of devices; organisations have another
            careless=Defect.JOINS_WITHOUT_CERTIFICATE_CHECK in config.defects,
        )
        self._acceptance = Acceptance(
            device=config.eui64,
            originators=(ACB,),
            use_cases={use_case.code: use_case for use_case in _USE_CASES},
            keys=self._keys,
            leaves_out=frozenset(check for defect, check in _LEFT_OUT.items() if defect in config.defects),
        )
        self._does: Mapping[str, Callable[[Any], object]] = {
            CS03A2.name: lambda join: self._join(CS03A2.name, join),
            CS03B.name: lambda join: self._join(CS03B.name, join),
            CS03C.name: lambda join: self._join(CS03C.name, join),
            CS04AC.name: self._unjoin,
            CS04B.name: self._unjoin,
            CS07.name: self._details,
            CS08.name: self._firmware,
        }

    def handle(self, octets: bytes) -> bytes | None:
        """Take one message and return the response, or None when there is none to give."""
        try:
            accepted = self._acceptance.take(octets, self._content.counters)
        except Refused as refused:
            self._note(refused.message, refused.refusal.value, refused.reason)
            return None
        message = accepted.message
        self._note(message, _ANSWERED)
        self._content.counters[message.originator] = message.counter
        self._store()
        return self._respond(accepted)

    def firmware_activated(self) -> bytes:
        """Return the alert that tells of an activation of the firmware (CS09, 8F8B)."""
        self._content.counter += 1
        self._store()
        fields = PpmidActivation(
            time=datetime.now(UTC).replace(microsecond=0), firmware=self._config.reported_firmware
        )
        alert = CS09.build_alert(
            fields,
            self._keys,
            originator=self._config.eui64,
            recipient=ACB,
            counter=self._content.counter,
        )
        if Defect.ALERTS_WITHOUT_SIGNATURE in self._config.defects:
            return parse(alert).with_signature(b"").to_bytes()
        return alert

    def power_up(self) -> None:
        """Be as the memory says, which a deliberately defective device is not."""
        if Defect.FORGETS_JOINS_ON_POWER_CYCLE in self._config.defects:
            self._content.joined.clear()

    def _store(self) -> None:
        self._memory.store(self._content)

    def _note(self, message: GbcsMessage | None, result: str, reason: str = "") -> None:
        fields: dict[str, str] = {}
        if message is not None:
            fields = {
                "code": f"{message.message_code:04X}",
                "use_case": message.use_case or "unknown",
                "counter": str(message.counter),
                "originator": str(message.originator),
            }
        if reason:
            fields["reason"] = reason
        self._received.add("gbcs", mac=self._mac(message), result=result, **fields)

    def _mac(self, message: GbcsMessage | None) -> str:
        if message is None or message.mac is None:
            return "none"
        return "valid" if self._acceptance.mac_is_right(message) else "invalid"

    # --- what it does ---------------------------------------------------------------------------------------

    def _join(self, use_case: str, join: Join) -> JoinResult:
        result = self._joined.join(use_case, join)
        return JoinResult.DEVICE_LOG_FULL if Defect.WRONG_JOIN_RESPONSE in self._config.defects else result

    def _unjoin(self, device: Eui64) -> UnjoinResult:
        if Defect.KEEPS_UNJOINED in self._config.defects:
            return UnjoinResult.SUCCESS
        return self._joined.unjoin(device)

    def _details(self, _: None) -> JoinDetails:
        return self._joined.details()

    def _firmware(self, _: None) -> Cs08Result:
        return Cs08Result(self._config.reported_firmware, ok=True)

    def _respond(self, accepted: Accepted) -> bytes:
        outcome = self._does[accepted.use_case.name](accepted.fields)
        # Who answers for another does so as itself: it has no key of the other's.
        command = replace(accepted.message, recipient=self._config.eui64)
        response = self._responses.write(accepted, command, outcome)
        if Defect.BAD_RESPONSE_MAC in self._config.defects:
            return spoil_mac(response)
        return response
