"""How long a multiple takes on the curves of key establishment, against double-and-add in the same run.

Run it with ``python -m tests.benchmarks.cbke``.
"""

from __future__ import annotations

import random
import time

from harness.zigbee.cbke.curves import SECT163K1, SECT283K1, Curve, Point

ROUNDS = 20


def double_and_add(curve: Curve, scalar: int, point: Point) -> Point | None:
    """The textbook way, in affine coordinates."""
    total: Point | None = None
    for bit in f"{scalar:b}":
        total = curve.add(total, total)
        if bit == "1":
            total = curve.add(total, point)
    return total


def measure(curve: Curve, rounds: int = ROUNDS) -> tuple[float, float]:
    """Return seconds a multiple, ours and the textbook's, of points not seen before."""
    rng = random.Random(1)
    cases = []
    for _ in range(rounds):
        point = curve.multiply(rng.randrange(1, curve.order), curve.generator)
        assert point is not None
        cases.append((rng.randrange(1, curve.order), point))
    took = []
    for way in (curve.multiply, lambda scalar, point: double_and_add(curve, scalar, point)):
        began = time.perf_counter()
        results = [way(scalar, point) for scalar, point in cases]
        took.append((time.perf_counter() - began) / rounds)
        assert results == [curve.multiply(scalar, point) for scalar, point in cases]
    return took[0], took[1]


def main() -> None:
    """Print a line a curve."""
    for curve in (SECT163K1, SECT283K1):
        ours, textbook = measure(curve)
        times = f"{ours * 1e3:.2f} ms, double-and-add {textbook * 1e3:.1f} ms"
        print(f"{curve.name}: {times}, {textbook / ours:.1f} times")


if __name__ == "__main__":
    main()
