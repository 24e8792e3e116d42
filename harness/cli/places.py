"""Where the bench's own rigs and plans are: beside the packages in a checkout, or where pip has put them."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import ConfigError

RIG = Path("rigs") / "virtual.yaml"
PLANS = Path("test_plans") / "mp202"
EVIDENCE = Path("evidence")


def own(name: Path) -> Path:
    """Return a file or folder that comes with the bench; raises ConfigError when it is not there."""
    homes = (Path(__file__).parents[2], Path(sys.prefix) / "share" / "ppmid-bench")
    for home in homes:
        if (home / name).exists():
            return home / name
    raise ConfigError(
        f"the bench's own {name} is neither in {homes[0]} nor in {homes[1]}", remedy="name another"
    )


def plans_or_own(plans: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the plans that were named, else those of MP202."""
    return plans or (own(PLANS),)


def rig_or_own(rig: Path | None) -> Path:
    """Return the rig that was named, else the virtual bench."""
    return rig or own(RIG)


def new_pack() -> Path:
    """Return a folder for a pack that is not there yet, named for this moment (UTC)."""
    stem = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, 1000))
    return next(EVIDENCE / name for name in names if not (EVIDENCE / name).exists())


def newest_pack() -> Path | None:
    """Return the pack that was begun last under `evidence`, None when there is none."""
    packs = [path.parent for path in EVIDENCE.glob("*/run.json")]
    return max(packs, key=lambda path: path.name, default=None)
