"""Which request ids were used is remembered within bounds, and none is let through twice."""

import contextlib
import random
import sqlite3

import pytest

from harness.dcc.replay_memory import SCHEMA, MemoryReplays, ReplayMemory
from harness.dcc.sqlite_inventory import SqliteSmiStore
from harness.eui64 import Eui64

ONE, OTHER = Eui64(1), Eui64(2)


@pytest.fixture(params=["memory", "sqlite"])
def made(request):
    """Make memories of so many; in a file the next one has what the last one had."""
    file = sqlite3.connect(":memory:", isolation_level=None)
    file.executescript(SCHEMA)
    yield (
        (lambda most: MemoryReplays(most=most))
        if request.param == "memory"
        else (lambda most: ReplayMemory(file, most=most))
    )
    file.close()


def test_a_counter_is_used_once_for_each_step_and_by_each_originator(made):
    memory = made(10)
    assert memory.note(ONE, 5, "sent")
    assert not memory.note(ONE, 5, "sent")
    assert memory.note(ONE, 5, "signed")
    assert memory.note(OTHER, 5, "sent")
    assert memory.note(ONE, 3, "sent")
    assert (memory.last(ONE), memory.last(Eui64(9))) == (5, None)


@pytest.mark.parametrize("seed", range(5))
def test_however_many_there_are_none_comes_through_twice(made, seed):
    chance = random.Random(seed)
    memory = made(20)
    taken = []
    for number in range(400):
        counter = number + chance.randrange(15)
        if memory.note(ONE, counter, "sent"):
            taken.append(counter)
        elif counter > max(taken) - 5:
            assert counter in taken  # a late one may be refused, a new one not
    assert len(taken) == len(set(taken)) > 200
    assert not any(memory.note(ONE, counter, "sent") for counter in taken)


def test_what_is_remembered_is_bounded_and_the_bound_outlasts_a_restart(tmp_path):
    with contextlib.closing(sqlite3.connect(tmp_path / "file", isolation_level=None)) as file:
        file.executescript(SCHEMA)
        memory = ReplayMemory(file, most=100)
        for counter in range(1000):
            assert memory.note(ONE, counter, "sent")
        assert file.execute("SELECT count(*) FROM request").fetchone()[0] <= 100
        again = ReplayMemory(file, most=100)
        assert not any(again.note(ONE, counter, "sent") for counter in range(1000))
        assert again.note(ONE, 1000, "sent")


def test_a_file_of_an_smi_without_such_a_bound_is_taken(tmp_path):
    path = tmp_path / "smi"
    with contextlib.closing(SqliteSmiStore(path)) as store:
        assert store.note_request(ONE, 7, "sent")
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("DROP TABLE forgotten")
    with contextlib.closing(SqliteSmiStore(path)) as store:
        assert not store.note_request(ONE, 7, "sent")
        assert store.last_counter(ONE) == 7
