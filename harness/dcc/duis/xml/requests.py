"""The bodies of service requests, as the schema has them.

Source: DUIS 5.4 `Request/Body`; facts gb-domain §1.4.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from harness.dcc.duis import requests as r
from harness.dcc.duis.xml.parser import SR
from harness.dcc.duis.xml.parts import Case, Choice, Flag, Group, Inline, One, Tag, Tagged, Wrap, maybe
from harness.dcc.duis.xml.scalars import (
    BOOLEAN,
    DATE_TIME,
    EUI,
    EUI_LIST,
    REQUEST_ID,
    base64_octets,
    enumerated,
    hex_octets,
    integer,
    text,
    words,
)
from harness.dcc.duis.xml.shapes import Part, Record, record
from harness.smets.cpl import DeviceType
from harness.smets.smi import DeviceStatus

MANUFACTURER = MODEL = text(0, 30)
FIRMWARE = text(1, 8)
VERSION = text(1, 20)
DEVICE_TYPE = enumerated(DeviceType)
STATUS = enumerated(DeviceStatus)
MPXN, MPAN = text(1, 13), text(13, 13)
UPRN = integer(1, 999_999_999_999)
UTRN = text(20, 20, "[0-9]{20}")
IMAGE = base64_octets(10_240_000)
OCTETS = base64_octets()
ESME_VARIANT = words(
    *("A", "B", "C", "AD", "BD", "CD", "ADE", "BDE", "CDE", "ADF", "BDF", "CDF", "ADEF", "BDEF", "CDEF"),
    *("ADG", "ADEG", "AF", "BF", "CF", "AEF", "BEF", "CEF", "AG", "AEG"),
)

PROPERTY_FILTER = record(
    r.PropertyFilter,
    One("PostCode", "post_code", text(6, 8)),
    One("AddressIdentifier", "address_identifier", text(0, 30)),
)

PRENOTIFICATION = record(
    r.Prenotification,
    One("DeviceID", "device", EUI),
    One("DeviceManufacturer", "manufacturer", MANUFACTURER),
    One("DeviceModel", "model", MODEL),
    One("DeviceType", "device_type", DEVICE_TYPE),
    maybe("SMETSCHTSVersion", "version", VERSION),
    maybe("FirmwareVersion", "firmware", FIRMWARE),
    maybe("ESMEVariant", "esme_variant", ESME_VARIANT),
    maybe("AssociatedGPFDeviceID", "gpf", EUI),
)

DEVICE_DETAILS = record(
    r.DeviceDetails,
    maybe("DeviceManufacturer", "manufacturer", MANUFACTURER),
    maybe("DeviceModel", "model", MODEL),
    maybe("SMETSCHTSVersion", "version", VERSION),
    maybe("FirmwareVersion", "firmware", FIRMWARE),
    maybe("ESMEVariant", "esme_variant", ESME_VARIANT),
)

INVENTORY_CHANGE = Choice(
    "change",
    (
        Case("UpdateDeviceStatusExceptCH", r.SetStatus, Wrap(r.SetStatus, "status", STATUS)),
        Case("UpdateDeviceStatusCH", r.SetHubStatus, Wrap(r.SetHubStatus, "status", STATUS)),
        Case("UpdateDeviceDetails", r.DeviceDetails, DEVICE_DETAILS),
        Case("DeleteDevice", r.DeleteDevice, record(r.DeleteDevice)),
        Case(
            "UpdateMPxN",
            r.SetMpxn,
            record(
                r.SetMpxn,
                Tagged(
                    "kind",
                    "number",
                    (
                        Tag("ImportMPxN", r.MpxnKind.IMPORT, MPXN),
                        Tag("SecondaryImportMPAN", r.MpxnKind.SECONDARY_IMPORT, MPAN),
                        Tag("ExportMPAN", r.MpxnKind.EXPORT, MPAN),
                    ),
                ),
            ),
        ),
    ),
)

SEARCH = Choice(
    "by",
    (
        Case("UPRN", r.Uprn, Wrap(r.Uprn, "number", UPRN)),
        Case("MPxN", r.Mpxn, Wrap(r.Mpxn, "number", MPXN)),
        Case("PropertyFilter", r.PropertyFilter, PROPERTY_FILTER),
    ),
)

EXECUTION = maybe("ExecutionDateTime", "execution", DATE_TIME)
OTHER_DEVICE = One("OtherDeviceID", "other", EUI)

HUB_INSTALL: tuple[Part, ...] = (
    One("DeviceID", "hub", EUI),
    One(
        "CHFInstallType",
        "install_type",
        words("New CHF Install", "Replacement CHF Install", "CHF Install - no SM WAN"),
    ),
    maybe("InstallDateTime", "installed", DATE_TIME),
    maybe("UserRefID", "user_reference", text(0, 25)),
    One("MPxN", "mpxn", MPXN),
    maybe("GISData", "gis_data", text(0, 25)),
    One("AerialInstall", "aerial", BOOLEAN),
    One(
        "CHFLocation",
        "location",
        words("Outside Premises", "Indoors on external wall", "Deep indoors", "Basement or Cellar"),
    ),
)
HUB_OBSTRUCTIONS: tuple[Part, ...] = (
    One(
        "PremiseType",
        "premise_type",
        words(
            "Detached / Semi Detached",
            "Terraced",
            "Low Rise Apartment (MDU <= 5 floors)",
            "High Rise Apartment (MDU > 5 floors)",
        ),
    ),
    One("MetalObstructionCheck", "metal_obstruction", BOOLEAN),
    One("ConnectivityObstructionCheck", "connectivity_obstruction", BOOLEAN),
    One("SharedObstructionCheck", "shared_obstruction", BOOLEAN),
)
ADDITIONAL = maybe("AdditionalInformation", "additional_information", text(0, 200))

DISTRIBUTION: tuple[Part, ...] = (
    One("FirmwareImage", "image", IMAGE),
    One("FirmwareVersion", "firmware", FIRMWARE),
    One("DeviceIDList", "devices", EUI_LIST),
)

WHITELISTING = Group(
    "AddDeviceToCHFWhitelist",
    (
        One("JoinTimePeriod", "join_time_s", integer(1, 3600)),
        One("InstallCode", "install_code", hex_octets(6, 16)),
        maybe("ImportMPxN", "import_mpxn", MPXN),
        maybe("SecondaryImportMPAN", "secondary_import_mpan", MPAN),
        maybe("ExportMPAN", "export_mpan", MPAN),
    ),
    lambda request: request.action is r.LogAction.ADD,
)


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request: its element, the class of its value, and its parts.

    Where two classes share an element, `first` is the child that tells this one.
    """

    element: str
    type: type[r.ServiceRequest]
    parts: tuple[Part, ...] = ()
    first: str | None = None

    @property
    def shape(self) -> Record:
        """The shape of the element."""
        return record(self.type, *self.parts)

    def fits(self, element: etree._Element) -> bool:
        """Whether an element of this name is this one."""
        return self.first is None or (len(element) > 0 and element[0].tag == f"{{{SR}}}{self.first}")


