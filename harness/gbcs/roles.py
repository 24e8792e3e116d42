"""Parties and what their keys are for.

Source: facts gb-domain §3.1 (the published cast), §5 (roles).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from harness.eui64 import Eui64
from harness.gbcs.open_enum import OpenEnum

ACB = Eui64.parse("90-B3-D5-1F-30-00-00-02")
"""The Access Control Broker, the DSP's own party to every command's MAC."""
SUPPLIER = Eui64.parse("90-B3-D5-1F-30-01-00-00")
"""The supplier of the published test cast."""


class KeyUsage(StrEnum):
    """What a key is for."""

    KEY_AGREEMENT = "ka"
    DIGITAL_SIGNATURE = "ds"
    PREPAYMENT_KEY_AGREEMENT = "pp-ka"


class RemotePartyRole(OpenEnum):
    """What an organisation is to a device; in its certificate as OU, in two hex digits."""

    ROOT = 0
    RECOVERY = 1
    SUPPLIER = 2
    NETWORK_OPERATOR = 3
    ACCESS_CONTROL_BROKER = 4
    TRANSITIONAL_CHANGE_OF_SUPPLIER = 5
    WAN_PROVIDER = 6
    ISSUING_AUTHORITY = 7
    LOAD_CONTROLLER = 8
    OTHER = 127


ORGANISATIONS: Mapping[Eui64, RemotePartyRole] = MappingProxyType(
    {
        Eui64.parse("90B3D51F30000001"): RemotePartyRole.RECOVERY,
        ACB: RemotePartyRole.ACCESS_CONTROL_BROKER,
        Eui64.parse("90B3D51F30000004"): RemotePartyRole.TRANSITIONAL_CHANGE_OF_SUPPLIER,
        Eui64.parse("90B3D51F30000007"): RemotePartyRole.WAN_PROVIDER,
        SUPPLIER: RemotePartyRole.SUPPLIER,
        Eui64.parse("90B3D51F30010008"): RemotePartyRole.LOAD_CONTROLLER,
        Eui64.parse("90B3D51F30020000"): RemotePartyRole.NETWORK_OPERATOR,
        Eui64.parse("90B3D51F30030000"): RemotePartyRole.SUPPLIER,
    }
)
"""The organisations of the published cast. Any other EUI-64 is taken for a device's."""
