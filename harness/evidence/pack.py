"""The evidence pack: one folder that holds a run, written as it happens, with checksums over all of it.

``run.json`` says what ran and how it ended; ``cases/ID/`` holds each case's evidence, further attempts at it
in ``attempt-N/`` within; ``run.jsonl`` what happened between cases; ``SHA256SUMS`` (the format of sha256sum)
covers every file that is finished.
"""

from __future__ import annotations

import json
import platform
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.errors import ConfigError, HarnessBug, RigFault
from harness.evidence.junit import junit
from harness.evidence.layout import (
    CASES,
    FORMAT,
    JUNIT,
    RESULT,
    RUN,
    RUN_EVENTS,
    VERDICTS,
    case_folder,
    folder_name,
)
from harness.evidence.limits import Allowance, Limits
from harness.evidence.lines import write_lines
from harness.evidence.pcapng import read_psdus
from harness.evidence.readme import README, readme
from harness.evidence.recorder import CAPTURE, CaseRecorder
from harness.evidence.secrets import Policy, Secrets
from harness.evidence.sums import Sums, files_in, files_of, octets_of, write_whole
from harness.evidence.timeline import RunClock, Timeline
from harness.evidence.verdict import CaseResult
from harness.evidence.verdicts_csv import verdicts_csv
from harness.tap import Boundary

_VERSIONS = ("ppmid-bench", "bellows", "zigpy", "serialx", "pyserial", "cryptography", "crcmod", "PyYAML")
_LOST = 3  # exit code of a run whose evidence could not all be written
_TABLES_EVERY_S, _TABLES_SHARE = 1.0, 100  # while the run goes on; they take 1 % of it at most


