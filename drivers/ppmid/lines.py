r"""Lines of the reference test port: words, then ``key=value`` fields.

::

    evt joined seq=7 state=joined mode=SMETS2+
    err seq=8 code=bad-argument text="timeout \"soon\" is no number"

A value stands bare unless it is empty or holds a blank, ``"`` or ``\``; then it is quoted, with ``\"`` and
``\\`` for the two. Source: docs/port-your-console.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.errors import DecodeError

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_FIELD = re.compile(r'([a-z][a-z0-9-]*)=(?:"((?:[^"\\]|\\["\\])*)"|([^ "\\]+))')
_BARE = re.compile(r'[^ "\\]+')


@dataclass(frozen=True, slots=True)
class Line:
    """A line: one or two words (``ok``, ``evt joined``), and fields in their order."""

    words: tuple[str, ...]
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def verb(self) -> str:
        """The first word."""
        return self.words[0]

    def __str__(self) -> str:
        parts = (*self.words, *(f"{key}={_written(value)}" for key, value in self.fields.items()))
        return " ".join(parts)


def _written(value: str) -> str:
    if _BARE.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parse(text: str) -> Line:
    """Read a line. Raises DecodeError naming the place."""
    words: list[str] = []
    fields: dict[str, str] = {}
    position = 0
    while position < len(text):
        if text[position] == " ":
            position += 1
            continue
        found = _FIELD.match(text, position)
        word = _NAME.match(text, position)
        end = found.end() if found else word.end() if word else position
        if (end < len(text) and text[end] != " ") or end == position:
            raise DecodeError("line", f"neither a word nor key=value: {text[position:]!r}", offset=position)
        if found:
            key, quoted, bare = found.groups()
            if key in fields:
                raise DecodeError("line", f"`{key}` is given twice", offset=position)
            fields[key] = bare if quoted is None else re.sub(r'\\(["\\])', r"\1", quoted)
        elif fields:
            raise DecodeError("line", f"a word after the fields: {text[position:end]!r}", offset=position)
        else:
            words.append(text[position:end])
        position = end
    if not words:
        raise DecodeError("line", "begins with no word", offset=0)
    return Line(tuple(words), fields)
