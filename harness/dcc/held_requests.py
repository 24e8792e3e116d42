"""Requests that the DSP holds until their time has come; they are on its agenda, and outlast a restart.

A request is taken off when its response is on its way: one that a crash interrupts is carried out once more
rather than never.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.dcc.agenda import Agenda, Entry, Matter
from harness.dcc.counters import Clock
from harness.dcc.duis.requests import FutureDatable, RequestId
from harness.dcc.duis.xml.envelope import serialise
from harness.dcc.duis.xml.parser import parse_xml
from harness.dcc.duis.xml.request import read_request_tree, request_tree
from harness.dcc.enquiry import subject_of
from harness.errors import HarnessBug


@dataclass(frozen=True, slots=True)
class HeldRequests:
    """Requests on an agenda."""

    agenda: Agenda
    clock: Clock

    def hold(self, request: FutureDatable) -> None:
        """Keep a request until its execution time."""
        assert request.execution is not None
        content = serialise(request_tree(request))
        key = str(request.request_id)
        self.agenda.put(Entry(matter=Matter.REQUEST, key=key, due=request.execution, content=content))

    def cancel(self, request: FutureDatable) -> tuple[RequestId, ...]:
        """Take out what the same sender asked of the same device in the same way; return which."""
        sent = request.request_id
        alike = []
        for entry in self.agenda.entries(Matter.REQUEST, f"{sent.originator}:{sent.target}:"):
            held = _request(entry)
            if held.srv == request.srv and subject_of(held) == subject_of(request):
                self.agenda.take(Matter.REQUEST, entry.key)
                alike.append(held.request_id)
        return tuple(alike)

    def due(self) -> tuple[FutureDatable, ...]:
        """Return those whose time has come."""
        now = self.clock()
        return tuple(_request(entry) for entry in self.agenda.entries(Matter.REQUEST) if entry.due <= now)

    def done(self, request: FutureDatable) -> None:
        """Take one out that was answered."""
        self.agenda.take(Matter.REQUEST, str(request.request_id))


def _request(entry: Entry) -> FutureDatable:
    request = read_request_tree(parse_xml(entry.content))
    if not isinstance(request, FutureDatable):
        raise HarnessBug(f"{request.srv} is held, which is never for a later time")
    return request
