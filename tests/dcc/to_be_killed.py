"""A DCC that is killed: it carries out requests, several at a time, and says on its output which it answered.

``python -m tests.dcc.to_be_killed SMI FIRST [HOW]`` pre-notifies devices from number FIRST on by 12.2, and
beside that changes three records at a time in one transaction. A line is written when an answer would go out.
HOW is ``forgetful`` for one that answers before anything is safe, ``piecemeal`` for one that changes the
three records one by one: what a check must notice.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from dataclasses import replace
from pathlib import Path

from harness.dcc.sqlite_inventory import SqliteSmiStore
from harness.eui64 import Eui64
from tests.dcc.estate import NOTICE, S2, Estate
from tests.dcc.stores import numbered, put

AT_ONCE = 8
THREE = tuple(Eui64(number) for number in (1, 2, 3))


async def prenotify(estate, number):
    response = await estate.dcc.prenotify(replace(NOTICE, device=Eui64(number), version=S2.value))
    assert response.ok, response
    say(f"prenotified {number} {response.request_id}")


async def change_three(store, number):
    three = [numbered(device.value, version=str(number)) for device in THREE]
    if store.piecemeal:
        for record in three:
            store.apply(put(record, by=None))
            store.flush()
    store.apply(put(*three, by=None))
    await store.durable()
    say(f"changed {number}")


def say(line):
    os.write(1, f"{line}\n".encode())


class Store(SqliteSmiStore):
    def __init__(self, path, how):
        super().__init__(path)
        self.piecemeal = how == "piecemeal"
        self._forgetful = how == "forgetful"

    async def durable(self):
        if self._forgetful:
            await asyncio.sleep(0)
        else:
            await super().durable()


async def main(path, first, how=""):
    store = Store(path, how)
    estate = Estate(store=store)
    numbers = itertools.count(first)

    async def work():
        while True:
            await prenotify(estate, next(numbers))
            await change_three(store, next(numbers))

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
