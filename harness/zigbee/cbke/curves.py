"""The Koblitz curves sect163k1 and sect283k1: points, their octets, and multiples of them.

y^2 + xy = x^3 + ax^2 + 1 over GF(2^m); a point is affine, None is the point at infinity. A multiple takes a
window of tau-adic digits and López-Dahab coordinates. Not constant time: the time taken depends on
the scalar. Source: SEC 2 v1 §3.2.1, §3.6.1; SEC 1 v2 §2.3.3; Guide to ECC §3.2.3, §3.4.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass

from harness.errors import DecodeError
from harness.zigbee.cbke.field import GF_2_163, GF_2_283, BinaryField
from harness.zigbee.cbke.tau import TauBase

_WIDTH = 5
_Projective = tuple[int, int, int]  # x = X / Z, y = Y / Z^2; Z = 0 is infinity
_INFINITY: _Projective = (1, 0, 0)


@dataclass(frozen=True, slots=True)
class Point:
    """An affine point; its coordinates are field elements."""

    x: int
    y: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A Koblitz curve: `a` is 0 or 1, `order` (prime) that of the generator, `cofactor` 2 or 4."""

    name: str
    field: BinaryField
    a: int
    order: int
    cofactor: int
    generator: Point

    # --- octets -----------------------------------------------------------------------------------------

    @property
    def point_octets(self) -> int:
        """How long a compressed point is: 22 or 37 octets."""
        return 1 + self.field.octets

    @property
    def scalar_octets(self) -> int:
        """How long a private key is: 21 or 36 octets."""
        return self.field.octets

    def encode(self, point: Point) -> bytes:
        """Return a point compressed: 02 or 03, then x. Raises ValueError for one that has no such form."""
        if point.x == 0:
            raise ValueError("a point with x = 0 does not compress")
        parity = self.field.multiply(point.y, self.field.invert(point.x)) & 1
        return bytes([2 | parity]) + point.x.to_bytes(self.field.octets, "big")

    def decode(self, octets: bytes, what: str = "point") -> Point:
        """Read a compressed point of the prime-order subgroup; `what` names it in messages.

        Raises DecodeError for a wrong length, a form other than compressed, an x that is on no point, and a
        point outside the subgroup.
        """
        if len(octets) != self.point_octets:
            raise DecodeError(what, f"has {len(octets)} octets, {self.name} needs {self.point_octets}")
        if octets[0] not in (2, 3):
            raise DecodeError(what, f"begins with 0x{octets[0]:02X}, compressed ones with 02 or 03", offset=0)
        field, x = self.field, int.from_bytes(octets[1:], "big")
        if x == 0 or not field.contains(x):
            raise DecodeError(what, f"x is no field element of {self.name}, or 0", offset=1)
        right = x ^ self.a ^ field.square(field.invert(x))
        if field.trace(right):
            raise DecodeError(what, f"x belongs to no point of {self.name}", offset=1)
        slope = field.half_trace(right)
        if slope & 1 != octets[0] & 1:
            slope ^= 1
        point = Point(x, field.multiply(x, slope))
        if not self._in_subgroup(point):
            raise DecodeError(what, f"is not in the prime-order subgroup of {self.name}")
        return point

    def is_valid(self, point: Point) -> bool:
        """Return whether a point is on the curve and in the prime-order subgroup."""
        field = self.field
        if not (field.contains(point.x) and field.contains(point.y)):
            return False
        square = field.square(point.x)
        left = field.square(point.y) ^ field.multiply(point.x, point.y)
        right = field.multiply(square, point.x) ^ self.a * square ^ 1
        return left == right and self._in_subgroup(point)

    def _in_subgroup(self, point: Point) -> bool:
        """Return whether a point of the curve is `cofactor` times another.

        Multiplying by the order would tell nothing: to base tau that scalar is 0 whatever the point. The
        group is cyclic at 2, so being divisible by the cofactor is being in the subgroup; a point is
        twice another when its x has the trace of `a`, and the half's x is known up to its square.
        """
        field, wanted = self.field, self.a
        if point.x == 0 or field.trace(point.x) != wanted:
            return False
        if self.cofactor == 2:
            return True
        slope = field.half_trace(point.x ^ self.a)
        return field.trace(field.multiply(point.x, slope ^ 1) ^ point.y) == wanted

    # --- the group --------------------------------------------------------------------------------------

    def negate(self, point: Point | None) -> Point | None:
        """Return minus a point."""
        return None if point is None else Point(point.x, point.x ^ point.y)

    def add(self, left: Point | None, right: Point | None) -> Point | None:
        """Return the sum of two points."""
        if left is None or right is None:
            return right if left is None else left
        return self._affine([self._mixed((left.x, left.y, 1), right.x, right.y)])[0]

    def multiply(self, scalar: int, point: Point) -> Point | None:
        """Return `scalar` times a point, which must be in the prime-order subgroup (see `decode`)."""
        square = self.field.square
        total = _INFINITY
        multiples = _odd_multiples(self, point)
        for digit in reversed(_tau(self).digits(scalar, _WIDTH)):
            x, y, z = total
            total = (square(x), square(y), square(z))
            if digit:
                x, y = multiples[abs(digit)]
                total = self._mixed(total, x, y if digit > 0 else x ^ y)
        return self._affine([total])[0]

    def _mixed(self, left: _Projective, x2: int, y2: int) -> _Projective:
        """Return the sum of a projective and an affine point."""
        x1, y1, z1 = left
        if z1 == 0:
            return x2, y2, 1
        multiply, square = self.field.multiply, self.field.square
        z1_squared = square(z1)
        a = y1 ^ multiply(y2, z1_squared)
        b = x1 ^ multiply(x2, z1)
        if b == 0:
            return self._double(x2, y2) if a == 0 else _INFINITY
        c = multiply(z1, b)
        z3 = square(c)
        e = multiply(a, c)
        x3 = multiply(square(b), c ^ z1_squared if self.a else c) ^ square(a) ^ e
        f = x3 ^ multiply(x2, z3)
        y3 = multiply(e ^ z3, f) ^ multiply(x2 ^ y2, square(z3))
        return x3, y3, z3

    def _double(self, x: int, y: int) -> _Projective:
        square = self.field.square
        z3 = square(x)
        x3 = square(z3) ^ 1
        return x3, z3 ^ self.field.multiply(x3, self.a * z3 ^ square(y) ^ 1), z3

    def _affine(self, points: Iterable[_Projective]) -> list[Point | None]:
        every = list(points)
        field = self.field
        inverses = iter(field.invert_all([z for _, _, z in every if z]))
        affine: list[Point | None] = []
        for x, y, z in every:
            if z == 0:
                affine.append(None)
                continue
            inverse = next(inverses)
            affine.append(Point(field.multiply(x, inverse), field.multiply(y, field.square(inverse))))
        return affine


