"""One request of every class and one response of every form, for tests that want all of them."""

from datetime import UTC, date, datetime

from harness.dcc.duis import alerts as a
from harness.dcc.duis import requests as q
from harness.dcc.duis import responses as r
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER
from harness.smets.cpl import CplStatus, DeviceType
from harness.smets.smi import DeviceStatus

PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
HUB = Eui64.parse("00-DB-12-34-56-78-90-A2")
ESME = Eui64.parse("00-DB-12-34-56-78-90-A0")
WHEN = datetime(2026, 6, 30, 12, 0, 1, 250_000, tzinfo=UTC)
TO_DSP = q.RequestId(SUPPLIER, ACB, 1000)
TO_PPMID = q.RequestId(SUPPLIER, PPMID, 1001)
TO_HUB = q.RequestId(SUPPLIER, HUB, 1002)
INSTALL = {
    "request_id": TO_DSP,
    "hub": HUB,
    "install_type": "New CHF Install",
    "installed": WHEN,
    "user_reference": "job 7",
    "mpxn": "1000999888",
    "gis_data": "51.5,-0.1",
    "aerial": True,
    "location": "Deep indoors",
    "additional_information": "in the cellar & dry",
}

REQUESTS = (
    q.Prenotify(
        request_id=TO_DSP,
        prenotification=q.Prenotification(
            device=PPMID,
            device_type=DeviceType.PPMID,
            manufacturer="1235",
            model="00110100",
            version="SMETS2+",
            firmware="00010000",
            gpf=HUB,
        ),
    ),
    q.Prenotify(
        request_id=TO_DSP,
        prenotification=q.Prenotification(
            device=ESME, device_type=DeviceType.ESME, manufacturer="", model="", esme_variant="ADEF"
        ),
    ),
    q.ReadInventory(request_id=TO_DSP, device=PPMID, first_in_sequence=True),
    q.SearchInventory(request_id=TO_DSP, by=q.Uprn(100_023_336_956)),
    q.SearchInventory(request_id=TO_DSP, by=q.Mpxn("1312345678111")),
    q.SearchInventory(
        request_id=TO_DSP, by=q.PropertyFilter(post_code="SW1A 1AA", address_identifier="10 < 11")
    ),
    q.UpdateInventory(request_id=TO_DSP, device=PPMID, change=q.SetStatus(DeviceStatus.PENDING)),
    q.UpdateInventory(request_id=TO_DSP, device=HUB, change=q.SetHubStatus(DeviceStatus.WITHDRAWN)),
    q.UpdateInventory(
        request_id=TO_DSP,
        device=PPMID,
        change=q.DeviceDetails(
            manufacturer="1235", model="00110100", version="SMETS1", firmware="00010001", esme_variant="A"
        ),
    ),
    q.UpdateInventory(request_id=TO_DSP, device=PPMID, change=q.DeviceDetails()),
    q.UpdateInventory(request_id=TO_DSP, device=PPMID, change=q.DeleteDevice()),
    *(
        q.UpdateInventory(request_id=TO_DSP, device=ESME, change=q.SetMpxn(kind, "1312345678111"))
        for kind in q.MpxnKind
    ),
    q.Commission(request_id=TO_PPMID, current=WHEN, tolerance_s=86_400),
    q.Decommission(request_id=TO_DSP, device=PPMID),
    q.JoinCritical(request_id=TO_PPMID, other=ESME),
    q.JoinNonCritical(request_id=TO_PPMID, other=ESME, preceding=TO_HUB),
    q.UnjoinCritical(request_id=TO_PPMID, other=ESME),
    q.UnjoinNonCritical(request_id=TO_PPMID, other=ESME),
    q.ReadDeviceLog(request_id=TO_HUB),
    q.ReadDeviceLog(request_id=TO_HUB, security_details=True, execution=WHEN),
    q.UpdateHanDeviceLog(
        request_id=TO_HUB,
        device=PPMID,
        action=q.LogAction.ADD,
        install_code=bytes(range(16)),
        join_time_s=3600,
        import_mpxn="1312345678111",
        secondary_import_mpan="1312345678112",
        export_mpan="1312345678113",
    ),
    q.UpdateHanDeviceLog(request_id=TO_HUB, device=PPMID, action=q.LogAction.REMOVE, execution=WHEN),
    q.RestoreHanDeviceLog(request_id=TO_HUB, old_hub=ESME),
    q.RestoreGpfDeviceLog(request_id=TO_HUB, old_gpf=ESME),
    q.ReturnLocalCommandResponse(request_id=TO_DSP, original=TO_PPMID, response=b"\xdf\x09"),
    q.HubInstalled(**INSTALL),
    q.HubInstalledWithoutWan(
        **INSTALL | {"install_type": "CHF Install - no SM WAN"},
        premise_type="High Rise Apartment (MDU > 5 floors)",
        metal_obstruction=True,
        connectivity_obstruction=False,
        shared_obstruction=True,
    ),
    q.UpdateFirmware(request_id=TO_DSP, image=b"\x1e\xf1", firmware="00010001", devices=(ESME, PPMID)),
    q.UpdatePpmidFirmware(request_id=TO_DSP, image=b"", firmware="00010001", devices=(PPMID,)),
    q.ReadFirmwareVersion(request_id=TO_PPMID),
    q.ReadFirmwareVersion(
        request_id=TO_PPMID, command_variant=q.CommandVariant.SEND_AND_LOCAL, execution=WHEN
    ),
    q.ActivateFirmware(request_id=TO_PPMID, firmware_hash=bytes(range(32))),
    q.TopUp(request_id=TO_PPMID, utrn="73946144332040217315"),
    q.ActivateEmergencyCredit(request_id=TO_PPMID),
    q.DisplayMessage(request_id=TO_PPMID, message="Reset <now>"),
    q.SignedPreCommand(request_id=TO_PPMID, srv="8.7.1", payload=b"\xdf\x09", execution=WHEN),
)

