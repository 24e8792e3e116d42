"""Use cases between a supplier and his meter: top-up, emergency credit, message, clock; electricity and gas.

Their commands are the supplier's own: he signs those that are critical, and of the others the DSP adds the
MAC to what it makes in his name. What a meter tells has the names of MMC elements where there is one.
Source: RTDS 2.2, 2.5, 3.1 and 8.1.1 (requests and messages); MMC schema 5.4.
"""

from __future__ import annotations

from datetime import timedelta

from harness.dcc.duis.requests import ActivateEmergencyCredit, Commission, DisplayMessage, TopUp
from harness.dcc.spoken import ACCESS_RESULTS, Knowledge, SpokenUseCase, Told, by_name, nothing, success
from harness.gbcs.access import AccessResult
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.gbz import ZclStatus
from harness.gbcs.use_cases.clock import ECS70, GCS28, EsmeClock, GsmeClock, SetClock
from harness.gbcs.use_cases.display_message import ECS10, GCS07, GasMessage
from harness.gbcs.use_cases.prepayment import (
    CS01A,
    CS01B,
    ECS09,
    GCS06,
    OriginatingDevice,
    SelectEmergencyCredit,
    TopUpOutcome,
    TopUpResponse,
)

TOP_UP_RESULT = "TopUpResult"
CREDIT_REMAINING = "CreditRemaining"  # thousandths of a penny
ZCL_STATUS = "ZclStatus"
DEVICE_TIME = "DeviceTime"
_ELECTRICITY_CLOCK, _GAS_CLOCK = "ElecClockTimeStatus", "GasClockTimeStatus"
_TAKEN = (
    TopUpOutcome.ACCEPTED,
    TopUpOutcome.ACCEPTED_SUPPLY_ENABLED,
    TopUpOutcome.ACCEPTED_SUPPLY_DISABLED,
    TopUpOutcome.ACCEPTED_SUPPLY_ARMED,
)
_MESSAGE_IDS = 1 << 32


def _utrn(request: TopUp, _: Knowledge) -> str:
    return request.utrn


def _select(_: ActivateEmergencyCredit, __: Knowledge) -> SelectEmergencyCredit:
    return SelectEmergencyCredit(device=OriginatingDevice.ENERGY_SERVICE_INTERFACE)


def _text(request: DisplayMessage, _: Knowledge) -> str:
    return request.message


def _gas_message(request: DisplayMessage, _: Knowledge) -> GasMessage:
    """Number the message by the request's counter: how a DSP finds a number is not public."""
    return GasMessage(text=request.message, message_id=request.request_id.counter % _MESSAGE_IDS)


def _clock(request: Commission, _: Knowledge) -> SetClock:
    start = request.current.replace(microsecond=0)
    return SetClock(start=start, end=start + timedelta(seconds=request.tolerance_s))


def _accessed(result: AccessResult) -> Told:
    return success(ok=result is AccessResult.SUCCESS) | {ACCESS_RESULTS: result.text}


def _topped_up(response: TopUpResponse) -> Told:
    return success(ok=response.outcome in _TAKEN) | {
        TOP_UP_RESULT: response.outcome.text,
        CREDIT_REMAINING: str(response.credit_remaining),
    }


def _status(status: ZclStatus) -> Told:
    return success(ok=status is ZclStatus.SUCCESS) | {ZCL_STATUS: status.text}


def _electricity_clock(clock: EsmeClock) -> Told:
    if isinstance(clock.time, CosemTime):
        time = clock.time.moment.isoformat() if clock.time.moment else "none"
    else:
        time = clock.time.text
    status = clock.status.text if isinstance(clock.status, AccessResult) else f"{clock.status:02X}"
    return success(ok=clock.ok) | {DEVICE_TIME: time, _ELECTRICITY_CLOCK: status}


def _gas_clock(clock: GsmeClock) -> Told:
    return success(ok=clock.ok) | {DEVICE_TIME: clock.time.isoformat(), _GAS_CLOCK: clock.status.text}


IN_THE_USERS_NAME = by_name(
    SpokenUseCase(CS01A, _utrn, _accessed, by_user=True),
    SpokenUseCase(CS01B, _utrn, _topped_up, by_user=True),
    SpokenUseCase(ECS10, _text, _accessed, by_user=True),
    SpokenUseCase(GCS07, _gas_message, _status, by_user=True),
)
SIGNED_BY_THE_USER = by_name(
    SpokenUseCase(ECS09, nothing, _accessed, by_user=True),
    SpokenUseCase(GCS06, _select, _status, by_user=True),
    SpokenUseCase(ECS70, _clock, _electricity_clock, by_user=True),
    SpokenUseCase(GCS28, _clock, _gas_clock, by_user=True),
)
