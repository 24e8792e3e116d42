"""`harness` and `drivers` are names that other distributions may use too: refuse to run on theirs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import harness


def shadowed() -> str | None:
    """Return what is wrong when a package of these names is not ours, None when both are."""
    home = Path(__file__).parents[2]
    for name, places in (("harness", list(harness.__path__)), ("drivers", _places("drivers"))):
        if [Path(place).resolve() for place in places] != [(home / name).resolve()]:
            found = ", ".join(places) or "nowhere"
            return (
                f"the package `{name}` is found in {found}, not beside ours in {home}: another distribution"
                " shadows it; install ppmid-bench into an environment of its own"
            )
    return None


def _places(name: str) -> list[str]:
    spec = importlib.util.find_spec(name)
    return list(spec.submodule_search_locations or []) if spec is not None else []
