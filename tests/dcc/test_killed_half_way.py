"""What a DCC has given out before it was killed is taken back after: signed pre-commands, local responses."""

import contextlib
import random
import signal
import subprocess
import sys
import threading

import pytest

from harness.dcc.documents import RequestId
from harness.dcc.duis.requests import ReturnLocalCommandResponse
from harness.dcc.sqlite_inventory import SqliteSmiStore
from harness.gbcs import ACB, SUPPLIER, OwnKeys
from harness.gbcs.use_cases import cs08
from harness.gbcs.use_cases.joining import CS04AC, UnjoinResult
from tests.dcc.estate import FIRMWARE, PKI, PPMID, S2, Estate
from tests.dcc.test_access import ESME, handled, second_half, signed
from tests.dcc.test_killed import CHECKOUT

FEW, MANY = range(1), range(1, 8)


def given_out(path, after_s, *how):
    """Run it, kill it so long after its first line, and return what it gave out by what it is."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.dcc.to_be_killed_half_way", str(path), *how],
        stdout=subprocess.PIPE,
        cwd=CHECKOUT,
    )
    said = [child.stdout.readline()]
    killer = threading.Timer(after_s, child.kill)
    killer.start()
    said += child.stdout.readlines()
    killer.join()
    assert child.wait(10) == -signal.SIGKILL
    child.stdout.close()
    lines = [line.decode().split() for line in said if line.endswith(b"\n")]
    return {
        what: [(int(n), bytes.fromhex(octets)) for kind, n, octets in lines if kind == what]
        for what in ("local", "pre-command")
    }


def brought_back(path, given):
    """Bring it all to a DCC on the same file; return the codes."""
    with contextlib.closing(SqliteSmiStore(path)) as store:
        estate = Estate(store=store)
        estate.hubs[S2].answer = lambda message: CS04AC.build_response(
            message, UnjoinResult.SUCCESS, OwnKeys(ESME, PKI)
        )
        returned = (
            ReturnLocalCommandResponse(
                request_id=RequestId(SUPPLIER, ACB, counter + 10**6),
                original=RequestId(SUPPLIER, PPMID, counter),
                response=cs08.response(command, FIRMWARE, OwnKeys(PPMID, PKI)),
            )
            for counter, command in given["local"]
        )
        halves = (second_half(signed(octets), counter=n) for n, octets in given["pre-command"])
        responses = handled(estate, *returned, *halves)
        again = handled(
            estate, *(second_half(signed(octets), counter=n) for n, octets in given["pre-command"])
        )
    return {response.code for response in responses}, {response.code for response in again}


@pytest.mark.parametrize("seed", [*FEW, *(pytest.param(seed, marks=pytest.mark.slow) for seed in MANY)])
def test_all_of_it_is_taken_back_once(tmp_path, seed):
    given = given_out(tmp_path / "smi", random.Random(seed).uniform(0.02, 0.3))
    assert given["local"]
    codes, again = brought_back(tmp_path / "smi", given)
    assert codes == {"I0"}
    assert again <= {"E31"}


@pytest.mark.slow
def test_one_that_keeps_it_in_memory_alone_is_noticed(tmp_path):
    given = given_out(tmp_path / "smi", 0.2, "forgetful")
    codes, _ = brought_back(tmp_path / "smi", given)
    assert "E081301" in codes