BODIES = (
    Body("DevicePrenotification", r.Prenotify, (Inline("prenotification", PRENOTIFICATION),)),
    Body("ReadInventory", r.ReadInventory, (One("DeviceID", "device", EUI),), first="DeviceID"),
    Body("ReadInventory", r.SearchInventory, (SEARCH,)),
    Body("UpdateInventory", r.UpdateInventory, (One("DeviceID", "device", EUI), INVENTORY_CHANGE)),
    Body(
        "CommissionDeviceSynchroniseClock",
        r.Commission,
        (
            One("CurrentDateTime", "current", DATE_TIME),
            One("TolerancePeriod", "tolerance_s", integer(0, 86_400)),
        ),
    ),
    Body("DecommissionDevice", r.Decommission, (One("DeviceID", "device", EUI),)),
    Body("JoinServiceCritical", r.JoinCritical, (OTHER_DEVICE,)),
    Body("JoinServiceNonCritical", r.JoinNonCritical, (OTHER_DEVICE,)),
    Body("UnjoinServiceCritical", r.UnjoinCritical, (OTHER_DEVICE,)),
    Body("UnjoinServiceNonCritical", r.UnjoinNonCritical, (OTHER_DEVICE,)),
    Body("ReadDeviceLog", r.ReadDeviceLog, (EXECUTION, Flag("ReadSecurityDetails", "security_details"))),
    Body(
        "UpdateHANDeviceLog",
        r.UpdateHanDeviceLog,
        (
            EXECUTION,
            One("DeviceID", "device", EUI),
            One("RequestType", "action", enumerated(r.LogAction)),
            WHITELISTING,
        ),
    ),
    Body("RestoreHANDeviceLog", r.RestoreHanDeviceLog, (One("OldCHFID", "old_hub", EUI),)),
    Body("RestoreGPFDeviceLog", r.RestoreGpfDeviceLog, (One("OldGPFID", "old_gpf", EUI),)),
    Body(
        "ReturnLocalCommandResponse",
        r.ReturnLocalCommandResponse,
        (maybe("OriginalRequestID", "original", REQUEST_ID), One("DeviceGBCSResponse", "response", OCTETS)),
    ),
    Body("CHFInstallSuccessSMWAN", r.HubInstalled, (*HUB_INSTALL, ADDITIONAL)),
    Body("CHFInstallSuccessNoSMWAN", r.HubInstalledWithoutWan, (*HUB_INSTALL, *HUB_OBSTRUCTIONS, ADDITIONAL)),
    Body("UpdateFirmware", r.UpdateFirmware, DISTRIBUTION),
    Body("ReadFirmwareVersion", r.ReadFirmwareVersion, (EXECUTION,)),
    Body(
        "ActivateFirmware",
        r.ActivateFirmware,
        (EXECUTION, One("FirmwareHash", "firmware_hash", hex_octets(32, 32))),
    ),
    Body("UpdatePPMIDFirmware", r.UpdatePpmidFirmware, DISTRIBUTION),
    Body("TopUpDevice", r.TopUp, (One("UTRN", "utrn", UTRN),)),
    Body("ActivateEmergencyCredit", r.ActivateEmergencyCredit),
    Body(
        "DisplayMessage",
        r.DisplayMessage,
        (EXECUTION, One("SupplierMessage", "message", text(1, 116, "[ -~]+"))),
    ),
    Body("SignedPreCommand", r.SignedPreCommand, (EXECUTION, One("GBCSPayload", "payload", OCTETS))),
)
"""The bodies that have a class; those of every other service reference are taken as `OtherRequest`."""
