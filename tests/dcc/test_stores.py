"""What holds of every SMI store, in memory and on disk."""

import asyncio
import os
import threading
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from harness.dcc.inventory import Lookup, MemorySmiStore, Transaction
from harness.dcc.record_text import read_record, record_text
from harness.dcc.sqlite_inventory import SqliteSmiStore
from harness.errors import ConfigError, RigFault
from harness.eui64 import Eui64
from harness.gbcs import SUPPLIER
from harness.smets.smi import DeviceStatus
from tests.dcc.estate import HUB_1, HUB_2, PPMID, S2
from tests.dcc.stores import (
    BY,
    RECORD,
    STORES,
    WHEN,
    delete,
    few_devices,
    numbered,
    put,
    records,
    request_ids,
)


@pytest.fixture(params=sorted(STORES))
def store(request, tmp_path):
    made = STORES[request.param](tmp_path)
    yield made
    made.close()


def test_the_history_says_what_from_to_when_and_by_which_request(store):
    (made,) = store.apply(put(RECORD))
    assert (made.what, made.before, made.by, made.when) == ("record", None, BY, WHEN)
    changed = replace(RECORD, status=DeviceStatus.WHITELISTED, family=S2, hub=HUB_2, joined=(HUB_1, HUB_2))
    changes = store.apply(put(changed, by=None))
    assert [(change.what, change.before, change.after) for change in changes] == [
        ("status", "Pending", "Whitelisted"),
        ("family", "SMETS1", "SMETS2+"),
        ("hub", None, str(HUB_2)),
        ("joined", None, f"{HUB_1} {HUB_2}"),
    ]
    assert store.apply(put(store.get(PPMID))) == ()
    assert store.history(PPMID) == (made, *changes)
    assert store.first(PPMID) == RECORD


def test_a_deleted_record_keeps_its_history(store):
    store.apply(put(RECORD))
    (gone,) = store.apply(delete(PPMID))
    assert (gone.what, gone.after) == ("record", None)
    assert store.get(PPMID) is None
    assert store.first(PPMID) is None
    assert store.apply(delete(PPMID)) == ()
    assert [change.what for change in store.history(PPMID)] == ["record", "record"]


def test_records_come_in_the_order_in_which_they_were_made(store):
    for number in (9, 3, 6):
        store.apply(put(numbered(number)))
    store.apply(put(numbered(9, version="SMETS2+")))
    store.apply(delete(Eui64(3)))
    store.apply(put(numbered(3)))
    assert [record.device.value for record in store.records()] == [9, 6, 3]


def test_records_are_found_by_hub_and_by_meter_point(store):
    store.apply(
        put(numbered(1, hub=HUB_1), numbered(2, hub=HUB_2, import_mpxn="190"), numbered(3, hub=HUB_1))
    )
    assert [found.device.value for found in store.having(Lookup.HUB, str(HUB_1))] == [1, 3]
    assert [found.device.value for found in store.having(Lookup.IMPORT_MPXN, "190")] == [2]
    assert store.having(Lookup.EXPORT_MPAN, "190") == ()


def test_a_counter_is_taken_once_for_each_step(store):
    assert store.last_counter(SUPPLIER) is None
    assert store.note_request(SUPPLIER, 2**64 - 1, "sent")
    assert store.note_request(SUPPLIER, 9, "sent")
    assert not store.note_request(SUPPLIER, 9, "sent")
    assert store.note_request(SUPPLIER, 9, "signed")
    assert store.note_request(HUB_1, 9, "sent")
    assert (store.last_counter(SUPPLIER), store.last_counter(HUB_1)) == (2**64 - 1, 9)


class TwoStores(RuleBasedStateMachine):
    """A store on disk is at any time what one in memory is, also after it was closed and opened again."""

    folder = None
    number = 0

    def __init__(self):
        super().__init__()
        TwoStores.number += 1
        self.path = self.folder / f"smi-{TwoStores.number}"
        self.disk = SqliteSmiStore(self.path)
        self.memory = MemorySmiStore()

    @rule(
        made=st.lists(records, max_size=3), gone=st.lists(few_devices, max_size=2), by=st.none() | request_ids
    )
    def apply(self, made, gone, by):
        transaction = Transaction(when=WHEN, by=by, put=tuple(made), delete=tuple(gone))
        assert self.disk.apply(transaction) == self.memory.apply(transaction)

    @rule(request=request_ids, step=st.sampled_from(["sent", "signed"]))
    def note(self, request, step):
        noted = self.memory.note_request(request.originator, request.counter, step)
        assert self.disk.note_request(request.originator, request.counter, step) is noted

    @rule()
    def flush(self):
        self.disk.flush()

    @rule()
    def open_again(self):
        self.disk.close()
        self.disk = SqliteSmiStore(self.path)

    @invariant()
    def they_are_alike(self):
        assert tuple(self.disk.records()) == self.memory.records()
        for number in range(1, 5):
            device = Eui64(number)
            assert self.disk.get(device) == self.memory.get(device)
            assert self.disk.first(device) == self.memory.first(device)
            assert self.disk.history(device) == self.memory.history(device)
            assert self.disk.last_counter(device) == self.memory.last_counter(device)
            assert self.disk.having(Lookup.HUB, str(device)) == self.memory.having(Lookup.HUB, str(device))

    def teardown(self):
        self.disk.close()


def test_a_store_on_disk_is_what_one_in_memory_is(tmp_path):
    TwoStores.folder = tmp_path
    run_state_machine_as_test(
        TwoStores, settings=settings(max_examples=25, stateful_step_count=12, deadline=None)
    )


