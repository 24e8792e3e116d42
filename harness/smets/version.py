"""SMETS families, and how the free text of a SMETS/CHTS version names one.

The DUIS element SMETSCHTSVersion is free text of 1 to 20 characters, and what stands in it differs by source:
``SMETS1``, ``SMETS V1.58``, ``CHTS V1.4``, ``V4.2``. The trap is ``SMETS V1.58``, an early text of SMETS2.
The rulebook holds ordered patterns; the first that matches the whole text decides, and none is unknown.
Source: facts gb-domain §1.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from harness.smets.rulebook import Rule, Rulebook, RuleError

VERSION_ORDER = "VERSION-ORDER"


class SmetsVersion(Enum):
    """The two families that MP202's table knows."""

    SMETS1 = "SMETS1"
    SMETS2_PLUS = "SMETS2+"

    @property
    def other(self) -> SmetsVersion:
        """The other family."""
        return SmetsVersion.SMETS2_PLUS if self is SmetsVersion.SMETS1 else SmetsVersion.SMETS1


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionReading:
    """What a version text names. `family` is None when no rule knows the text."""

    text: str
    family: SmetsVersion | None
    rules: tuple[str, ...]


def read_version(text: str | None, rules: Rulebook) -> VersionReading:
    """Return the family that a version text names; case and spacing do not matter. None is unknown."""
    plain = " ".join((text or "").split()).upper()
    if plain:
        for rule in _patterns(rules):
            if _pattern(rule).fullmatch(plain):
                family = rule.choice(SmetsVersion, "family")
                return VersionReading(text=text or "", family=family, rules=(rule.id,))
    return VersionReading(text=text or "", family=None, rules=(VERSION_ORDER,))


def check(rules: Rulebook) -> None:
    """Raise RuleError unless every version rule is of the right shape."""
    for rule in _patterns(rules):
        _pattern(rule)
        rule.choice(SmetsVersion, "family")


def _patterns(rules: Rulebook) -> tuple[Rule, ...]:
    return tuple(rules.rule(rule_id) for rule_id in rules.rule(VERSION_ORDER).texts())


def _pattern(rule: Rule) -> re.Pattern[str]:
    try:
        return re.compile(rule.text("matches"), re.IGNORECASE | re.ASCII)
    except re.error as error:
        raise RuleError(rule.id, f"`matches` is not a regular expression: {error}") from None
