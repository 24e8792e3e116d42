"""What `dcc serve` says: a line an event on standard output, text or json, and documents in a folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from harness.cli.lines import LineWriter
from harness.tap import Boundary, Event, EventTap

_SHOWN = (Boundary.DUIS, Boundary.INVENTORY, Boundary.S1SP, Boundary.GBCS)


class ServiceLog(EventTap):
    """A tap that prints a line an event, and keeps documents in `folder` if there is one.

    A reader of the lines that is slow or stuck holds nobody up; see LineWriter.
    """

    def __init__(self, folder: Path | None, *, as_json: bool) -> None:
        self._folder = folder
        self._as_json = as_json
        self._number = 0
        self._lines = LineWriter(self._of_dropped)
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    @property
    def lost(self) -> int:
        """How many lines were dropped because nobody read them."""
        return self._lines.lost

    def say(self, what: str, text: str, **details: object) -> None:
        """Print a line of the service's own: `text`, or with json the event `what` and its details."""
        self._lines.write(json.dumps({"event": what, **details}) if self._as_json else text)

    def take(self, event: Event) -> None:
        """Print a line of what crossed a boundary."""
        if event.boundary not in _SHOWN:
            return
        kept = self._kept(event.data) if event.boundary is Boundary.DUIS and event.data else None
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        if not self._as_json:
            way = f"{event.source} > {event.destination}"
            self._lines.write(f"{now} {event.boundary.value:9} {way}: {event.summary}")
            return
        line = {
            "time": now,
            "boundary": event.boundary.value,
            "from": event.source,
            "to": event.destination,
            "summary": event.summary,
            "document": kept,
            **event.details,
        }
        self._lines.write(json.dumps({name: value for name, value in line.items() if value is not None}))

    def close(self) -> None:
        """Write what waits, if somebody reads."""
        self._lines.close()

    def _of_dropped(self, lines: int) -> str:
        if self._as_json:
            return json.dumps({"event": "dropped", "lines": lines})
        return f"{lines} line(s) dropped: nobody read them"

    def _kept(self, document: bytes) -> str | None:
        if self._folder is None:
            return None
        self._number += 1
        name = f"{self._number:06d}.xml"
        (self._folder / name).write_bytes(document)
        return name
