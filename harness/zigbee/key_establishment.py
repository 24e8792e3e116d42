"""Key Establishment cluster: numbers and the suites attribute.

Its commands belong to CBKE, which registers them through `zcl_clusters`. Source: Zigbee SE 1.4 Annex C.3.1.
"""

from __future__ import annotations

from enum import IntFlag

from harness.zigbee.zcl_types import DataType, TypedValue

CLUSTER = 0x0800

KEY_ESTABLISHMENT_SUITE = 0x0000
"""Attribute KeyEstablishmentSuite, a 16-bit bitmap on either side, Table C-3."""


class KeyEstablishmentSuites(IntFlag):
    """Value of attribute KeyEstablishmentSuite, Table C-4. Bits that it does not name are kept."""

    SUITE_1 = 0x0001  # CBKE on sect163k1: SMETS1
    SUITE_2 = 0x0002  # CBKE on sect283k1: SMETS2+


def suites_value(suites: KeyEstablishmentSuites) -> TypedValue:
    """Return the attribute's value as it is read over the air."""
    return TypedValue(DataType.BITMAP16, int(suites))
