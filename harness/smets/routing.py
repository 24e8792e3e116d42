"""Routing: how the DCC reaches a device, from the device's SMETS version and the service reference.

SMETS2+: the DSP constructs a GBCS command. SMETS1: the DSP forwards the service request to the S1SP.
Source: MP202 Modification Report §1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from harness.smets.cpl import DeviceType
from harness.smets.rulebook import Consultation, Rulebook, RuleError
from harness.smets.version import SmetsVersion

VERSION_UNKNOWN = "ROUTE-VERSION-UNKNOWN"
NOT_APPLICABLE = "RESPONSE-NOT-APPLICABLE"
S1SP_SRVS = "S1SP-SRVS"
S1SP_UNSUPPORTED = "S1SP-UNSUPPORTED"
OTA = "MP202-OTA"
WARNING = "FIRMWARE-WARNING"
OTA_LISTS = "FIRMWARE-LISTS"
NOT_REGISTERED_FIRMWARE = "FIRMWARE-NOT-REGISTERED"
FIRMWARE_KEPT = "FIRMWARE-KEPT"
_JOIN = "8.7.2"
NOT_APPLICABLE_FIRMWARE = "FIRMWARE-NOT-APPLICABLE"
_ROUTE = {SmetsVersion.SMETS1: "ROUTE-SMETS1", SmetsVersion.SMETS2_PLUS: "ROUTE-SMETS2"}


class Via(Enum):
    """The two ways to a device."""

    GBCS = "gbcs"
    S1SP = "s1sp"


@dataclass(frozen=True, slots=True, kw_only=True)
class GbcsRoute:
    """The DSP constructs a GBCS command of this use case."""

    use_case: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class S1spRoute:
    """The DSP forwards the service request to the S1SP."""

    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoRoute:
    """The request is refused with this response code."""

    code: str
    reason: str
    rules: tuple[str, ...]


Route = GbcsRoute | S1spRoute | NoRoute


def route(
    version: SmetsVersion | None, srv: str, target: DeviceType, rules: Rulebook, *, operation: str = ""
) -> Route:
    """Return the way that a request takes to a device of this SMETS version and type.

    `operation` tells apart a service reference's use cases where it has several, such as ``ADD`` and
    ``REMOVE`` of 8.11. Raises RuleError for a rulebook with holes.
    """
    used = rules.consult()
    if version is None:
        reason = "the SMETS version of the target is not known"
        return NoRoute(code=used.rule(VERSION_UNKNOWN).text("code"), reason=reason, rules=used.rules)
    barred = _barred(version, srv, used)
    if barred is not None:
        return barred
    if used.rule(_ROUTE[version]).choice(Via) is Via.S1SP:
        if srv in used.rule(S1SP_SRVS).texts():
            return S1spRoute(rules=used.rules)
        reason = f"the S1SP does not support {srv}"
        return NoRoute(code=used.rule(S1SP_UNSUPPORTED).text("code"), reason=reason, rules=used.rules)
    use_case = _use_case(srv, target, operation, used)
    if use_case is None:
        reason = f"{srv} has no use case for a {target.value}"
        return NoRoute(code=used.rule(NOT_APPLICABLE).text("code"), reason=reason, rules=used.rules)
    return GbcsRoute(use_case=use_case, rules=used.rules)


def pair_operation(srv: str, target: DeviceType, other: DeviceType) -> str:
    """Return what tells apart the use cases of a join or unjoin that is not critical (8.7.2, 8.8.2).

    A GPF is joined by one method, whichever of the two is told; else a join goes by the other device's type.
    """
    if DeviceType.GPF in (target, other):
        return DeviceType.GPF.value
    return other.value if srv == _JOIN else ""


def check(rules: Rulebook) -> None:
    """Raise RuleError unless every rule that `route` may need is there and of the right shape."""
    for rule_id in (VERSION_UNKNOWN, NOT_APPLICABLE, S1SP_UNSUPPORTED, OTA):
        rules.rule(rule_id).text("code")
    rules.rule(OTA).choices(SmetsVersion, "only")
    for key in ("unknown", "smets1"):
        rules.rule(OTA_LISTS).text(key)
    for srv in ("11.1", "11.4"):
        rules.rule(WARNING).text(srv)
    for rule_id in (NOT_APPLICABLE_FIRMWARE, NOT_REGISTERED_FIRMWARE):
        rules.rule(rule_id).text()
    if rules.rule(FIRMWARE_KEPT).number("days") < 1:
        raise RuleError(FIRMWARE_KEPT, "`days` must be 1 or more")
    rules.rule(OTA).text("srv")
    rules.rule(S1SP_SRVS).texts()
    for rule_id in _ROUTE.values():
        rules.rule(rule_id).choice(Via)
    known = {member.value for member in DeviceType}
    for rule in rules.starting("USE-CASE-"):
        for target in rule.entries():
            if target not in known:
                raise RuleError(rule.id, f"`{target}` is no device type")
            rule.text(target)


def _barred(version: SmetsVersion, srv: str, used: Consultation) -> NoRoute | None:
    rule = used.rulebook.rule(OTA)
    if srv != rule.text("srv"):
        return None
    used.note(rule.id)
    if version in rule.choices(SmetsVersion, "only"):
        return None
    return NoRoute(code=rule.text("code"), reason=rule.title, rules=used.rules)


def _use_case(srv: str, target: DeviceType, operation: str, used: Consultation) -> str | None:
    rule_id = "-".join(part for part in ("USE-CASE", srv, operation) if part)
    if rule_id not in used.rulebook.rules:
        return None
    rule = used.rule(rule_id)
    return rule.text(target.value) if target.value in rule.entries() else None
