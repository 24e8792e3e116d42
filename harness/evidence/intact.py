"""Whether a pack is what it was when it was written: held against its checksums, file by file.

A run that was killed leaves files without checksums: those of the case that was going on, and those that
change until the run ends. They are told apart from what somebody added.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.evidence.layout import CASES, JUNIT, REPORT, RUN, RUN_EVENTS, VERDICTS, folder_name
from harness.evidence.lines import TIMELINES, Change, changes, lines_of
from harness.evidence.readme import README
from harness.evidence.signature import CheckingKey, signature_holds
from harness.evidence.sums import SIGNATURE, digest, files_of, read_sums

# Change until the run is finished, or are only made then.
_LIVE = {RUN, RUN_EVENTS, JUNIT, lines_of(Path(RUN_EVENTS)).name, VERDICTS, REPORT, README}
_HALF_WRITTEN = re.compile(r"(.*/)?\.[^/]+\.part")


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What `verify` found; names are relative to the pack. `unfinished` are a killed run's last files.

    `lines` says of an altered timeline which lines are not as they were. `signature` is None when no key was
    given to check it with, and says then nothing for or against the pack; `signed` is whether there is one.
    """

    checked: int
    missing: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    lines: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    signed: bool = False
    signature: bool | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing is missing, altered or added, and the signature holds if it was checked."""
        return not (self.missing or self.altered or self.added) and self.signature is not False


def verify(folder: Path, key: CheckingKey | None = None) -> Findings:
    """Hold a pack against its checksums and, with a key, its signature. Raises ConfigError for no pack."""
    run = read_run(folder)
    sums = read_sums(folder)
    finished = run.get("state") == "finished" and RUN in sums
    present = files_of(folder)
    loose = [name for name in present if name not in sums]
    current = run.get("current_case")
    live = {name for name in loose if not finished and _is_live(name, current)}
    altered = tuple(name for name in sums if name in present and digest(folder / name) != sums[name])
    return Findings(
        checked=len(sums),
        missing=tuple(name for name in sums if name not in present),
        altered=altered,
        added=tuple(name for name in loose if name not in live),
        unfinished=tuple(sorted(live)),
        lines={name: changes(folder / name) for name in altered if _has_lines(folder, name, sums, altered)},
        signed=(folder / SIGNATURE).is_file(),
        signature=signature_holds(folder, key) if key is not None else None,
    )


def _has_lines(folder: Path, name: str, sums: Mapping[str, str], altered: Container[str]) -> bool:
    """Say whether a timeline's digests of lines are there and as they were."""
    beside = lines_of(Path(name)).as_posix()
    return (
        name.endswith(TIMELINES) and beside in sums and beside not in altered and (folder / beside).is_file()
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