DEVICE = r.InventoryDevice(
    device=PPMID,
    device_type=DeviceType.PPMID,
    status=DeviceStatus.WHITELISTED,
    manufacturer="1235",
    model="00110100",
    version="SMETS1",
    firmware="00010000",
    firmware_status=CplStatus.ACTIVE,
    cpl_status=CplStatus.EXPIRED,
    commissioned=date(2026, 6, 30),
    import_mpxn="1312345678111",
    secondary_import_mpan="1312345678112",
    export_mpan="1312345678113",
    esme_variant="A",
    uprn=7,
    property_filter=q.PropertyFilter(post_code="SW1A 1AA", address_identifier="10"),
    csp_region="SMETS1",
    gbcs_version="4.3",
    han_variant="Single Band",
    s1sp="an S1SP",
    connectivity="Virtual",
)
HUBS = a.ReplacedHub(old_hub=HUB, new_hub=ESME, old_gpf=PPMID, new_gpf=HUB)


def message(payload=None, code="I0", srv="11.2"):
    body = r.ResponseMessage(srv=srv, payload=payload)
    return r.Response(request_id=TO_PPMID, response_id=TO_PPMID.response_id, code=code, when=WHEN, body=body)


def alert(code, content):
    return r.Response(code="I0", when=WHEN, body=r.DccAlertMessage(code=code, alert=content))