@functools.cache
def _tau(curve: Curve) -> TauBase:
    return TauBase(1 if curve.a else -1, curve.order, curve.field.degree)


@functools.lru_cache(maxsize=32)
def _odd_multiples(curve: Curve, point: Point) -> dict[int, tuple[int, int]]:
    """Return what each positive digit of the window makes of a point, as (x, y)."""
    base, square = _tau(curve), curve.field.square
    digits = range(1, 1 << _WIDTH - 1, 2)
    sums = []
    for digit in digits:
        total, x, y = _INFINITY, point.x, point.y
        for sign in base.expand(base.digit_value(digit, _WIDTH), 2):
            if sign:
                total = curve._mixed(total, x, y if sign > 0 else x ^ y)
            x, y = square(x), square(y)
        sums.append(total)
    affine = curve._affine(sums)
    return {digit: (at.x, at.y) for digit, at in zip(digits, affine, strict=True) if at is not None}


SECT163K1 = Curve(
    name="sect163k1",
    field=GF_2_163,
    a=1,
    order=0x04000000000000000000020108A2E0CC0D99F8A5EF,
    cofactor=2,
    generator=Point(
        0x02FE13C0537BBC11ACAA07D793DE4E6D5E5C94EEE8, 0x0289070FB05D38FF58321F2E800536D538CCDAA3D9
    ),
)
SECT283K1 = Curve(
    name="sect283k1",
    field=GF_2_283,
    a=0,
    order=0x01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFE9AE2ED07577265DFF7F94451E061E163C61,
    cofactor=4,
    generator=Point(
        0x0503213F78CA44883F1A3B8162F188E553CD265F23C1567A16876913B0C2AC2458492836,
        0x01CCDA380F1C9E318D90F95D07E5426FE87E45C0E8184698E45962364E34116177DD2259,
    ),
)
