"""``SHA256SUMS``: checksums over every finished file of a pack, in the format of sha256sum.

A name that sha256sum would have to escape does not occur: file names of a pack have no line ends.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from harness.errors import ConfigError

SUMS, SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"


class Sums:
    """The checksums of a pack that is being written; each file is read once, when it is finished."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, str] = {}

    def add(self, names: Iterable[str]) -> None:
        """Take in files that will not change any more; those that are known already are passed over."""
        for name in names:
            if name not in self._known:
                self._known[name] = digest(self._folder / name)

    def write(self) -> None:
        """Write the file."""
        lines = (f"{self._known[name]}  {name}\n" for name in sorted(self._known))
        write_whole(self._folder / SUMS, "".join(lines))


def read_sums(folder: Path) -> dict[str, str]:
    """Return name to SHA-256 of a pack, empty when it has no checksums yet. Raises ConfigError."""
    path = folder / SUMS
    if not path.exists():
        return {}
    sums: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        found = re.fullmatch(r"([0-9a-f]{64})  (.+)", line)
        if found is None:
            raise ConfigError("expected a SHA-256 and a name", file=path, line=number)
        sums[found[2]] = found[1]
    return sums


def files_of(folder: Path) -> list[str]:
    """Return every file of a pack but checksums and signature, by name relative to the pack, in order."""
    return [name for name in files_in(folder, folder) if name not in (SUMS, SIGNATURE)]


def files_in(folder: Path, part: Path) -> list[str]:
    """Return the files of a part of a pack, by name relative to the pack, in order."""
    return sorted(path.relative_to(folder).as_posix() for path in part.rglob("*") if path.is_file())


def digest(path: Path) -> str:
    """Return a file's SHA-256 as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def octets_of(text: str) -> bytes:
    """Return text in UTF-8; halves of surrogate pairs, which it cannot hold, are spelt out and json still."""
    return text.encode("utf-8", "backslashreplace")


def write_whole(path: Path, content: bytes | str) -> Path:
    """Write a file beside its place and move it there, so that nobody ever reads half of it."""
    octets = octets_of(content) if isinstance(content, str) else content
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(octets)
    return beside.replace(path)
