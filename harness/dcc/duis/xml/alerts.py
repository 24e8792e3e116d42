"""The DCC's alerts, as the schema has them. Source: DUIS 5.4 `DCCAlert`; facts gb-domain §1.5."""

from __future__ import annotations

from harness.dcc.duis import alerts as a
from harness.dcc.duis.xml.parts import Case, Group, One, Tag, Tagged, maybe
from harness.dcc.duis.xml.requests import DEVICE_TYPE, FIRMWARE
from harness.dcc.duis.xml.scalars import (
    DATE,
    DATE_TIME,
    EUI,
    EUI_LIST,
    REQUEST_ID,
    Scalar,
    enumerated,
    hex_octets,
    integer,
    words,
)
from harness.dcc.duis.xml.shapes import EMPTY, record
from harness.dcc.duis.xml.smets1 import S1SP_ALERT_DSP

ALERT_CODE = hex_octets()
SCHEDULE = integer(0, 10**12)


def either(yes: str, no: str) -> Scalar[bool]:
    """Return a boolean that the schema spells in two words."""
    known = words(yes, no)
    return Scalar("word", lambda text: known.read(text) == yes, lambda value: yes if value else no)


PPMID_UPGRADE = record(
    a.PpmidUpgrade,
    One("FirmwareVersion", "firmware", FIRMWARE),
    One("ActivateImageResultCode", "activated", either("ActivationSuccess", "ActivationFailure")),
)

TRANSFER = record(
    a.FirmwareTransfer,
    maybe("UpdateFirmwareRequestID", "request_id", REQUEST_ID),
    One("OtherDeviceID", "device", EUI),
    One("FirmwareVersion", "firmware", FIRMWARE),
    One("TransferResponseCode", "result", enumerated(a.TransferResult)),
)

STATUS_CHANGE = record(
    a.DeviceStatusChange,
    One("DeviceID", "device", EUI),
    Group(
        "DeviceStatusChange",
        (Tagged("change", None, tuple(Tag(change.value, change, EMPTY) for change in a.StatusChange)),),
    ),
)

REPLACED = record(
    a.ReplacedHub,
    One("OldCHFDeviceID", "old_hub", EUI),
    One("NewCHFDeviceID", "new_hub", EUI),
    One("OldGPFDeviceID", "old_gpf", EUI),
    One("NewGPFDeviceID", "new_gpf", EUI),
)

ALERTS = (
    Case("S1SPAlertDSP", a.S1spAlertDsp, S1SP_ALERT_DSP),
    Case(
        "UpdateHANDeviceLogResult",
        a.UpdateHanDeviceLogResult,
        record(
            a.UpdateHanDeviceLogResult, One("UpdateHANDeviceLogServiceRequestID", "request_id", REQUEST_ID)
        ),
    ),
    Case(
        "PPMIDAlert",
        a.PpmidAlert,
        record(
            a.PpmidAlert,
            One("DeviceID", "device", EUI),
            One("DeviceAlertCode", "alert_code", ALERT_CODE),
            maybe("Timestamp", "when", DATE_TIME),
            maybe("PPMIDFirmwareUpgradeAlert", "upgrade", PPMID_UPGRADE),
        ),
    ),
    Case(
        "PPMIDRemoval",
        a.PpmidRemoval,
        record(a.PpmidRemoval, One("PPMIDDeviceID", "ppmid", EUI), One("CHFDeviceID", "hub", EUI)),
    ),
    Case(
        "FirmwareVersionMismatch",
        a.FirmwareVersionMismatch,
        record(
            a.FirmwareVersionMismatch,
            One("DeviceID", "device", EUI),
            One("DeviceType", "device_type", DEVICE_TYPE),
            One("FirmwareVersionSMI", "in_smi", FIRMWARE),
            One("FirmwareVersionDevice", "on_device", FIRMWARE),
        ),
    ),
    Case("DeviceStatusChangeEvent", a.DeviceStatusChange, STATUS_CHANGE),
    Case(
        "SMETS1CHFirmwareNotification",
        a.Smets1HubFirmware,
        record(
            a.Smets1HubFirmware,
            One("DeviceID", "device", EUI),
            One("FirmwareVersion", "firmware", FIRMWARE),
            One(
                "FirmwareVersionUpdateStatus", "activated", either("ActivationSuccessful", "UpdateRequested")
            ),
        ),
    ),
    Case(
        "FirmwareDistributionFailure",
        a.FirmwareDistributionFailure,
        record(
            a.FirmwareDistributionFailure,
            One("UpdateFirmwareRequestID", "request_id", REQUEST_ID),
            One("MeterIDs", "devices", EUI_LIST),
        ),
    ),
    Case(
        "CSPFirmwareDeliveryStatus",
        a.FirmwareDelivery,
        record(
            a.FirmwareDelivery,
            One("UpdateFirmwareRequestID", "request_id", REQUEST_ID),
            One("CommsHubDeviceID", "hub", EUI),
            One("TargetDeviceID", "device", EUI),
            One("FirmwareVersion", "firmware", FIRMWARE),
            One("TimeStamp", "when", DATE_TIME),
            One("CommsHubTransferStatus", "delivered", either("Success", "Failure")),
        ),
    ),
    Case(
        "CommsHubAlert",
        a.CommsHubAlert,
        record(
            a.CommsHubAlert,
            One("CommsHubDeviceID", "hub", EUI),
            One("AlertCode", "alert_code", ALERT_CODE),
            maybe("TimeStamp", "when", DATE_TIME),
            maybe("FirmwareTransferAlert", "transfer", TRANSFER),
        ),
    ),
    Case(
        "DeviceLogRestored",
        a.DeviceLogRestored,
        record(
            a.DeviceLogRestored,
            One("RestoredDate", "day", DATE),
            Tagged(
                "gpf",
                "hubs",
                (Tag("CHFDeviceLog", False, REPLACED), Tag("GPFDeviceLog", True, REPLACED)),
            ),
        ),
    ),
    Case(
        "CommandFailure",
        a.CommandFailure,
        record(
            a.CommandFailure,
            One("CommandRequestID", "request_id", REQUEST_ID),
            maybe("DSPScheduleID", "schedule", SCHEDULE),
            One("DeviceID", "device", EUI),
        ),
    ),
)
"""The alerts that have a class; any other is taken as `OtherContent`."""
