"""A DCC that is killed between the two halves of requests: it gives out local commands and pre-commands.

``python -m tests.dcc.to_be_killed_half_way SMI [forgetful]`` says on its output what it has given out, a line
each, when the response would go out. ``forgetful`` is one that keeps them in memory alone.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path

from harness.dcc.agenda import MemoryAgenda
from harness.dcc.duis.requests import CommandVariant
from harness.dcc.sqlite_inventory import SqliteSmiStore
from tests.dcc.test_access import asked, esme_ready, unjoin


class ForgetfulStore(SqliteSmiStore):
    def __init__(self, path):
        super().__init__(path)
        self.agenda = MemoryAgenda()


async def main(estate):
    for counter in itertools.count(1000, 2):
        handed = await estate.dcc.handle(asked(counter=counter, variant=CommandVariant.LOCAL))
        say("local", counter, handed)
        made = await estate.dcc.handle(unjoin(counter=counter + 1))
        say("pre-command", counter + 1, made)


def say(what, counter, response):
    assert response.ok, response
    os.write(1, f"{what} {counter} {response.body.message.hex()}\n".encode())


if __name__ == "__main__":
    path, *how = sys.argv[1:]
    store = (ForgetfulStore if how else SqliteSmiStore)(Path(path))
    asyncio.run(main(esme_ready(store=store)))
