"""Reads a Central Products List from CSV.

No public sample of the published file exists, so which column holds what is a header map: the names below
unless the user gives others. Columns that nobody asked for are left alone.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from enum import Enum
from pathlib import Path
from typing import TypeVar

from harness.documents import load_yaml, nearest
from harness.errors import ConfigError
from harness.smets.cpl import Cpl, CplRow, CplStatus, DeviceModel, DeviceType, DuplicateRow, key_in_force
from harness.smets.rulebook import Rulebook
from harness.smets.version import read_version

HEADERS: Mapping[str, str] = {
    "manufacturer": "Manufacturer",
    "model": "Model",
    "hardware-version": "Hardware Version",  # where the file keeps it apart from the model
    "firmware": "Firmware Version",
    "type": "Device Type",
    "version": "SMETS/CHTS Version",
    "gbcs-version": "GBCS Version",
    "status": "Status",
    "added": "Date Added",
    "removed": "Date Removed",
    "image-hash": "Image Hash",
}
REQUIRED = ("manufacturer", "model", "firmware", "type", "version", "status")
_MOST_NAMED = 10
_LONGEST = 30  # characters of a manufacturer or a model in the SMI
_IMAGE_HASH = re.compile(r"^(?:[0-9A-Fa-f]{64})?$")
T = TypeVar("T")
E = TypeVar("E", bound=Enum)


def load_cpl(path: Path, rules: Rulebook, header_map: Mapping[str, str] | None = None) -> Cpl:
    """Read a list; `header_map` gives other names for columns of HEADERS.

    Raises ConfigError with file and line; where several values are wrong, the message names each.
    """
    return cpl_of(read_rows(path, rules, header_map), path, rules)


def cpl_of(rows: Iterable[CplRow], path: Path, rules: Rulebook) -> Cpl:
    """Return the list that these rows make; raises ConfigError for two of the same key."""
    try:
        return Cpl(rows, key_in_force(rules))
    except DuplicateRow as twice:
        fields = ", ".join(field.value for field in key_in_force(rules))
        raise ConfigError(
            f"the same key as line {twice.first.line}: {twice.second.model}, {twice.second.family.value}",
            file=path,
            line=twice.second.line,
            remedy=f"the key is {fields}",
        ) from None


def read_rows(path: Path, rules: Rulebook, header_map: Mapping[str, str] | None = None) -> list[CplRow]:
    """Read the rows of a list, whether or not they make one together; raises ConfigError as `load_cpl`."""
    return rows_of(text_of(path), path, rules, header_map)


def rows_of(
    text: str, path: Path, rules: Rulebook, header_map: Mapping[str, str] | None = None
) -> list[CplRow]:
    """Read the rows of a list's text; messages name `path`. Raises ConfigError as `load_cpl` does."""
    lines = _lines(text, path)
    if not lines:
        raise ConfigError("the file is empty", file=path, line=1, remedy="the first line names the columns")
    columns = _columns(lines[0][1], path, {**HEADERS, **_known(header_map or {}, path)})
    wrong: list[tuple[int, str]] = []
    rows: list[CplRow] = []
    for number, cells in lines[1:]:
        if len(cells) != len(lines[0][1]):
            wrong.append(
                (number, f"{len(cells)} values where the first line names {len(lines[0][1])} columns")
            )
            continue
        reader = _RowReader({name: cells[place].strip() for name, place in columns.items()}, rules)
        row = reader.row(number)
        wrong += ((number, problem) for problem in reader.problems)
        if row is not None:
            rows.append(row)
    if wrong:
        raise _error(wrong, path)
    return rows


def load_header_map(path: Path | None) -> Mapping[str, str] | None:
    """Read a header map, a YAML file of our names to the list's; raises ConfigError."""
    if path is None:
        return None
    return {key: str(value) for key, value in load_yaml(path).plain().items()}


