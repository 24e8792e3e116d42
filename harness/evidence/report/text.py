"""Text from devices, made harmless to look at: what cannot be seen, or turns a line round, is spelt out."""

from __future__ import annotations

import re
from typing import Any

# Control characters, those that steer direction or join, separators of lines, surrogates, private use.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\uf8ff\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """Return text with everything that cannot be seen, or disturbs what can, spelt out by its number."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", text)


def all_visible(value: Any) -> Any:
    """Return plain json values with all text in them visible, keys included."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(key)): all_visible(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [all_visible(entry) for entry in value]
    return value


def shortened(text: str, longest: int) -> str:
    """Return text of at most so many characters, and how many there were when some were left out."""
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"
