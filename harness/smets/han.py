"""What the rulebook says of a HAN: what to expect of a PPMID on a hub of either family, how to read it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from harness.smets.rulebook import Rulebook, RuleError
from harness.smets.version import SmetsVersion

HAN_MODE = "HAN-MODE"
TUNNEL_PROTOCOL = "TUNNEL-PROTOCOL"
HUB_ADMISSION = "HUB-ADMISSION"
FIRMWARE_READ = "SMETS1-FIRMWARE-READ"
S1SP_NAME = "S1SP-NAME"
UNSECURED_STATUS = "SE-UNSECURED-STATUS"
HISTORIC_LINK_KEY = "HISTORIC-LINK-KEY"
TRUST_CENTRE_SWAP = "TRUST-CENTRE-SWAP"
KE_SUITE = {SmetsVersion.SMETS1: "KE-SUITE-SMETS1", SmetsVersion.SMETS2_PLUS: "KE-SUITE-SMETS2"}


class Side(Enum):
    """Which side of a cluster an attribute is on."""

    CLIENT = "client"
    SERVER = "server"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeAddress:
    """An attribute of a device's Zigbee cluster."""

    cluster: int
    attribute: int
    side: Side
    rules: tuple[str, ...]


def expected_mode(hub: SmetsVersion, rules: Rulebook) -> tuple[SmetsVersion, str]:
    """Return the mode that a dual-mode PPMID works in on this hub, and the rule's id."""
    rule = rules.rule(HAN_MODE)
    if rule.text() != "hub":
        raise RuleError(rule.id, f"its value must be `hub`, found {rule.text()!r}")
    return hub, rule.id


def expected_suite(hub: SmetsVersion, rules: Rulebook) -> tuple[int, str]:
    """Return the key-establishment suite in use on this hub's HAN (1 or 2), and the rule's id."""
    rule = rules.rule(KE_SUITE[hub])
    if rule.number() not in (1, 2):
        raise RuleError(rule.id, f"its value must be 1 or 2, found {rule.number()}")
    return rule.number(), rule.id


def unsecured_status(rules: Rulebook) -> int:
    """Return the ZCL status that refuses Smart Energy under the network key alone."""
    return rules.rule(UNSECURED_STATUS).number()


def firmware_read(rules: Rulebook) -> AttributeAddress:
    """Return where a SMETS1 PPMID's firmware version is read by plain Zigbee."""
    rule = rules.rule(FIRMWARE_READ)
    return AttributeAddress(
        cluster=rule.number("cluster"),
        attribute=rule.number("attribute"),
        side=rule.choice(Side, "side"),
        rules=(rule.id,),
    )


def check(rules: Rulebook) -> None:
    """Raise RuleError unless every rule named here is there and of the right shape."""
    for family in SmetsVersion:
        expected_mode(family, rules)
        expected_suite(family, rules)
    firmware_read(rules)
    unsecured_status(rules)
    rules.rule(HISTORIC_LINK_KEY)
    rules.rule(TRUST_CENTRE_SWAP)
    rules.rule(TUNNEL_PROTOCOL).number("protocol")
    rules.rule(TUNNEL_PROTOCOL).number("put")
    rules.rule(HUB_ADMISSION).entries()
    rules.rule(S1SP_NAME).text("s1sp")
    rules.rule(S1SP_NAME).text("csp-region")
