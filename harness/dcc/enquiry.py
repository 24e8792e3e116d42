"""A request on its way through the DSP, and what the DSP knows and goes by."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from harness.dcc.counters import Clock, utc_now
from harness.dcc.defects import DccDefect
from harness.dcc.documents import Stage
from harness.dcc.duis.requests import (
    Decommission,
    HubInstall,
    Prenotify,
    ReadInventory,
    ReturnLocalCommandResponse,
    ServiceRequest,
    UpdateHanDeviceLog,
    UpdateInventory,
)
from harness.dcc.hub_exchange import HubExchange
from harness.dcc.inventory import Lookup, SmiStore
from harness.dcc.users import Users
from harness.dcc.versioning import Versioning
from harness.eui64 import Eui64
from harness.smets.cpl import Cpl
from harness.smets.requests import Answer, Judgement, code_for
from harness.smets.routing import GbcsRoute, S1spRoute
from harness.smets.rulebook import Consultation, Rulebook
from harness.smets.smi import DeviceRecord, Transition

PASS = Judgement(rules=())


@dataclass(slots=True, kw_only=True)
class Estate:
    """What the DSP knows and goes by. `cpl` may be replaced between requests."""

    store: SmiStore
    cpl: Cpl
    rules: Rulebook
    users: Users = field(default_factory=Users)
    clock: Clock = utc_now
    defects: Collection[DccDefect] = ()

    def mpxns_at(self, record: DeviceRecord) -> frozenset[str]:
        """Return the meter points of the premises where a device is: its own, its hub's, its neighbours'."""
        hub = record.device if record.hub is None else record.hub
        there = [record, *self.store.having(Lookup.HUB, str(hub))]
        hub_record = self.store.get(hub)
        if hub_record is not None:
            there.append(hub_record)
        return frozenset(mpxn for one in there for mpxn in mpxns_of(one))


@dataclass(frozen=True, slots=True, kw_only=True)
class StageJudgement:
    """What one stage made of a request; `code` is there when it ended there."""

    stage: Stage
    code: str | None
    reason: str
    rules: tuple[str, ...]

    def plain(self) -> dict[str, object]:
        """Return it as json has it."""
        return {
            "stage": self.stage.value,
            "passed": self.code is None,
            "code": self.code,
            "reason": self.reason,
            "rules": list(self.rules),
        }


@dataclass(slots=True, kw_only=True)
class Enquiry:
    """A request on its way through the stages. `record` and `hub` are the SMI's when the request arrived.

    `original` is the request behind a signed pre-command, as it was transformed; `later` is until when the
    DSP holds the request, and `cancels` that it takes an earlier one back.
    """

    request: ServiceRequest
    device: Eui64
    used: Consultation
    original: ServiceRequest | None = None
    record: DeviceRecord | None = None
    hub: DeviceRecord | None = None
    other: DeviceRecord | None = None
    found: tuple[DeviceRecord, ...] = ()
    transition: Transition | None = None
    versioning: Versioning | None = None
    exchange: HubExchange | None = None
    route: GbcsRoute | S1spRoute | None = None
    later: datetime | None = None
    cancels: bool = False
    judged: list[StageJudgement] = field(default_factory=list)

    @property
    def known(self) -> DeviceRecord:
        """The record, after the stage that made sure of it."""
        assert self.record is not None
        return self.record

    @property
    def known_hub(self) -> DeviceRecord:
        """The hub's record, after the stage that made sure of it."""
        assert self.hub is not None
        return self.hub

    @property
    def meant(self) -> ServiceRequest:
        """What is asked for: the request, or the one behind a signed pre-command."""
        return self.original or self.request

    @property
    def passed(self) -> tuple[Stage, ...]:
        """The stages that it got through."""
        return tuple(judged.stage for judged in self.judged if judged.code is None)

    def note(self, stage: Stage, judgement: Judgement) -> None:
        """Keep what a stage made of it."""
        self.used.note(*judgement.rules)
        self.judged.append(
            StageJudgement(
                stage=stage,
                code=judgement.code,
                reason=judgement.reason if judgement.code is not None else "",
                rules=judgement.rules,
            )
        )


Check: TypeAlias = Callable[[Enquiry, Estate], Judgement]


def subject_of(request: ServiceRequest) -> Eui64:
    """Return the device that a request is about; the DSP for one that is about none, or about many."""
    if isinstance(request, Prenotify):
        return request.prenotification.device
    if isinstance(request, ReadInventory | UpdateInventory | Decommission | UpdateHanDeviceLog):
        return request.device
    if isinstance(request, HubInstall):
        return request.hub
    if isinstance(request, ReturnLocalCommandResponse) and request.original is not None:
        return request.original.target
    return request.request_id.target


def mpxns_of(record: DeviceRecord) -> tuple[str, ...]:
    """Return the meter points that a record names."""
    named = (record.import_mpxn, record.secondary_import_mpan, record.export_mpan)
    return tuple(mpxn for mpxn in named if mpxn)


def because(answer: Answer, reason: str, rules: Rulebook) -> Judgement:
    """Return a refusal of this meaning."""
    judgement = code_for(answer, rules)
    return Judgement(code=judgement.code, reason=reason, rules=judgement.rules)
