"""A hub's GPF: as the inventory has it, and taking another hub's place."""

from __future__ import annotations

from dataclasses import dataclass

from harness.dcc.duis.requests import RestoreGpfDeviceLog
from harness.errors import SystemFault
from harness.plan.context import CaseContext, Request
from harness.plan.expect import hold, refused
from harness.plan.steps.step import Seen, Step, step
from harness.smets.cpl import DeviceType
from harness.smets.version import SmetsVersion

_RULES = ("HUB-FAMILY",)


@step("expect_gpf")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectGpf(Step):
    """The SMI (8.2) has the GPF of a hub, another device than its CHF, of this SMETS version."""

    hub: str
    smets: SmetsVersion

    async def run(self, case: CaseContext) -> Seen:
        """Read it."""
        entry = case.bench.hub(self.hub)
        record = await case.bench.dcc.read_inventory(entry.gpf)
        if record is None or entry.gpf == entry.hub.eui64:
            raise SystemFault(f"the SMI has no GPF {entry.gpf} beside the CHF of hub {self.hub}")
        if record.device_type is not DeviceType.GPF or record.hub not in (None, entry.hub.eui64):
            raise SystemFault(
                f"{entry.gpf} is a {record.device_type.value} on {record.hub}, not the GPF of hub {self.hub}"
            )
        hold(
            case,
            f"SMETS version of the GPF of hub {self.hub} in the SMI",
            wanted=self.smets,
            seen=record.family,
            ruled=entry.family,
            rules=_RULES,
            fault=SystemFault,
        )
        return {"gpf": str(record.device), "chf": str(entry.hub.eui64), "smets": record.version}


@step("exchange_gpf")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeGpf(Step):
    """The GPF of a hub takes the place of another hub's (8.12.2), with the log that this backed up last."""

    from_: str
    hub: str

    async def run(self, case: CaseContext) -> Seen:
        """Send 8.12.2; it is the last request then."""
        bench = case.bench
        old, new = bench.hub(self.from_), bench.hub(self.hub)
        response = await bench.dcc.send(RestoreGpfDeviceLog, new.gpf, old_gpf=old.gpf)
        way = bench.dcc.route_of(response)
        case.request = Request(srv="8.12.2", response=response, route=way, hub=self.hub, function="GPF")
        case.rules.note(*response.rules)
        if not response.ok:
            raise refused(case, response, f"the GPF of hub {self.hub} in the place of that of {self.from_}")
        return {"code": response.code, "via": way.via.value, **response.fields}
