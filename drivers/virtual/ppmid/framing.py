"""Frames and lines of the test port, device side.

Written apart from the host's (`drivers.ppmid`), another way and without its library, so that an error in
either shows. Source: docs/port-your-console.md.
"""

from __future__ import annotations

from collections.abc import Iterator

LONGEST_LINE = 512

_FLAG = b"\x7e"
_ESCAPE = b"\x7d"
_GOOD_FCS = 0xF0B8  # what the register holds after a frame and its own FCS, ISO/IEC 13239


class BadLine(ValueError):
    """A frame was good, its line is not."""


def _register(octets: bytes) -> int:
    register = 0xFFFF
    for octet in octets:
        register ^= octet
        for _ in range(8):
            register = register >> 1 ^ (0x8408 if register & 1 else 0)
    return register


def frame(line: str) -> bytes:
    """Return a line's frame; characters that a frame may not carry are replaced, a long line is cut."""
    shown = "".join(character if " " <= character <= "~" else "?" for character in line)[:LONGEST_LINE]
    content = shown.encode("ascii")
    fcs = _register(content) ^ 0xFFFF
    content += bytes([fcs & 0xFF, fcs >> 8])
    content = content.replace(_ESCAPE, b"\x7d\x5d").replace(_FLAG, b"\x7d\x5e")
    return _FLAG + content + _FLAG


class Deframer:
    """Finds good frames in a stream of octets; bad ones are dropped in silence."""

    def __init__(self) -> None:
        self._waiting: bytes | None = None  # None: no flag yet

    def feed(self, octets: bytes) -> Iterator[str]:
        """Take octets and yield the lines of the frames that they complete."""
        first, *rest = octets.split(_FLAG)
        if self._waiting is not None:
            self._waiting += first
        for piece in rest:
            line = _opened(self._waiting or b"")
            self._waiting = piece
            if line is not None:
                yield line
        if self._waiting is not None and len(self._waiting) > 2 * (LONGEST_LINE + 2):
            self._waiting = None  # wait for the next flag


def _opened(stuffed: bytes) -> str | None:
    pieces = stuffed.split(_ESCAPE)
    if any(not piece for piece in pieces[1:]):
        return None  # an escape before a flag or another escape
    content = pieces[0] + b"".join(bytes([piece[0] ^ 0x20]) + piece[1:] for piece in pieces[1:])
    if not 3 <= len(content) <= LONGEST_LINE + 2 or _register(content) != _GOOD_FCS:
        return None
    line = content[:-2]
    return line.decode("ascii") if all(0x20 <= octet <= 0x7E for octet in line) else None


def write_line(*words: str, **fields: str | int) -> str:
    """Return a line; underscores in the names of fields go as hyphens."""
    parts = list(words)
    for key, value in fields.items():
        text = str(value)
        if not text or any(character in ' "\\' for character in text):
            text = '"' + "".join("\\" + each if each in '"\\' else each for each in text) + '"'
        parts.append(f"{key.replace('_', '-')}={text}")
    return " ".join(parts)


def read_line(line: str) -> tuple[str, dict[str, str]]:
    """Return a command's verb and fields. Raises BadLine."""
    verb, *rest = _tokens(line)
    if "=" in verb:
        raise BadLine("a line begins with a verb")
    fields: dict[str, str] = {}
    for token in rest:
        key, equals, value = token.partition("=")
        if not equals or not key:
            raise BadLine(f"not key=value: {token}")
        if key in fields:
            raise BadLine(f"{key} is given twice")
        fields[key] = value
    return verb, fields


def _tokens(line: str) -> list[str]:
    tokens: list[str] = []
    token, quoted, escaped, begun = "", False, False, False
    for character in line:
        if escaped:
            token, escaped = token + character, False
        elif quoted and character == "\\":
            escaped = True
        elif character == '"':
            quoted, begun = not quoted, True
        elif character == " " and not quoted:
            if begun:
                tokens.append(token)
            token, begun = "", False
        else:
            token, begun = token + character, True
    if quoted or escaped:
        raise BadLine("a quote is not closed")
    if begun:
        tokens.append(token)
    if not tokens:
        raise BadLine("an empty line")
    return tokens
