"""The meters that a PPMID of the bench is joined to: entries of the SMI, with certificates of the bench.

None of them is on the air; the published test data has devices of these EUI-64s in these roles.
Source: facts gb-domain §3.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.eui64 import Eui64
from harness.smets.cpl import DeviceModel, DeviceType
from harness.smets.smi import DeviceRecord, DeviceStatus
from harness.smets.version import SmetsVersion

METERS: Mapping[DeviceType, Eui64] = {
    DeviceType.ESME: Eui64.parse("00-DB-12-34-56-78-90-A0"),
    DeviceType.GSME: Eui64.parse("00-DB-12-34-56-78-90-A1"),
}
_MANUFACTURER, _FIRMWARE = "1236", "00010000"
_MODEL = {DeviceType.ESME: "00200100", DeviceType.GSME: "00210100"}


def meter_record(device_type: DeviceType, hub: Eui64, family: SmetsVersion) -> DeviceRecord:
    """Return the SMI's record of a commissioned meter of the bench, on a hub of that version."""
    model = DeviceModel(
        manufacturer=_MANUFACTURER, model=_MODEL[device_type], device_type=device_type, firmware=_FIRMWARE
    )
    return DeviceRecord(
        device=METERS[device_type],
        model=model,
        status=DeviceStatus.COMMISSIONED,
        version=family.value,
        family=family,
        notified_as=family,
        hub=hub,
    )
