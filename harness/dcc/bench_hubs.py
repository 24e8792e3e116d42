"""The hubs of a bench in its own DCC's inventory: pre-notified and commissioned."""

from __future__ import annotations

from harness.dcc.documents import Prenotification
from harness.eui64 import Eui64
from harness.smets.cpl import Cpl, DeviceType
from harness.smets.rulebook import Rulebook
from harness.smets.smi import DeviceRecord, DeviceStatus
from harness.smets.version import SmetsVersion, read_version

_MANUFACTURER, _FIRMWARE = "1235", "00010000"
_MODEL = {SmetsVersion.SMETS1: "00110100", SmetsVersion.SMETS2_PLUS: "00120100"}


def hub_prenotification(hub: Eui64, family: SmetsVersion) -> Prenotification:
    """Return what the bench says of a hub of its own, matching the CHF rows of `rigs/cpl-virtual.csv`."""
    return Prenotification(
        device=hub,
        device_type=DeviceType.CHF,
        manufacturer=_MANUFACTURER,
        model=_MODEL[family],
        version=family.value,
        firmware=_FIRMWARE,
    )


def hub_record(notice: Prenotification, cpl: Cpl, rules: Rulebook) -> DeviceRecord:
    """Return a hub as the SMI has it when it is commissioned; its version is that of the notice."""
    family = read_version(notice.version, rules).family
    row = cpl.find(notice.device_model, family) if family else None
    return DeviceRecord(
        device=notice.device,
        model=notice.device_model,
        status=DeviceStatus.COMMISSIONED,
        version=notice.version or "",
        family=family,
        notified_as=family,
        gbcs_version=row.gbcs_version if row else "",
    )
