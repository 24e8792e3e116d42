"""The meters of the bench: what the SMI says of them, matching the rows of `rigs/cpl-virtual.csv`.

The published test data has devices of these EUI-64s in these roles.
Source: facts gb-domain §3.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.dcc.documents import Prenotification
from harness.eui64 import Eui64
from harness.smets.cpl import Cpl, DeviceType
from harness.smets.smi import DeviceRecord, DeviceStatus
from harness.smets.version import SmetsVersion

METERS: Mapping[DeviceType, Eui64] = {
    DeviceType.ESME: Eui64.parse("00-DB-12-34-56-78-90-A0"),
    DeviceType.GSME: Eui64.parse("00-DB-12-34-56-78-90-A1"),
}
_MANUFACTURER = "1236"
_MODEL = {  # model and firmware version
    (DeviceType.ESME, SmetsVersion.SMETS1): ("00210100", "00020001"),
    (DeviceType.ESME, SmetsVersion.SMETS2_PLUS): ("00220100", "00020002"),
    (DeviceType.GSME, SmetsVersion.SMETS1): ("00310100", "00030001"),
    (DeviceType.GSME, SmetsVersion.SMETS2_PLUS): ("00320100", "00030002"),
}


def meter_prenotification(device_type: DeviceType, family: SmetsVersion) -> Prenotification:
    """Return what the bench says of a meter of its own."""
    model, firmware = _MODEL[device_type, family]
    return Prenotification(
        device=METERS[device_type],
        device_type=device_type,
        manufacturer=_MANUFACTURER,
        model=model,
        version=family.value,
        firmware=firmware,
    )


def meter_record(device_type: DeviceType, hub: Eui64, family: SmetsVersion, cpl: Cpl) -> DeviceRecord:
    """Return the SMI's record of a commissioned meter of the bench, on a hub of that version."""
    notice = meter_prenotification(device_type, family)
    row = cpl.find(notice.device_model, family)
    return DeviceRecord(
        device=METERS[device_type],
        model=notice.device_model,
        status=DeviceStatus.COMMISSIONED,
        version=family.value,
        family=family,
        notified_as=family,
        hub=hub,
        gbcs_version=row.gbcs_version if row else "",
    )
