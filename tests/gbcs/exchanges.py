"""What a published message is rebuilt from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from harness.eui64 import Eui64
from harness.gbcs.cosem_time import CosemTime
from harness.gbcs.use_case import AlertCase, UseCase
from tests.gbcs.vectors import ACB, SUPPLIER

NEW_YEAR = datetime(2015, 1, 1, tzinfo=UTC)
TIME = CosemTime.of(NEW_YEAR)


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A command and its response. `of_acb` is the user's counter in a command of the ACB's.

    `response_quirk` does to the content what the data do and DER does not; `note` says so in the table.
    """

    case: UseCase[Any, Any]
    vector: str
    device: Eui64
    counter: int
    command: Any = None
    response: Any = None
    of_acb: int | None = None
    originator: Eui64 = SUPPLIER
    precommand: bool = False
    time: CosemTime | None = None
    mac_is_unpublished: bool = False
    response_quirk: Callable[[bytes], bytes] | None = None
    note: str = ""

    @property
    def heading(self) -> dict[str, Any]:
        """The heading of the command."""
        heading = {"originator": self.originator, "device": self.device, "counter": self.counter}
        if self.of_acb is not None:
            heading |= {
                "originator": ACB,
                "supplementary_party": SUPPLIER,
                "supplementary_counter": self.of_acb,
            }
        return heading

    @property
    def kinds(self) -> list[str]:
        """Which messages it is made of."""
        return ["PRECOMMAND"] * self.precommand + ["COMMAND", "RESPONSE"]


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alert."""

    case: AlertCase[Any]
    vector: str
    originator: Eui64
    counter: int
    fields: Any
    recipient: Eui64 = ACB
    more: dict[str, Any] = field(default_factory=dict)
    note: str = ""