@given(records)
def test_a_record_is_the_same_after_it_was_text(record):
    assert read_record(record_text(record)) == record


# --- on disk alone -----------------------------------------------------------------------------------------


def test_what_is_not_committed_is_not_in_the_file_and_requests_share_a_sync(tmp_path, monkeypatch):
    disk = SqliteSmiStore(tmp_path / "smi")
    syncs = []
    sync = os.fdatasync
    monkeypatch.setattr("os.fdatasync", lambda file: syncs.append(sync(file)))

    async def request(number):
        disk.apply(put(numbered(number)))
        await disk.durable()

    async def run():
        await asyncio.gather(*map(request, range(1, 21)))
        await disk.durable()

    asyncio.run(run())
    assert len(syncs) in (1, 2)  # the first may begin with one request in it; the others wait for the second
    disk.apply(put(numbered(99)))
    disk._file.close()  # as a crash would leave it
    again = SqliteSmiStore(tmp_path / "smi")
    assert [record.device.value for record in again.records()] == list(range(1, 21))
    again.close()


def test_a_request_that_comes_alone_is_made_safe_at_once_and_the_next_a_little_later(tmp_path, monkeypatch):
    disk = SqliteSmiStore(tmp_path / "smi")
    waits = []
    sleep = asyncio.sleep

    async def noting(seconds):
        waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr("asyncio.sleep", noting)
    monkeypatch.setattr("harness.dcc.sqlite_inventory._APART_S", 1000.0)

    async def run():
        disk._synced_at = asyncio.get_running_loop().time() - 1001
        for number in range(1, 4):
            disk.apply(put(numbered(number)))
            await disk.durable()

    asyncio.run(run())
    assert waits[0] < 0
    assert all(900 < wait <= 1000 for wait in waits[1:])
    disk.close()


def test_no_request_is_answered_before_a_sync_that_began_after_it(tmp_path, monkeypatch):
    disk = SqliteSmiStore(tmp_path / "smi")
    told = []
    begun, go_on = threading.Event(), threading.Event()

    def slow_sync(file):
        told.append("sync begins")
        begun.set()
        go_on.wait(5)

    monkeypatch.setattr("os.fdatasync", slow_sync)

    async def request(number):
        disk.apply(put(numbered(number)))
        await disk.durable()
        told.append(number)

    async def run():
        first = asyncio.ensure_future(request(1))
        await asyncio.to_thread(begun.wait, 5)
        second = asyncio.ensure_future(request(2))  # while the first one's sync is under way
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(first, second)

    asyncio.run(run())
    assert told == ["sync begins", 1, "sync begins", 2]
    disk.close()


def test_requests_that_arrive_while_others_are_made_safe_all_end(tmp_path):
    disk = SqliteSmiStore(tmp_path / "smi")

    async def request(number):
        disk.apply(put(numbered(number)))
        await disk.durable()

    async def run():
        tasks = []
        for number in range(1, 101):
            tasks.append(asyncio.ensure_future(request(number)))
            await asyncio.sleep(0.0005)
        async with asyncio.timeout(20):
            await asyncio.gather(*tasks)

    asyncio.run(run())
    disk.close()


def test_a_disk_that_does_not_sync_ends_it(tmp_path, monkeypatch):
    disk = SqliteSmiStore(tmp_path / "smi")

    def broken(file):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("os.fdatasync", broken)
    disk.apply(put(numbered(1)))
    with pytest.raises(RigFault, match="Input/output error"):
        asyncio.run(disk.durable())
    with pytest.raises(RigFault, match="Input/output error"):
        disk.apply(put(numbered(2)))
    disk.close()


def test_a_transaction_that_breaks_in_the_middle_leaves_nothing(tmp_path):
    disk = SqliteSmiStore(tmp_path / "smi")
    disk.apply(put(numbered(1)))
    disk._file.execute(
        "CREATE TRIGGER no BEFORE INSERT ON device WHEN new.eui64 LIKE '%03' "
        "BEGIN SELECT RAISE(ABORT, 'disk trouble'); END"
    )
    with pytest.raises(RigFault, match="disk trouble"):
        disk.apply(put(numbered(2), numbered(3)))
    assert [record.device.value for record in disk.records()] == [1]
    with pytest.raises(RigFault, match="disk trouble"):  # and it does not go on as if nothing had been
        disk.apply(put(numbered(4)))
    with pytest.raises(RigFault, match="disk trouble"):
        asyncio.run(disk.durable())
    disk.close()


def test_a_file_that_is_no_smi_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "smi"
    path.write_text("an essay about smart meters, of more than sixteen octets" * 20)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="cannot be used as an SMI"):
        SqliteSmiStore(path)
    assert path.read_bytes() == before


def test_one_dcc_at_a_time_has_it_open(tmp_path, monkeypatch):
    monkeypatch.setattr("harness.dcc.sqlite_inventory._LOCKED_MS", 0)
    first = SqliteSmiStore(tmp_path / "smi")
    with pytest.raises(ConfigError, match="locked"):
        SqliteSmiStore(tmp_path / "smi")
    first.close()
    first.close()
    SqliteSmiStore(tmp_path / "smi").close()


def test_a_file_of_another_schema_is_refused(tmp_path):
    disk = SqliteSmiStore(tmp_path / "smi")
    disk._file.execute("PRAGMA user_version = 99")
    disk.close()
    with pytest.raises(ConfigError, match="its schema is 99"):
        SqliteSmiStore(tmp_path / "smi")
