"""What a DCC does without being asked: alerts, and what is on its agenda when that is due."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from harness.dcc.alarm import Alarm
from harness.dcc.alerts import DeviceAlert
from harness.dcc.dcc_alerts import DccAlert, DccAlerts
from harness.dcc.documents import ServiceRequest, ServiceResponse
from harness.dcc.dsp import Dsp
from harness.dcc.enquiry import Estate
from harness.dcc.firmware_distribution import Distribution
from harness.dcc.given_out import GivenOut
from harness.errors import RigFault
from harness.tap import Boundary, Tap


class Told(Protocol):
    """Who takes what the DCC sends by itself: the way to its users."""

    def tell(self, alert: DccAlert) -> None:
        """Send an alert to those whom it is for."""

    def answer(self, request: ServiceRequest, response: ServiceResponse) -> None:
        """Send the response to a request that was held for later."""


class Initiative:
    """Of one DCC; `begin` gives it its DSP and the way to its users."""

    def __init__(self, estate: Estate, tap: Tap) -> None:
        self._estate = estate
        self._tap = tap
        self._dsp: Dsp | None = None
        self._distribution: Distribution | None = None
        self._given_out: tuple[GivenOut, ...] = ()
        self._users: Told | None = None
        self._heard: list[Callable[[DccAlert], None]] = []
        self.alerts = DccAlerts(estate, self._tell)
        self._alarm = Alarm(estate.store.agenda, estate.clock, self._woken)

    def begin(
        self, dsp: Dsp, distribution: Distribution, users: Told, given_out: Iterable[GivenOut] = ()
    ) -> None:
        """Act for this DSP, towards these users; forget in time what it has `given_out`."""
        self._dsp, self._distribution = dsp, distribution
        self._given_out = tuple(given_out)
        self._users = users

    def serve(self, users: Told) -> None:
        """Have others take what the DCC sends; go on with what was on the agenda when it ended."""
        self._users = users
        self.look()

    def listen(self, heard: Callable[[DccAlert], None]) -> None:
        """Have `heard` called with every alert that the DCC sends to users."""
        self._heard.append(heard)

    def heard(self, alert: DeviceAlert) -> None:
        """A device or a hub has raised an alert that counts."""
        self.alerts.heard(alert)
        if self._distribution is not None:
            self._distribution.heard(alert)

    def look(self) -> None:
        """Look at the agenda again: something may have been put there, or taken out."""
        self._alarm.set()

    async def see_to_agenda(self) -> None:
        """Do what is due by now, as the DCC does by itself."""
        self.alerts.overdue()
        for given in self._given_out:
            given.overdue()
        if self._distribution is not None:
            await self._distribution.send_due()
            self._distribution.overdue()
        if self._dsp is not None:
            await self._dsp.carry_out_due(self._answer)
        await self._estate.store.durable()

    def forget(self) -> None:
        """Give up everything on the agenda: a case starts afresh."""
        self._estate.store.agenda.clear()
        self._alarm.set()

    async def close(self) -> None:
        """End; what is on the agenda stays there."""
        await self._alarm.close()

    async def _woken(self) -> None:
        try:
            await self.see_to_agenda()
        except RigFault as fault:  # of the SMI's disk: whoever sends the next request is told
            self._tap.record(Boundary.DUIS, "dsp", "dsp", f"what is due has to wait: {fault}")

    def _tell(self, alert: DccAlert) -> None:
        if self._users is not None:
            self._users.tell(alert)
        for heard in self._heard:
            heard(alert)

    def _answer(self, request: ServiceRequest, response: ServiceResponse) -> None:
        if self._users is not None:
            self._users.answer(request, response)