class EvidencePack:
    """The pack of a run that is going on. Raises ConfigError for a folder that holds something else."""

    def __init__(self, folder: Path, *, limits: Limits | None = None, secrets: Policy = Policy.HAN) -> None:
        self.folder = folder
        refuse_taken(folder)
        (folder / CASES).mkdir(parents=True)
        self.clock = RunClock.start()
        self.secrets = Secrets(secrets)
        self._facts: dict[str, Any] = {"versions": versions(), "secrets": secrets.value}
        self._facts_json = self._encoded_facts()
        self._results: list[CaseResult] = []
        self._current: str | None = None
        self._attempt = 0
        self._attempts: Counter[str] = Counter()  # that have ended, by case
        self._recorder: CaseRecorder | None = None
        self._allowance = Allowance(limits)
        self._between = Timeline(
            folder / RUN_EVENTS, self.clock, allowance=self._allowance, secrets=self.secrets
        )
        self._sums = Sums(folder)
        self._cases_json: list[bytes] = []  # of `_results`, each encoded once
        self._tables_due_s = 0.0
        self._finished: dict[str, Any] = {}
        self.tap = RunTap(self)
        self._write_run()

    def describe(self, **facts: Any) -> None:
        """Say something of the run (plain json values): rig, plans, rulebook digest, who ran it."""
        self._refuse_finished()
        self._facts.update(facts)
        self._facts_json = self._encoded_facts()
        self._write_run()

    def begin_case(self, case_id: str, attempt: int = 1) -> CaseRecorder:
        """Begin an attempt at a case; what is recorded until `end_case` is its evidence.

        Raises HarnessBug when the pack is closed already, or this is not the next attempt at the case.
        """
        self._refuse_finished()
        if attempt != 1 + self._attempts[case_id]:
            raise HarnessBug(f"{attempt} is not the number of the next attempt at {case_id}")
        self._current, self._attempt = case_id, attempt
        self._write_run()  # first: a killed run's loose files are those of the case that it names
        self._recorder = CaseRecorder(
            case_folder(self.folder, case_id, attempt),
            self.clock,
            application=f"ppmid-bench {self._facts['versions']['ppmid-bench']}",
            allowance=self._allowance,
            secrets=self.secrets,
        )
        return self._recorder

    def end_case(self, result: CaseResult) -> None:
        """Close an attempt's evidence with its result.

        Raises RigFault when it could not all be written, HarnessBug when it is not the attempt that is going
        on: nothing may be said of what was not recorded.
        """
        self._refuse_finished()
        if (result.id, result.attempt) != (self._current, self._attempt):
            raise HarnessBug(f"attempt {result.attempt} at {result.id} has ended, and had not begun")
        told = self.secrets.text(json.dumps(result.as_json(), ensure_ascii=False))
        recorder, self._recorder, self._current = self._recorder, None, None
        self._results.append(result)
        self._attempts[result.id] += 1
        self._cases_json.append(octets_of(f"    {told}"))
        if recorder is not None:
            recorder.save(RESULT, f"{told}\n")
            recorder.close()
            recorder.note_verdicts(result.steps)
            self._sums.add(files_in(self.folder, recorder.folder))
            self._sums.write()  # before run.json says that the case has ended, for the same reason
        self._write_run()
        _raise_if_lost(recorder.failed if recorder is not None else None, self.folder)

    def finish(self, exit_code: int) -> None:
        """Close the pack: how the run ended, and checksums over everything. May be called twice.

        Raises RigFault, and says so in the pack, when what happened between cases could not all be written.
        """
        if self._finished:
            return
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None
        self._between.close()
        write_lines(self.folder / RUN_EVENTS)
        self._facts_json = self._encoded_facts()  # secrets that became known later are masked too
        self._finished = {
            "ended": _now(),
            "elapsed_s": round(self.clock.elapsed_s(), 3),
            "exit_code": exit_code if self._between.failed is None else _LOST,
        }
        self._write_run()
        write_whole(self.folder / README, readme(self._case_to_show()))
        try:
            self._write_report()
        finally:  # the pack is whole also without its report
            self._sums.add(files_of(self.folder))
            self._sums.write()
        _raise_if_lost(self._between.failed, self.folder)

    def _refuse_finished(self) -> None:
        if self._finished:
            raise HarnessBug(f"the pack in {self.folder} is closed: nothing more can be said in it")

    def _case_to_show(self) -> str | None:
        """Return the folder of the first case with anything on the air, of the first one if none has."""
        folders = list(dict.fromkeys(folder_name(result.id) for result in self._results))
        captures = ((name, self.folder / CASES / name / CAPTURE) for name in folders)
        heard = (name for name, path in captures if path.exists() and any(read_psdus(path)))
        return next(heard, folders[0] if folders else None)

    def _write_report(self) -> None:
        # A run that is refused, or killed, never needs it and what it is made with.
        from harness.evidence.report.page import write_report

        write_report(self.folder)

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
        }
        head = self.secrets.text(_json(run)).removesuffix("\n}\n")
        cases = b",\n".join(self._cases_json)
        inner = b"[\n%b\n  ]" % cases if cases else b"[]"
        told = (octets_of(head), self._facts_json, inner)
        write_whole(self.folder / RUN, b'%b,\n%b,\n  "cases": %b\n}\n' % told)
        if self._finished or self.clock.elapsed_s() >= self._tables_due_s:
            self._write_tables(began)

    def _encoded_facts(self) -> bytes:
        """Return the facts as they stand within ``run.json``, encoded once as they rarely change."""
        return octets_of(self.secrets.text(_json(self._facts)).removeprefix("{\n").removesuffix("\n}\n"))

    def _write_tables(self, began: datetime) -> None:
        start_s = self.clock.elapsed_s()
        told = junit(self._results, self._facts, began).decode()
        write_whole(self.folder / JUNIT, self.secrets.text(told))
        write_whole(self.folder / VERDICTS, self.secrets.text(verdicts_csv(self._results)))
        end_s = self.clock.elapsed_s()
        self._tables_due_s = end_s + max(_TABLES_EVERY_S, _TABLES_SHARE * (end_s - start_s))


def refuse_taken(folder: Path) -> None:
    """Raise ConfigError for a folder that a pack cannot go into."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(
            "an evidence pack goes into a new or an empty folder, and this is neither",
            file=folder,
            remedy="name another with --out",
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


def _raise_if_lost(failed: OSError | None, folder: Path) -> None:
    if failed is not None:
        raise RigFault(
            f"the evidence in {folder} could not be written: {failed.strerror or failed}",
            remedy="make room on its disk, or name another with --out, and run again",
        )


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
