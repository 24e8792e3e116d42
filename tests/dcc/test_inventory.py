"""The SMI's store and its history."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from harness.dcc.documents import RequestId
from harness.dcc.inventory import MemorySmiStore
from harness.gbcs import ACB, SUPPLIER
from harness.smets.smi import DeviceRecord, DeviceStatus
from harness.tap import Boundary
from tests.dcc.estate import HUB_2, NOTICE, PPMID, S1, S2, Estate

WHEN = datetime(2024, 11, 2, 9, 30, tzinfo=UTC)
BY = RequestId(SUPPLIER, ACB, 1000)
RECORD = DeviceRecord(
    device=PPMID,
    model=NOTICE.device_model,
    status=DeviceStatus.PENDING,
    version="SMETS1",
    family=S1,
    notified_as=S1,
)


def test_the_history_says_what_from_to_when_and_by_which_request():
    store = MemorySmiStore()
    (made,) = store.put(RECORD, WHEN, BY)
    assert (made.what, made.before, made.by, made.when) == ("record", None, BY, WHEN)
    changes = store.put(replace(RECORD, status=DeviceStatus.WHITELISTED, family=S2, hub=HUB_2), WHEN, None)
    assert [(change.what, change.before, change.after) for change in changes] == [
        ("status", "Pending", "Whitelisted"),
        ("family", "SMETS1", "SMETS2+"),
        ("hub", None, str(HUB_2)),
    ]
    assert store.put(store.get(PPMID), WHEN, None) == ()
    assert store.history(PPMID) == (made, *changes)


def test_a_deleted_record_keeps_its_history():
    store = MemorySmiStore()
    store.put(RECORD, WHEN, BY)
    (gone,) = store.delete(PPMID, WHEN, BY)
    assert (gone.what, gone.after) == ("record", None)
    assert store.get(PPMID) is None
    assert store.first(PPMID) is None
    assert store.delete(PPMID, WHEN, BY) == ()
    assert [change.what for change in store.history(PPMID)] == ["record", "record"]


def test_each_change_names_the_request_that_made_it_and_is_recorded_once():
    estate = Estate()
    listed, *_ = asyncio.run(estate.row(S1, S2))
    flips = [change for change in estate.dcc.history(PPMID) if change.what == "family"]
    assert [change.by for change in flips] == [listed.request_id]
    recorded = [event for event in estate.tap.at(Boundary.INVENTORY) if str(PPMID) in event[3]]
    assert len(recorded) == len(estate.dcc.history(PPMID))
