"""The DCC's own words for what devices raise by themselves: alerts as GBCS become alerts as DUIS."""

from __future__ import annotations

from collections.abc import Mapping

from harness.dcc.alerts import DeviceAlert
from harness.dcc.duis import alerts as a
from harness.gbcs.use_cases.firmware import (
    FirmwareTransfer,
    PpmidActivation,
    PpmidActivationResult,
    TransferResult,
)

_TRANSFERRED: Mapping[TransferResult, a.TransferResult] = {
    TransferResult.SUCCESS: a.TransferResult.SUCCESS,
    TransferResult.IMAGE_DISCARDED: a.TransferResult.DISCARDED,
    TransferResult.HARDWARE_VERSION_MISMATCH: a.TransferResult.HARDWARE_MISMATCH,
    TransferResult.FILE_TRANSFER_FAILURE: a.TransferResult.FAILURE,
}


def alert_body(alert: DeviceAlert) -> a.PpmidAlert | a.CommsHubAlert | None:
    """Return what users are told of an alert that counts, None for one that is the DCC's alone."""
    if alert.refused or alert.originator is None or alert.alert_code is None:
        return None
    code = alert.alert_code.to_bytes(2, "big")
    match alert.content:
        case PpmidActivation(firmware=firmware, result=result, time=time):
            upgrade = a.PpmidUpgrade(
                firmware=firmware.hex().upper(), activated=result is PpmidActivationResult.SUCCESS
            )
            return a.PpmidAlert(device=alert.originator, alert_code=code, when=time, upgrade=upgrade)
        case FirmwareTransfer(device=device, firmware=firmware, result=result, time=time):
            if result not in _TRANSFERRED:
                return None
            transfer = a.FirmwareTransfer(
                device=device, firmware=firmware.hex().upper(), result=_TRANSFERRED[result]
            )
            return a.CommsHubAlert(hub=alert.via, alert_code=code, when=time, transfer=transfer)
        case _:
            return None