def text_of(path: Path) -> str:
    """Return what is in a list's file; raises ConfigError."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError("no such file", file=path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", file=path) from None


def csv_of(cpl: Cpl) -> str:
    """Return a list as CSV, under the names of HEADERS, which `load_cpl` reads back the same."""
    text = io.StringIO()
    names = [name for name in HEADERS if name != "hardware-version"]  # it is part of the model here
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADERS[name] for name in names)
    for row in cpl.rows:
        cells = {
            "manufacturer": row.model.manufacturer,
            "model": row.model.model,
            "firmware": row.model.firmware,
            "type": row.model.device_type.value,
            "version": row.version,
            "gbcs-version": row.gbcs_version,
            "status": row.status.value,
            "added": row.added.isoformat() if row.added else "",
            "removed": row.removed.isoformat() if row.removed else "",
            "image-hash": row.image_hash,
        }
        writer.writerow(cells[name] for name in names)
    return text.getvalue()


def _lines(text: str, path: Path) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise ConfigError(f"not CSV: {error}", file=path, line=reader.line_num) from None


def _known(header_map: Mapping[str, str], path: Path) -> Mapping[str, str]:
    for name in header_map:
        if name not in HEADERS:
            raise ConfigError(f"the header map names `{name}`", file=path, remedy=nearest(name, HEADERS))
    return header_map


def _columns(header: list[str], path: Path, names: Mapping[str, str]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, title in enumerate(map(_plain, header)):
        if title and title in places:
            raise ConfigError(f"column `{header[place].strip()}` is there twice", file=path, line=1)
        places[title] = place
    for name in REQUIRED:
        if _plain(names[name]) not in places:
            close = difflib.get_close_matches(_plain(names[name]), list(places), n=1)
            hint = f"did you mean its column `{close[0]}`?" if close else "map it to one of its columns"
            raise ConfigError(f"no column `{names[name]}`", file=path, line=1, remedy=hint)
    return {name: places[_plain(title)] for name, title in names.items() if _plain(title) in places}


def _plain(title: str) -> str:
    return " ".join(title.split()).casefold()


class _RowReader:
    """Reads one row and collects what is wrong with it."""

    def __init__(self, cells: Mapping[str, str], rules: Rulebook) -> None:
        self._cells = cells
        self._rules = rules
        self.problems: list[str] = []

    def row(self, line: int) -> CplRow | None:
        """Return the row, or None when something is wrong with it."""
        manufacturer = self._text("manufacturer", _LONGEST)
        model = self._text("model", _LONGEST - len(self._cells.get("hardware-version", "")))
        model += self._cells.get("hardware-version", "")
        firmware = self._text("firmware", 8)
        device_type = self._member("type", DeviceType)
        status = self._member("status", CplStatus)
        version = self._text("version", 20)
        family = read_version(version, self._rules).family
        if version and family is None:
            self._wrong("version", "one that a VERSION- rule of the rulebook knows")
        added, removed = self._date("added"), self._date("removed")
        image_hash = self._cells.get("image-hash", "")
        if not _IMAGE_HASH.match(image_hash):
            self._wrong("image-hash", "64 hex digits or nothing")
        if self.problems or device_type is None or status is None or family is None:
            return None
        return CplRow(
            model=DeviceModel(
                manufacturer=manufacturer, model=model, device_type=device_type, firmware=firmware
            ),
            version=version,
            family=family,
            gbcs_version=self._cells.get("gbcs-version", ""),
            status=status,
            added=added,
            removed=removed,
            image_hash=image_hash,
            line=line,
        )

    def _text(self, name: str, longest: int) -> str:
        text = self._cells[name]
        if not 1 <= len(text) <= longest:
            self._wrong(name, f"1 to {longest} characters")
        return text

    def _member(self, name: str, kind: type[E]) -> E | None:
        wanted = ", ".join(f"`{member.value}`" for member in kind)
        return self._parsed(name, kind, f"one of {wanted}")

    def _date(self, name: str) -> date | None:
        if not self._cells.get(name):
            return None
        return self._parsed(name, date.fromisoformat, "a date such as 2024-11-02")

    def _parsed(self, name: str, parse: Callable[[str], T], wanted: str) -> T | None:
        try:
            return parse(self._cells[name])
        except ValueError:
            self._wrong(name, wanted)
            return None

    def _wrong(self, name: str, wanted: str) -> None:
        self.problems.append(f"{HEADERS[name]} must be {wanted}, found {self._cells[name]!r}")


def _error(wrong: list[tuple[int, str]], path: Path) -> ConfigError:
    (first, message), *rest = wrong
    named = [message, *(f"line {number}: {problem}" for number, problem in rest[: _MOST_NAMED - 1])]
    if len(rest) >= _MOST_NAMED:
        named.append(f"and {len(rest) - _MOST_NAMED + 1} more")
    return ConfigError("; ".join(named), file=path, line=first)
