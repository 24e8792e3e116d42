"""The SMI as the DSP uses it: what a request changed, it changed under its own name, and once."""

import asyncio

from harness.tap import Boundary
from tests.dcc.estate import PPMID, S1, S2, Estate


def test_each_change_names_the_request_that_made_it_and_is_recorded_once():
    estate = Estate()
    listed, *_ = asyncio.run(estate.row(S1, S2))
    flips = [change for change in estate.dcc.history(PPMID) if change.what == "family"]
    assert [change.by for change in flips] == [listed.request_id]
    recorded = [event for event in estate.tap.at(Boundary.INVENTORY) if str(PPMID) in event[3]]
    assert len(recorded) == len(estate.dcc.history(PPMID))
