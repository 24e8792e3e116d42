"""A DCC killed at any moment has lost nothing that it acknowledged, and has done nothing by half."""

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from harness.dcc.documents import RequestId
from harness.dcc.sqlite_inventory import SqliteSmiStore
from harness.eui64 import Eui64
from tests.dcc.to_be_killed import THREE

CHECKOUT = Path(__file__).parents[2]
FEW, MANY = range(1), range(1, 27)
MOST = 60  # kills of one that is wrong


def run_and_kill(path, first, after_s, how=""):
    """Kill it so long after its first answer; return what it said."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.dcc.to_be_killed", str(path), str(first), how],
        stdout=subprocess.PIPE,
        cwd=CHECKOUT,
    )
    killer = threading.Timer(after_s, child.kill)
    said = [child.stdout.readline()]
    killer.start()
    said += child.stdout.readlines()
    killer.join()
    assert child.wait(10) == -signal.SIGKILL
    child.stdout.close()
    return [line.decode().split() for line in said if line.endswith(b"\n")]


def check(path, said):
    store = SqliteSmiStore(path)
    for what, number, *request in said:
        if what == "prenotified":
            device = Eui64(int(number))
            assert store.get(device) is not None
            assert [change.by for change in store.history(device)] == [RequestId.parse(request[0])]
    three = [store.get(device) for device in THREE]
    versions = {record.version for record in three if record}
    whole = len({record and record.version for record in three}) == 1  # it may have been killed before them
    assert whole, "three records of one transaction differ"
    changed = [int(number) for what, number, *_ in said if what == "changed"]
    assert versions or not changed
    noted = {change.after for change in store.history(THREE[0]) if change.what == "version"}
    assert {str(number) for number in changed[1:]} <= noted | versions
    # what was not acknowledged may be there too, but only whole: a record has its history
    for record in store.records():
        assert store.history(record.device)
    store.close()
    return len(said)


@pytest.mark.parametrize("seed", [*FEW, *(pytest.param(seed, marks=pytest.mark.slow) for seed in MANY)])
def test_it_comes_back_as_it_was_acknowledged(tmp_path, seed):
    chance = random.Random(seed)
    path = tmp_path / "smi"
    answered = 0
    for turn in range(2):  # the second one goes on with the file that the first one left
        said = run_and_kill(path, 1000 + turn * 1_000_000, chance.uniform(0, 0.25))
        answered += check(path, said)
    assert answered >= 2


@pytest.mark.parametrize("how", ["forgetful", pytest.param("piecemeal", marks=pytest.mark.slow)])
def test_one_that_answers_too_early_or_works_piecemeal_is_noticed(tmp_path, how):
    for attempt in range(MOST):  # it takes luck to kill it at the wrong moment, often once or twice
        path = tmp_path / f"smi-{attempt}"
        said = run_and_kill(path, 1000, 0.02 * (attempt % 8), how)
        try:
            check(path, said)
        except AssertionError:
            return
    pytest.fail(f"a DCC that is {how} was killed {MOST} times, and nobody noticed")
