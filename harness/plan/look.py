"""Tells plans from other YAML files at a glance: nothing is parsed, and nothing of ours is imported."""

from __future__ import annotations

import re
from pathlib import Path

_SCHEMA = re.compile(rb"^schema:[ \t]*['\"]?ppmid-bench/plan@", re.MULTILINE)
_LOOKED_AT_OCTETS = 4096


def is_plan(path: Path) -> bool:
    """Whether a file says that it is a plan, by its `schema:` line."""
    try:
        with path.open("rb") as file:
            return _SCHEMA.search(file.read(_LOOKED_AT_OCTETS)) is not None
    except OSError:
        return False
