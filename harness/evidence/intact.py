"""Whether a pack is what it was when it was written: held against its checksums, file by file.

A run that was killed leaves files without checksums: those of the case that was going on, and those that
change until the run ends. They are told apart from what somebody added.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.evidence.pack import CASES, JUNIT, RUN, RUN_EVENTS, folder_name
from harness.evidence.sums import digest, files_of, read_sums

_LIVE = {RUN, RUN_EVENTS, JUNIT}  # change until the run is finished
_HALF_WRITTEN = re.compile(r"(.*/)?\.[^/]+\.part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What `verify` found; names are relative to the pack. `unfinished` are a killed run's last files."""

    checked: int
    missing: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is missing, altered or added."""
        return not (self.missing or self.altered or self.added)


def verify(folder: Path) -> Findings:
    """Hold a pack against its checksums. Raises ConfigError when it is no pack."""
    run = read_run(folder)
    sums = read_sums(folder)
    finished = run.get("state") == "finished" and RUN in sums
    present = files_of(folder)
    loose = [name for name in present if name not in sums]
    current = run.get("current_case")
    live = {name for name in loose if not finished and _is_live(name, current)}
    return Findings(
        checked=len(sums),
        missing=tuple(name for name in sums if name not in present),
        altered=tuple(name for name in sums if name in present and digest(folder / name) != sums[name]),
        added=tuple(name for name in loose if name not in live),
        unfinished=tuple(sorted(live)),
    )


def read_run(folder: Path) -> dict[str, Any]:
    """Return a pack's ``run.json``. Raises ConfigError when it is no pack."""
    try:
        run = json.loads((folder / RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"no evidence pack: {RUN} cannot be read ({error})", file=folder) from None
    if not isinstance(run, dict):
        raise ConfigError(f"no evidence pack: {RUN} holds no mapping", file=folder)
    return run


def _is_live(name: str, current: str | None) -> bool:
    if name in _LIVE or _HALF_WRITTEN.fullmatch(name):
        return True
    return current is not None and name.startswith(f"{CASES}/{folder_name(current)}/")
