"""The two cryptographic suites of Smart Energy key establishment, and the lengths that follow from them.

Source: Zigbee SE 1.4 Annex C.4.2 (suite 1, sect163k1) and C.4.3 (suite 2, sect283k1).
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.zigbee.cbke.curves import SECT163K1, SECT283K1, Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A suite: `number` as it stands in messages (a bit of the suites bitmap), lengths in octets."""

    number: int
    name: str
    curve: Curve
    certificate_octets: int

    @property
    def ephemeral_octets(self) -> int:
        """How long an ephemeral public key is."""
        return self.curve.point_octets


SUITE_1 = Suite(number=0x0001, name="suite 1", curve=SECT163K1, certificate_octets=48)
SUITE_2 = Suite(number=0x0002, name="suite 2", curve=SECT283K1, certificate_octets=74)
SUITES = {suite.number: suite for suite in (SUITE_1, SUITE_2)}
