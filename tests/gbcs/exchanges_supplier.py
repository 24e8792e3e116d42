"""The published messages of what a supplier does to a meter besides a top-up, by their fields."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from harness.eui64 import Eui64
from harness.gbcs.access import AccessResult
from harness.gbcs.gbz import ZclStatus
from harness.gbcs.use_case import UseCase
from harness.gbcs.use_cases.clock import ECS70, GCS28, ClockStatus, EsmeClock, GsmeClock, SetClock
from harness.gbcs.use_cases.display_message import ECS10, GCS07, GasMessage
from harness.gbcs.use_cases.prepayment import ECS09, GCS06, OriginatingDevice, SelectEmergencyCredit
from tests.gbcs.exchanges import NEW_YEAR, TIME, Exchange
from tests.gbcs.vectors import ESME, GSME

_MESSAGE_ID = 0x1C374A80  # the second day of 2015


def emergency_credit() -> list[Exchange]:
    """Emergency credit, activated by the supplier."""

    def activate(
        case: UseCase[Any, Any], outcome: str, device: Eui64, counter: int, command: Any, response: Any
    ):
        return Exchange(
            case=case,
            vector=f"2.5_{case.name}/{case.name}_2.5_{outcome}",
            device=device,
            counter=counter,
            precommand=True,
            command=command,
            response=response,
        )

    select = SelectEmergencyCredit(device=OriginatingDevice.ENERGY_SERVICE_INTERFACE)
    return [
        activate(ECS09, "SUCCESS", ESME, 0x3E8, None, AccessResult.SUCCESS),
        activate(ECS09, "ERROR", ESME, 0x3E9, None, AccessResult.HARDWARE_FAULT),
        activate(GCS06, "SUCCESS", GSME, 0x3E8, select, ZclStatus.SUCCESS),
        activate(GCS06, "ERROR", GSME, 0x3E9, select, ZclStatus.HARDWARE_FAILURE),
    ]


def messages() -> list[Exchange]:
    """Messages on a meter's display."""

    def show(case: UseCase[Any, Any], outcome: str, device: Eui64, counter: int, command: Any, response: Any):
        name = f"3.1_{case.name}/{case.name}_3.1_{outcome}"
        return Exchange(
            case=case, vector=name, device=device, counter=counter, command=command, response=response
        )

    reset = GasMessage(text="Reset", message_id=_MESSAGE_ID)
    return [
        show(ECS10, "SUCCESS", ESME, 0x3EB, "Reset", AccessResult.SUCCESS),
        show(ECS10, "ERROR", ESME, 0x3EC, "Reset", AccessResult.HARDWARE_FAULT),
        show(GCS07, "SUCCESS", GSME, 0x3EA, reset, ZclStatus.SUCCESS),
        show(GCS07, "ERROR", GSME, 0x3EB, reset, ZclStatus.HARDWARE_FAILURE),
    ]


def clocks() -> list[Exchange]:
    """A meter's clock: to commission it, and the same messages again to synchronise it."""
    seconds = timedelta(seconds=10)
    around = SetClock(start=NEW_YEAR - 5 * seconds, end=NEW_YEAR + seconds)
    hour = timedelta(hours=1)
    half_past = SetClock(start=NEW_YEAR - hour / 2, end=NEW_YEAR + hour / 2)
    afterwards = SetClock(start=NEW_YEAR + hour, end=NEW_YEAR + 2 * hour)
    right = EsmeClock(time=replace(TIME, hundredths=0), status=0)
    wrong = EsmeClock(time=AccessResult.HARDWARE_FAULT, status=AccessResult.OTHER_REASON)
    exchanges = []
    for folder, kind in (("8.1.1_{}Commission", "{}Commission_8.1.1"), ("6.11_{}", "{}_6.11")):
        for case, device, outcome, counter, command, response in (
            (ECS70, ESME, "SUCCESS", 0x3E8, around, right),
            (ECS70, ESME, "ERROR", 0x3EA, around, wrong),
            (GCS28, GSME, "SUCCESS", 0x3E8, half_past, GsmeClock(time=NEW_YEAR - hour / 2)),
            (
                GCS28,
                GSME,
                "ERROR",
                0x3EA,
                afterwards,
                GsmeClock(time=NEW_YEAR, status=ClockStatus.UNRELIABLE),
            ),
        ):
            exchanges.append(
                Exchange(
                    case=case,
                    vector=f"{folder.format(case.name)}/{kind.format(case.name)}_{outcome}",
                    device=device,
                    counter=counter,
                    precommand=True,
                    command=command,
                    response=response,
                )
            )
    return exchanges
