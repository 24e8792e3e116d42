"""GBCS on a meter: what it does for its supplier and for the DCC, and what it answers.

It obeys its supplier's commands (clock, top-up, emergency credit, message, joins and unjoins) and the ACB's
(what it is joined to, and a gas meter's join to its proxy). Top-ups have counters of their own, which guard
them from being replayed.
Source: facts gb-domain §3.3, §3.4; RTDS 2.2, 2.5, 3.1, 8.1.1 (counters of 2.2 beside those of the others).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from drivers.virtual.device.joined_devices import OF_A_METER, JoinedDevices
from drivers.virtual.device.spoiling import spoil_mac
from drivers.virtual.meter.account import Account
from drivers.virtual.meter.config import MeterConfig, MeterDefect, MeterKind
from harness.errors import DecodeError
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER, BenchPki, OwnKeys
from harness.gbcs.acceptance import Acceptance, Accepted, Refused
from harness.gbcs.access import AccessResult
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.gbz import ZclStatus
from harness.gbcs.message import parse
from harness.gbcs.use_case import UseCase
from harness.gbcs.use_cases.clock import ECS70, GCS28, ClockStatus, EsmeClock, GsmeClock, SetClock
from harness.gbcs.use_cases.display_message import ECS10, GCS07, GasMessage
from harness.gbcs.use_cases.joining import (
    CS03A1,
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
from harness.gbcs.use_cases.prepayment import (
    CS01A,
    CS01B,
    ECS09,
    GCS06,
    OriginatingDevice,
    TopUpOutcome,
    TopUpResponse,
)
from harness.gbcs.utrn import TopUp, check_utrn

_TOP_UPS = (CS01A.code, CS01B.code)
_MILLIPENCE = 1000
_FACTORY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
_INVALID_CLOCK = 0x01
_OF_BOTH: tuple[UseCase[Any, Any], ...] = (CS03C, CS04AC, CS07)
_USE_CASES: Mapping[MeterKind, tuple[UseCase[Any, Any], ...]] = {
    MeterKind.ESME: (ECS70, ECS09, CS01A, ECS10, CS03A1, *_OF_BOTH),
    MeterKind.GSME: (GCS28, GCS06, CS01B, GCS07, CS03B, CS04B, *_OF_BOTH),
}
_JOIN_METHODS = {
    MeterKind.ESME: {CS03A1.name: OF_A_METER[CS03A1.name]},
    MeterKind.GSME: {name: OF_A_METER[name] for name in (CS03B.name, CS03C.name)},
}


@dataclass(slots=True)
class MeterStore:
    """What a meter knows: its time was set, its text shows, whom it is joined to, whose commands it took."""

    clock: datetime | None = None
    message: str = ""
    joined: dict[Eui64, int] = field(default_factory=dict)
    counters: dict[Eui64, int] = field(default_factory=dict)


class MeterGbcs:
    """Takes messages from the tunnel. `hub_time` is the hub's time, None while it is not known."""

    def __init__(self, config: MeterConfig, hub_time: Callable[[], datetime | None]) -> None:
        self._config = config
        self._hub_time = hub_time
        self.store = MeterStore()
        pki = BenchPki(config.credentials)
        self._keys = OwnKeys(config.eui64, pki)
        self.account = Account(
            self._check_utrn,
            any_utrn=MeterDefect.ACCEPTS_ANY_UTRN in config.defects,
            again=MeterDefect.ACCEPTS_REPLAYED_UTRN in config.defects,
        )
        self._joined = JoinedDevices(
            self.store, lambda: None, pki.authorities()[:1], _JOIN_METHODS[config.kind]
        )
        self.refused: list[Refused] = []
        self._acceptance = Acceptance(
            device=config.eui64,
            originators=(SUPPLIER, ACB),
            use_cases={one.code: one for one in _USE_CASES[config.kind]},
            keys=self._keys,
        )
        self._does: Mapping[str, Callable[[Accepted], object]] = {
            ECS70.name: lambda command: self._set_clock(command.fields),
            GCS28.name: lambda command: self._set_clock(command.fields),
            ECS09.name: self._emergency_credit,
            GCS06.name: self._emergency_credit,
            CS01A.name: self._top_up_electricity,
            CS01B.name: self._top_up_gas,
            ECS10.name: lambda command: self._show(command.fields, AccessResult.SUCCESS),
            GCS07.name: lambda command: self._show(command.fields, ZclStatus.SUCCESS),
            CS03A1.name: lambda command: self._join(CS03A1.name, command.fields),
            CS03C.name: lambda command: self._join(CS03C.name, command.fields),
            CS03B.name: lambda command: self._join(CS03B.name, command.fields),
            CS04B.name: self._unjoin,
            CS04AC.name: self._unjoin,
            CS07.name: self._details,
        }

    def handle(self, octets: bytes) -> bytes | None:
        """Take one message and return the response, or None when there is none to give."""
        try:
            accepted = self._acceptance.take(octets, self._counters(octets))
        except Refused as refused:
            self.refused.append(refused)
            return None
        message, use_case = accepted.message, accepted.use_case
        if message.message_code not in _TOP_UPS:
            self.store.counters[message.originator] = message.counter
        outcome = self._does[use_case.name](accepted)
        time = CosemTime.of(self._time()) if message.message_code in _TOP_UPS else None
        response = use_case.build_response(message, outcome, self._keys, time=time)
        if use_case.response.macs and MeterDefect.BAD_RESPONSE_MAC in self._config.defects:
            return spoil_mac(response)
        return response

    def _counters(self, octets: bytes) -> Mapping[Eui64, int]:
        try:
            is_top_up = parse(octets).message_code in _TOP_UPS
        except DecodeError:
            is_top_up = False
        return {} if is_top_up else self.store.counters

    # --- what it does ---------------------------------------------------------------------------------------

    def _time(self) -> datetime:
        return self.store.clock or self._hub_time() or _FACTORY_TIME

    def _set_clock(self, fields: SetClock) -> EsmeClock | GsmeClock:
        now = self._hub_time()
        inside = now is not None and fields.start <= now <= fields.end
        if inside or MeterDefect.TAKES_ANY_TIME in self._config.defects:
            self.store.clock, inside = now or fields.start, True
        if self._config.kind is MeterKind.GSME:
            status = ClockStatus.RELIABLE if inside else ClockStatus.INVALID
            return GsmeClock(time=self._time().replace(microsecond=0), status=status)
        return EsmeClock(
            adjusted=AccessResult.SUCCESS if inside else AccessResult.TEMPORARY_FAILURE,
            time=CosemTime.of(self._time()),
            status=0 if inside else _INVALID_CLOCK,
        )

    def _emergency_credit(self, _: Accepted) -> AccessResult | ZclStatus:
        done = self.account.activate_emergency_credit()
        if self._config.kind is MeterKind.GSME:
            return ZclStatus.SUCCESS if done else ZclStatus.FAILURE
        return AccessResult.SUCCESS if done else AccessResult.OTHER_REASON

    def _top_up_electricity(self, command: Accepted) -> AccessResult:
        outcome, _ = self.account.top_up(command.fields, command.message.counter)
        return AccessResult.SUCCESS if outcome is TopUpOutcome.ACCEPTED else AccessResult.OTHER_REASON

    def _top_up_gas(self, command: Accepted) -> TopUpResponse:
        outcome, pence = self.account.top_up(command.fields, command.message.counter)
        taken = outcome is TopUpOutcome.ACCEPTED
        return TopUpResponse(
            outcome=outcome,
            value=pence * _MILLIPENCE if taken else -1,
            source=OriginatingDevice.ENERGY_SERVICE_INTERFACE,
            credit_remaining=self.account.balance * _MILLIPENCE if taken else -1,
        )

    def _check_utrn(self, utrn: str, counter: int) -> TopUp:
        own = self._config.eui64
        return check_utrn(utrn, supplier=SUPPLIER, meter=own, counter=counter, keys=self._keys)

    def _show(self, fields: str | GasMessage, shown: AccessResult | ZclStatus) -> AccessResult | ZclStatus:
        self.store.message = fields.text if isinstance(fields, GasMessage) else fields
        return shown

    def _join(self, use_case: str, join: Join) -> JoinResult:
        if use_case not in _JOIN_METHODS[self._config.kind]:
            return JoinResult.INVALID_MESSAGE_CODE_FOR_METHOD_AND_ROLE
        return self._joined.join(use_case, join)

    def _unjoin(self, command: Accepted) -> UnjoinResult:
        if MeterDefect.KEEPS_UNJOINED in self._config.defects:
            return UnjoinResult.SUCCESS
        return self._joined.unjoin(command.fields)

    def _details(self, _: Accepted) -> JoinDetails:
        return self._joined.details()
