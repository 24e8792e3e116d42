"""The hubs of a bench in its own DCC's inventory: pre-notified and commissioned.

A hub is one device with two functions, and two entries of one model: its CHF's, which names the GPF, and its
GPF's, which is on that hub.
Source: DUIS 5.4 schema (12.2, `AssociatedGPFDeviceID`); public inventory samples (CHF and GPF side by side).
"""

from __future__ import annotations

from dataclasses import replace

from harness.dcc.documents import Prenotification
from harness.eui64 import Eui64
from harness.smets.cpl import Cpl, DeviceType
from harness.smets.rulebook import Rulebook
from harness.smets.smi import DeviceRecord, DeviceStatus
from harness.smets.version import SmetsVersion, read_version

_MANUFACTURER, _FIRMWARE = "1235", "00010000"
_MODEL = {SmetsVersion.SMETS1: "00110100", SmetsVersion.SMETS2_PLUS: "00120100"}


def hub_prenotification(hub: Eui64, family: SmetsVersion, gpf: Eui64 | None = None) -> Prenotification:
    """Return what the bench says of a hub of its own, matching the CHF rows of `rigs/cpl-virtual.csv`.

    `gpf` is the hub's other function, if the SMI is to have it.
    """
    return Prenotification(
        device=hub,
        device_type=DeviceType.CHF,
        manufacturer=_MANUFACTURER,
        model=_MODEL[family],
        version=family.value,
        firmware=_FIRMWARE,
        gpf=gpf,
    )


def hub_records(notice: Prenotification, cpl: Cpl, rules: Rulebook) -> tuple[DeviceRecord, ...]:
    """Return a hub as the SMI has it when it is commissioned: its CHF, and the GPF that the notice names.

    Their version is that of the notice.
    """
    family = read_version(notice.version, rules).family
    row = cpl.find(notice.device_model, family) if family else None
    chf = DeviceRecord(
        device=notice.device,
        model=notice.device_model,
        status=DeviceStatus.COMMISSIONED,
        version=notice.version or "",
        family=family,
        notified_as=family,
        gbcs_version=row.gbcs_version if row else "",
        gpf=notice.gpf,
    )
    return (chf,) if notice.gpf is None else (chf, gpf_record(chf, notice.gpf))


def same_hub(one: DeviceRecord, other: DeviceRecord) -> bool:
    """Whether two records say the same of what a hub is, whatever has become of it."""
    return (one.model, one.version, one.gpf) == (other.model, other.version, other.gpf)


def gpf_record(hub: DeviceRecord, gpf: Eui64) -> DeviceRecord:
    """Return the SMI's record of the GPF of a hub that is as `hub` says."""
    return replace(
        hub,
        device=gpf,
        model=replace(hub.model, device_type=DeviceType.GPF),
        hub=hub.device,
        gpf=None,
        import_mpxn=None,
        secondary_import_mpan=None,
        export_mpan=None,
        joined=(),
    )