RESPONSES = (
    message(code="I99"),
    message(code="E19"),
    message(r.DspInventory((DEVICE,) * 17), srv="8.2"),
    message(
        r.DspInventory(
            (r.InventoryDevice(device=HUB, device_type=DeviceType.CHF, manufacturer="", model=""),)
        ),
        srv="8.2",
    ),
    message(r.GbcsPayload(b"\xdd\0\0")),
    message(r.LocalCommand(b"\xdd\0\0")),
    message(r.PreCommand(gbcs_version="4.3", message=b"\xdf\x09"), srv="8.7.1"),
    message(r.FirmwareWarning(invalid=(ESME, PPMID), other_in_progress=(HUB,)), "W110101", "11.1"),
    message(
        r.PpmidFirmwareWarning(
            not_applicable=(PPMID,), not_commissioned=(HUB,), invalid_gbcs_version=(ESME,)
        ),
        "W110401",
        "11.4",
    ),
    message(r.FutureDatedAlert(code=b"\x8f\x66", message=b"\xdf\x09", instruction=1, instructions=2)),
    message(r.ScheduleId(10**12), srv="5.1"),
    r.Response(
        code="I0",
        when=WHEN,
        body=r.DeviceAlertMessage(
            alert_code=b"\x8f\x12", throttled_sequence=1, throttled_count=2, message=b"\xdf"
        ),
    ),
    alert("N24", a.UpdateHanDeviceLogResult(TO_HUB)),
    alert(
        "N999",
        a.PpmidAlert(
            device=PPMID,
            alert_code=b"\x8f\x8b",
            when=WHEN,
            upgrade=a.PpmidUpgrade(firmware="00010001", activated=True),
        ),
    ),
    alert("N39", a.PpmidAlert(device=PPMID, alert_code=b"\x8f\x8b")),
    alert("N39", a.PpmidRemoval(ppmid=PPMID, hub=HUB)),
    alert(
        "N49",
        a.FirmwareVersionMismatch(
            device=PPMID, device_type=DeviceType.PPMID, in_smi="00010000", on_device="00010001"
        ),
    ),
    *(alert("N28", a.DeviceStatusChange(device=PPMID, change=change)) for change in a.StatusChange),
    alert("N57", a.Smets1HubFirmware(device=HUB, firmware="00010001", activated=False)),
    alert("N18", a.FirmwareDistributionFailure(request_id=TO_DSP, devices=(PPMID, ESME))),
    alert(
        "AD1",
        a.FirmwareDelivery(
            request_id=TO_DSP, hub=HUB, device=PPMID, firmware="00010001", when=WHEN, delivered=True
        ),
    ),
    alert(
        "N33",
        a.CommsHubAlert(
            hub=HUB,
            alert_code=b"\x8f\x8a",
            when=WHEN,
            transfer=a.FirmwareTransfer(
                request_id=TO_DSP,
                device=PPMID,
                firmware="00010001",
                result=a.TransferResult.HARDWARE_MISMATCH,
            ),
        ),
    ),
    alert("N33", a.CommsHubAlert(hub=HUB, alert_code=b"\x8f\x8a")),
    *(alert("N26", a.DeviceLogRestored(day=date(2026, 6, 30), hubs=HUBS, gpf=gpf)) for gpf in (False, True)),
    alert("N13", a.CommandFailure(request_id=TO_PPMID, schedule=3, device=PPMID)),
)

SMETS1_ANSWERS = (
    r.Smets1Answer(
        device=PPMID,
        user=SUPPLIER,
        counter=1001,
        srv="11.2",
        when=WHEN,
        element="ReadFirmwareVersion",
        success=True,
        fields={"FirmwareVersion": "00010000"},
    ),
    r.Smets1Answer(
        device=PPMID,
        user=SUPPLIER,
        counter=1001,
        srv="8.7.2",
        element="JoinServiceNonCritical",
        success=True,
        fields={"joinResponseCode/@ResponseCode": "0", "joinResponseCode/ASN1Status": "success"},
    ),
    r.Smets1Answer(
        device=HUB,
        user=SUPPLIER,
        counter=1002,
        element="UpdateHANDeviceLog",
        success=False,
        errors=(r.Smets1Error(code=-1, text="no answer"), r.Smets1Error(code=7, position=2, text="")),
    ),
    r.Smets1Answer(device=HUB, user=SUPPLIER, counter=0),
    r.Smets1DeviceAlert(
        device=PPMID,
        user=SUPPLIER,
        counter=5,
        description="credit below the limit",
        when=WHEN,
        alert_code=b"\x81\x0d",
    ),
)

S1SP_ALERT = a.S1spAlert(
    request_id=TO_PPMID,
    device=PPMID,
    code="S1",
    additional_information="as it is",
    utrn="73946144332040217315",
    when=WHEN,
)
