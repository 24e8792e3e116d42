"""What an alert that counts changes in the SMI: a device on the HAN, another firmware version."""

from __future__ import annotations

from dataclasses import replace

from harness.dcc.alerts import DeviceAlert
from harness.dcc.inventory import SmiStore
from harness.eui64 import Eui64
from harness.gbcs.use_cases.device_log import DeviceLogAlert
from harness.gbcs.use_cases.firmware import PpmidActivation, PpmidActivationResult
from harness.smets.rulebook import Rulebook
from harness.smets.smi import DeviceRecord, SmiEvent, transition

FIRMWARE_ALERT = "FIRMWARE-ALERT"


def effects_of_alert(alert: DeviceAlert, store: SmiStore, rules: Rulebook) -> tuple[DeviceRecord, ...]:
    """Return the records that change, as they will be."""
    content = alert.content
    if isinstance(content, DeviceLogAlert):
        with_key = (logged.device for logged in content.log.devices if logged.link_key_hash)
        found = (joined(device, alert.via, store, rules) for device in with_key)
        return tuple(record for record in found if record is not None)
    if isinstance(content, PpmidActivation) and alert.originator is not None:
        return _activated(alert.originator, content, store, rules)
    return ()


def joined(device: Eui64, hub: Eui64, store: SmiStore, rules: Rulebook) -> DeviceRecord | None:
    """Return the record of a device that a hub has on its HAN, None when that is not expected, or no news."""
    record = store.get(device)
    if record is None or record.hub != hub:
        return None
    moved = transition(record.status, SmiEvent.JOINED_HAN, record.device_type, rules)
    if moved.status in (None, record.status):
        return None
    return replace(record, status=moved.status) if moved.status is not None else None


def _activated(
    device: Eui64, activation: PpmidActivation, store: SmiStore, rules: Rulebook
) -> tuple[DeviceRecord, ...]:
    record = store.get(device)
    update = rules.rule(FIRMWARE_ALERT).entries()["update"] is True
    if record is None or not update or activation.result is not PpmidActivationResult.SUCCESS:
        return ()
    firmware = activation.firmware.hex().upper()
    if record.model.firmware.upper() == firmware:
        return ()
    return (replace(record, model=replace(record.model, firmware=firmware)),)
