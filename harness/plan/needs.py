"""What a case needs of a rig, and what a rig has."""

from __future__ import annotations

import re
from collections.abc import Iterable

from harness.documents import nearest
from harness.errors import PlanError
from harness.plan.model import Case
from harness.rig.model import Rig
from harness.smets.cpl import CPL_REGIME, CplRegime
from harness.smets.rulebook import Rulebook

CONTROL, POWER, SNIFFER, ENVIRONMENT = "ppmid.control", "power", "sniffer", "environment"
HUB, METER, REGIME = "hub.", "meter.", "regime."
_REGIMES = tuple(REGIME + regime.value.lower() for regime in CplRegime)
_METERS = (f"{METER}esme", f"{METER}gsme")
EXAMPLES = (CONTROL, POWER, SNIFFER, ENVIRONMENT, f"{HUB}smets1", f"{HUB}smets2", *_METERS, *_REGIMES)
_HUB_NEED = re.compile(r"hub\.[A-Za-z0-9_-]+")


def check(need: str) -> None:
    """Raise ValueError when no rig could ever have this."""
    if need not in (CONTROL, POWER, SNIFFER, ENVIRONMENT, *_METERS, *_REGIMES) and not _HUB_NEED.fullmatch(
        need
    ):
        raise ValueError(f"unknown need `{need}`")


def offered(rig: Rig, rules: Rulebook) -> frozenset[str]:
    """Return what a rig has, in the words of `needs`; which CPL regime is in force, the rulebook says."""
    has = {CONTROL} | {HUB + name for name in rig.hubs}
    has |= {METER + meter.type.lower() for meter in rig.meters.values()}
    has.add(REGIME + rules.rule(CPL_REGIME).choice(CplRegime).value.lower())
    for word, entry in ((POWER, rig.power), (SNIFFER, rig.sniffer), (ENVIRONMENT, rig.environment)):
        if entry is not None:
            has.add(word)
    return frozenset(has)


def missing(case: Case, offers: frozenset[str]) -> tuple[str, ...]:
    """Return what a case needs and the rig has not, in the plan's order."""
    return tuple(need for need in case.needs if need not in offers)


def check_hubs(cases: Iterable[Case], offers: frozenset[str]) -> None:
    """Raise PlanError for a hub that the rig has not, unless its case says that it needs it.

    A need that is not met makes a case inconclusive; a hub that nobody announced is a slip of the pen.
    """
    known = [word.removeprefix(HUB) for word in offers if word.startswith(HUB)]
    for case in cases:
        for step in case.steps:
            for hub, place in step.hubs().items():
                if hub not in known and HUB + hub not in case.needs:
                    raise PlanError(
                        f"the rig has no hub `{hub}`",
                        file=place.file,
                        line=place.line,
                        column=place.column,
                        remedy=nearest(hub, known),
                    )
