"""Whom the radio lets in, by which key: the install code's, or first the historic one of who was here before.

Source: GBCS use case CCS01: a device of the Historic Device Log may use its trust-centre link key of then for
the first half of its join time, and its install code after that.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.errors import RigFault, StimulusImpossible
from harness.eui64 import Eui64
from harness.hub.defects import CarelessRadio
from harness.hub.device_log import DeviceLog, DeviceLogEntry, DeviceState
from harness.rig.faces import Radio


class Admission:
    """Keeps the radio's join windows in step with the device log; `anybody` lets everybody in, wrongly."""

    def __init__(
        self, name: str, radio: Radio, log: DeviceLog, clock: Callable[[], float], *, anybody: bool
    ) -> None:
        self._name = name
        self._radio = radio
        self._log = log
        self._clock = clock
        self._anybody = anybody
        self._in_clear = False  # whether the radio lets anybody in now
        self._historic: dict[Eui64, float] = {}  # whose historic key is in use, until when

    async def open(self, entry: DeviceLogEntry, *, in_clear: bool = False) -> None:
        """Open a device's window, with `in_clear` to anybody, the network key sent unprotected.

        Raises RigFault, StimulusImpossible for a radio that cannot be so careless.
        """
        now = self._clock()
        if self._anybody or in_clear:
            if not isinstance(self._radio, CarelessRadio):
                raise StimulusImpossible(f"the radio of hub {self._name} cannot skip the install-code check")
            self._in_clear = True
            await self._radio.permit_anybody(entry.window_end - now)
            return
        self._historic.pop(entry.eui64, None)
        if entry.historic_key is not None and now < entry.half_time:
            self._historic[entry.eui64] = entry.half_time
        await self._radio.permit(entry.eui64, entry.join_key(now), entry.window_end - now)

    async def shut_to_anybody(self) -> None:
        """Let in nobody but those whom the device log has, as before `open` with `in_clear`; RigFault."""
        if self._in_clear:
            await self._radio.close_window()
            self._in_clear = False
            for entry in self._waiting():
                await self.open(entry)

    async def resume(self) -> None:
        """Bring a radio that has just started to what the device log says.

        Windows that are not over are opened again; of a log without devices no key may be left on the radio,
        lest a device of an earlier run come back by one.
        """
        if not self._log.entries:
            await self._radio.forget_all_keys()
        for entry in self._waiting():
            await self.open(entry)

    async def resume_keys(self) -> None:
        """Give a radio that has formed a network the link keys of those who may come back to it."""
        for entry in self._log.entries:
            known = entry.state in (DeviceState.JOINED, DeviceState.RESTORED)
            if known and entry.trust_centre_link_key:
                await self._radio.set_link_key(entry.eui64, entry.trust_centre_link_key)

    async def tick(self, now: float) -> None:
        """Take the install code's key where the time of the historic one is over."""
        for eui64 in [eui64 for eui64, until in self._historic.items() if until <= now]:
            del self._historic[eui64]
            entry = self._log.get(eui64)
            if entry is not None and entry in self._waiting():
                try:
                    await self.open(entry)
                except RigFault:
                    return  # the radio is lost; its next start opens the window

    def next_deadline(self) -> float | None:
        """Return when `tick` is due."""
        return min(self._historic.values(), default=None)

    def _waiting(self) -> list[DeviceLogEntry]:
        now = self._clock()
        return [
            entry
            for entry in self._log.entries
            if entry.state is DeviceState.WHITELISTED and entry.window_end > now
        ]
