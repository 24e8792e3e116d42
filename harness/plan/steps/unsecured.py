"""Somebody sends Smart Energy under the network key alone, and the other side must refuse it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.errors import DutFault, StimulusImpossible, SystemFault
from harness.plan.context import CaseContext
from harness.plan.expect import unmet
from harness.plan.steps.step import Seen, Step, step
from harness.rig.bench import HubOnBench
from harness.rig.faces import UnsecuredReader
from harness.smets.han import UNSECURED_STATUS, unsecured_status

_PRICE = 0x0700
_ATTRIBUTE = 0x0000
_ANSWERS_WITHIN_S = 5.0
_ZCL = "zcl"


@step("expect_unsecured_refused")
@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectUnsecuredRefused(Step):
    """A read under the network key alone of a cluster that needs the link key is refused and not obeyed.

    `by` says who must refuse: the PPMID, asked by its hub, or the hub, asked by the PPMID.
    """

    by: Literal["ppmid", "hub"]
    cluster: int = _PRICE

    async def run(self, case: CaseContext) -> Seen:
        """Ask, and hold the status of the answer against the rulebook's."""
        entry = case.hub
        if entry is None:
            raise StimulusImpossible("the PPMID is on no hub's device log; whitelist it first")
        status = await (self._of_ppmid(case, entry) if self.by == "ppmid" else self._of_hub(case))
        wanted = unsecured_status(case.bench.rules)
        who = "the PPMID" if self.by == "ppmid" else f"hub {entry.hub.name}"
        fault = DutFault if self.by == "ppmid" else SystemFault
        what = f"a read of cluster 0x{self.cluster:04X} under the network key alone"
        if status != wanted:
            seen = "not answered" if status is None else f"answered with status 0x{status:02X}"
            says = f"{what} was to be refused by {who} with status 0x{wanted:02X}; it was {seen}"
            raise unmet(case, says, (UNSECURED_STATUS,), fault)
        case.rules.note(UNSECURED_STATUS)
        return {"by": self.by, "cluster": f"{self.cluster:04X}", "status": f"{status:02X}"}

    async def _of_ppmid(self, case: CaseContext, entry: HubOnBench) -> int | None:
        await case.bench.ppmid.received()
        records = await entry.hub.read_attributes(
            case.bench.device,
            self.cluster,
            (_ATTRIBUTE,),
            client_side=True,
            timeout_s=_ANSWERS_WITHIN_S,
            secured=False,
        )
        reached = [command for command in await case.bench.ppmid.received() if command.kind == _ZCL]
        if reached:
            raise DutFault(
                f"a read of cluster 0x{self.cluster:04X} under the network key alone reached the PPMID's"
                f" application: {dict(reached[0].fields)}"
            )
        record = records.get(_ATTRIBUTE)
        return None if record is None else int(record.status)

    async def _of_hub(self, case: CaseContext) -> int | None:
        port = case.bench.ppmid
        if not isinstance(port, UnsecuredReader):
            raise StimulusImpossible("this PPMID's driver cannot have it send without the link key")
        return await port.read_unsecured(self.cluster, _ATTRIBUTE)
