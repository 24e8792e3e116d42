"""One attempt at a case as plain data: its events for the diagram, the SMI before and after, its files."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import DecodeError
from harness.evidence.recorder import TIMELINE, WIRESHARK_KEYS
from harness.evidence.report.events import EventReader
from harness.evidence.report.parties import Parties, lanes
from harness.evidence.report.text import all_visible
from harness.evidence.timeline import Event, read_timeline

FIRST_EVENTS, LAST_EVENTS = 1500, 500
"""A longer case is cut in the middle: how it began and how it ended decide."""

_BEFORE, _AFTER = "inventory-before.json", "inventory-after.json"


def case_view(folder: Path, parties: Parties) -> dict[str, Any]:
    """Return what a report shows of the attempt in `folder`; what is missing or broken there is left out."""
    reader = EventReader(parties, read_keys(folder))
    notes: list[str] = []
    events = [
        event if isinstance(event, dict) else reader.read(event)
        for event in _cut(_events(folder / TIMELINE, notes))
    ]
    used = {lane for event in events for lane in (event.get("from"), event.get("to")) if lane}
    around = {
        "lanes": lanes(used, parties),
        "smi": inventory_difference(_records(folder / _BEFORE), _records(folder / _AFTER)),
        "files": _files(folder),
        "notes": notes,
    }
    return {**all_visible(around), "events": events}


def read_keys(folder: Path) -> Mapping[str, Any]:
    """Return a case's keys, none when they cannot be read."""
    found = _json(folder / WIRESHARK_KEYS)
    return found if isinstance(found, dict) else {}


def _events(path: Path, notes: list[str]) -> Iterator[Event]:
    try:
        yield from read_timeline(path)
    except OSError as error:
        notes.append(f"{path.name} cannot be read: {error.strerror}")
    except DecodeError as error:
        notes.append(f"{path.name} cannot be read further: {error}")


def _cut(events: Iterable[Event]) -> Iterator[Event | dict[str, Any]]:
    """Yield the first and the last events, and between them how many were left out."""
    last: deque[Event] = deque(maxlen=LAST_EVENTS)
    count = 0
    for count, event in enumerate(events, start=1):
        if count <= FIRST_EVENTS:
            yield event
        else:
            last.append(event)
    if (missing := count - FIRST_EVENTS - len(last)) > 0:
        yield {"gap": missing, "n": last[0].number - missing}
    yield from last


def inventory_difference(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return what became of each device in the SMI: ``added``, ``removed``, ``changed`` or ``same``."""
    old = {str(record.get("DeviceID")): record for record in before}
    new = {str(record.get("DeviceID")): record for record in after}
    found: list[dict[str, Any]] = []
    for device in dict.fromkeys((*old, *new)):
        was, became = old.get(device, {}), new.get(device, {})
        fields = [
            [name, was.get(name), became.get(name)]
            for name in dict.fromkeys((*was, *became))
            if name != "DeviceID"
        ]
        state = "added" if not was else "removed" if not became else "changed" if was != became else "same"
        found.append({"device": device, "state": state, "fields": fields})
    return found


def _records(path: Path) -> list[Mapping[str, Any]]:
    found = _json(path)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _files(folder: Path) -> list[list[Any]]:
    found: list[list[Any]] = []
    pending = [(folder, "")]
    while pending:
        inside, before = pending.pop()
        with os.scandir(inside) as entries:
            for entry in entries:
                if not entry.is_dir():
                    found.append([before + entry.name, entry.stat().st_size])
                elif before or not entry.name.startswith("attempt-"):
                    pending.append((Path(entry.path), f"{before}{entry.name}/"))
    return sorted(found)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
