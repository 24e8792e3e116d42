"""The evidence pack: one folder that holds a run, written as it happens, with checksums over all of it.

``run.json`` says what ran and how it ended; ``cases/ID/`` holds each case's evidence, further attempts at it
in ``attempt-N/`` within; ``run.jsonl`` what happened between cases; ``SHA256SUMS`` (the format of sha256sum)
covers every file that is finished.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.errors import ConfigError
from harness.evidence.junit import junit
from harness.evidence.recorder import CaseRecorder, write_whole
from harness.evidence.timeline import RunClock, Timeline
from harness.evidence.verdict import CaseResult
from harness.tap import Boundary

FORMAT = "ppmid-bench/run@1"
RUN, RUN_EVENTS, JUNIT, SUMS, CASES = "run.json", "run.jsonl", "junit.xml", "SHA256SUMS", "cases"
_VERSIONS = ("ppmid-bench", "bellows", "zigpy", "serialx", "pyserial", "cryptography", "crcmod", "PyYAML")
_LIVE = {RUN, RUN_EVENTS, JUNIT}  # change until the run is finished


class EvidencePack:
    """The pack of a run that is going on. Raises ConfigError for a folder that holds something else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(
                "an evidence pack goes into a new or an empty folder, and this is neither",
                file=folder,
                remedy="name another with --out",
            )
        (folder / CASES).mkdir(parents=True)
        self.clock = RunClock.start()
        self._facts: dict[str, Any] = {"versions": versions()}
        self._results: list[CaseResult] = []
        self._current: str | None = None
        self._recorder: CaseRecorder | None = None
        self._between = Timeline(folder / RUN_EVENTS, self.clock)
        self._sums: dict[str, str] = {}
        self._finished: dict[str, Any] = {}
        self.tap = RunTap(self)
        self._write_run()

    def describe(self, **facts: Any) -> None:
        """Say something of the run (plain json values): rig, plans, rulebook digest, who ran it."""
        self._facts.update(facts)
        self._write_run()

    def begin_case(self, case_id: str, attempt: int = 1) -> CaseRecorder:
        """Begin an attempt at a case; what is recorded until `end_case` is its evidence."""
        self._current = case_id
        self._recorder = CaseRecorder(
            case_folder(self.folder, case_id, attempt),
            self.clock,
            application=f"ppmid-bench {self._facts['versions']['ppmid-bench']}",
        )
        self._write_run()
        return self._recorder

    def end_case(self, result: CaseResult) -> None:
        """Close an attempt's evidence with its result."""
        if self._recorder is not None:
            self._recorder.save("result.json", _json(result.as_json()))
            self._recorder.close()
        self._recorder = self._current = None
        self._results.append(result)
        self._write_run()
        self._write_sums(finished=False)

    def finish(self, exit_code: int) -> None:
        """Close the pack: how the run ended, and checksums over everything. May be called twice."""
        if self._finished:
            return
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None
        self._between.close()
        self._finished = {
            "ended": _now(),
            "elapsed_s": round(self.clock.elapsed_s(), 3),
            "exit_code": exit_code,
        }
        self._write_run()
        self._write_sums(finished=True)

    @property
    def results(self) -> tuple[CaseResult, ...]:
        """Every attempt so far, in order."""
        return tuple(self._results)

    def current_tap(self) -> CaseRecorder | Timeline:
        """Return where events go now."""
        return self._recorder or self._between

    def _write_run(self) -> None:
        began = datetime.fromtimestamp(self.clock.began_unix_s, UTC)
        run: dict[str, Any] = {
            "format": FORMAT,
            "state": "finished" if self._finished else "running",
            "began": began.isoformat(timespec="milliseconds"),
            **self._finished,
            "current_case": self._current,
            **self._facts,
            "cases": [result.as_json() for result in self._results],
        }
        write_whole(self.folder / RUN, _json(run))
        write_whole(self.folder / JUNIT, junit(self._results, self._facts, began))

    def _write_sums(self, *, finished: bool) -> None:
        for name in files_of(self.folder):
            open_yet = not finished and name in _LIVE
            if name not in self._sums and not open_yet:
                self._sums[name] = digest(self.folder / name)
        write_whole(
            self.folder / SUMS, "".join(f"{self._sums[name]}  {name}\n" for name in sorted(self._sums))
        )


@dataclass(frozen=True, slots=True)
class RunTap:
    """The run's Tap: hands each event to the case that is going on, or to the run's own timeline."""

    pack: EvidencePack

    def record(
        self,
        boundary: Boundary,
        source: str,
        destination: str,
        summary: str,
        data: bytes = b"",
        **details: object,
    ) -> None:
        """Stamp and store."""
        self.pack.current_tap().record(boundary, source, destination, summary, data, **details)


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
    try:
        run = json.loads((folder / RUN).read_text(encoding="utf-8"))
        assert isinstance(run, dict)
    except (OSError, ValueError, AssertionError) as error:
        raise ConfigError(f"no evidence pack: {RUN} cannot be read ({error})", file=folder) from None
    finished = run.get("state") == "finished"
    sums = _read_sums(folder)
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


def _is_live(name: str, current: str | None) -> bool:
    return name in _LIVE or (current is not None and name.startswith(f"{CASES}/{_folder_name(current)}/"))


def _read_sums(folder: Path) -> dict[str, str]:
    path = folder / SUMS
    if not path.exists():
        return {}
    sums: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        found = re.fullmatch(r"([0-9a-f]{64})  (.+)", line)
        if found is None:
            raise ConfigError("expected a SHA-256 and a name", file=path, line=number)
        sums[found[2]] = found[1]
    return sums


def case_folder(folder: Path, case_id: str, attempt: int = 1) -> Path:
    """Return where an attempt's evidence is."""
    first = folder / CASES / _folder_name(case_id)
    return first if attempt == 1 else first / f"attempt-{attempt}"


def _folder_name(case_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "_", case_id).lstrip(".") or "_"


def files_of(folder: Path) -> list[str]:
    """Return every file of a pack but its checksums, by name relative to the pack, in order."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in names if name != SUMS)


def digest(path: Path) -> str:
    """Return a file's SHA-256 as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions() -> dict[str, str]:
    """Return the versions of everything that a verdict may depend on."""
    found = {"python": platform.python_version(), "system": platform.platform()}
    for name in _VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
