"""SMI stores for tests, and values to put into them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import strategies as st

from harness.dcc.documents import RequestId
from harness.dcc.inventory import MemorySmiStore, Transaction
from harness.dcc.sqlite_inventory import SqliteSmiStore
from harness.eui64 import Eui64
from harness.gbcs import ACB, SUPPLIER
from harness.smets.cpl import DeviceModel, DeviceType
from harness.smets.smi import DeviceRecord, DeviceStatus
from harness.smets.version import SmetsVersion
from tests.dcc.estate import NOTICE, PPMID

WHEN = datetime(2024, 11, 2, 9, 30, tzinfo=UTC)
BY = RequestId(SUPPLIER, ACB, 1000)
RECORD = DeviceRecord(
    device=PPMID,
    model=NOTICE.device_model,
    status=DeviceStatus.PENDING,
    version="SMETS1",
    family=SmetsVersion.SMETS1,
    notified_as=SmetsVersion.SMETS1,
)

STORES = {"memory": lambda folder: MemorySmiStore(), "sqlite": lambda folder: SqliteSmiStore(folder / "smi")}


def put(*records, by=BY, when=WHEN):
    return Transaction(when=when, by=by, put=records)


def delete(*devices, by=BY, when=WHEN):
    return Transaction(when=when, by=by, delete=devices)


def numbered(number, **changes):
    return replace(RECORD, device=Eui64(number), **changes)


few_devices = st.integers(1, 4).map(Eui64)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
mpxns = st.none() | st.sampled_from(["1900000000001", "1900000000002", "77000001"])
models = st.builds(
    DeviceModel, manufacturer=texts, model=texts, device_type=st.sampled_from(DeviceType), firmware=texts
)
records = st.builds(
    DeviceRecord,
    device=few_devices,
    model=models,
    status=st.sampled_from(DeviceStatus),
    version=texts,
    family=st.none() | st.sampled_from(SmetsVersion),
    notified_as=st.none() | st.sampled_from(SmetsVersion),
    gbcs_version=texts,
    hub=st.none() | few_devices,
    status_before=st.none() | st.sampled_from(DeviceStatus),
    commissioned=st.none() | st.dates(min_value=date(2000, 1, 1)),
    import_mpxn=mpxns,
    secondary_import_mpan=mpxns,
    export_mpan=mpxns,
    esme_variant=st.none() | st.sampled_from(["A", "AB", "D"]),
    gpf=st.none() | few_devices,
    joined=st.lists(few_devices, max_size=3, unique=True).map(tuple),
)
request_ids = st.builds(RequestId, few_devices, few_devices, st.integers(0, 2**64 - 1))
