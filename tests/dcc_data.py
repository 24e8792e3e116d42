"""Where the published DCC data (schema, RTDS vectors, test keys) is, if it is here at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_candidates = [
    Path(os.environ["PPMID_BENCH_DCC_DATA"]) if "PPMID_BENCH_DCC_DATA" in os.environ else None,
    Path(__file__).resolve().parents[2] / "shared" / "data" / "dcc",
]
DCC_DATA: Path | None = next((path for path in _candidates if path and path.is_dir()), None)


def dcc_data(*parts: str) -> Path:
    """Return a path inside the data, or skip the test when the data is not here."""
    if DCC_DATA is None:
        pytest.skip("no published DCC data here; set PPMID_BENCH_DCC_DATA to its folder")
    return DCC_DATA.joinpath(*parts)
