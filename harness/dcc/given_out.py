"""What the DSP has given out and waits to have back: pre-commands to be signed, commands for local delivery.

It is on the agenda, in the SMI's file, and outlasts a restart. What nobody brings back is forgotten in time.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta

from harness.dcc.agenda import Agenda, Entry, Matter
from harness.dcc.counters import Clock
from harness.dcc.duis.requests import RequestId, ServiceRequest
from harness.dcc.duis.xml.envelope import serialise
from harness.dcc.duis.xml.parser import parse_xml
from harness.dcc.duis.xml.request import read_request_tree, request_tree

KEPT = "GIVEN-OUT-KEPT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A request, the use case that it became, and the octets of the command."""

    request: ServiceRequest
    use_case: str
    command: bytes


@dataclass(frozen=True, slots=True)
class GivenOut:
    """What was given out of one matter, by request id, each for `kept`."""

    matter: Matter
    agenda: Agenda
    clock: Clock
    kept: timedelta

    def keep(self, given: Given) -> None:
        """Keep what is given out now."""
        content = {
            "request": serialise(request_tree(given.request)).decode(),
            "use-case": given.use_case,
            "command": given.command.hex(),
        }
        self.agenda.put(
            Entry(
                matter=self.matter,
                key=str(given.request.request_id),
                due=self.clock() + self.kept,
                content=json.dumps(content).encode(),
            )
        )

    def get(self, request_id: RequestId) -> Given | None:
        """Return what was given out under this id, None when it is not there any more."""
        entry = self.agenda.get(self.matter, str(request_id))
        if entry is None or entry.due <= self.clock():
            return None
        content = json.loads(entry.content)
        return Given(
            request=read_request_tree(parse_xml(content["request"].encode())),
            use_case=content["use-case"],
            command=bytes.fromhex(content["command"]),
        )

    def settle(self, request_id: RequestId) -> None:
        """Take out what was brought back."""
        self.agenda.take(self.matter, str(request_id))

    def overdue(self) -> None:
        """Forget what nobody has brought back in time."""
        self.agenda.expire(self.matter, self.clock())
