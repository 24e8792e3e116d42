"""Scalars to base tau, in which a Koblitz curve's multiplication needs squarings in place of doublings.

The Frobenius map (x, y) -> (x^2, y^2) of a curve over GF(2) acts as a complex number tau with
tau^2 + 2 = mu tau. A scalar is reduced modulo (tau^m - 1) / (tau - 1), which maps every point of the
prime-order subgroup to infinity, and written in digits that are mostly zero (window tau-adic NAF).
Source: Solinas, "Efficient arithmetic on Koblitz curves" (2000); Guide to ECC §3.4.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TauNumber:
    """``integer + multiple * tau``."""

    integer: int
    multiple: int


@dataclass(frozen=True, slots=True)
class TauBase:
    """What the digits depend on: mu (1 or -1), the order of the subgroup, and m."""

    mu: int
    order: int
    degree: int

    def digits(self, scalar: int, width: int) -> list[int]:
        """Return the digits of a scalar, lowest first: 0, or odd and below 2^(width - 1) either way.

        A digit u stands for `digit_value(u, width)`, -u for its negative. Of `width` digits in a row, one
        at most is not 0. The scalar is taken modulo the subgroup's order.
        """
        return self.expand(self._reduced(scalar), width)

    def digit_value(self, digit: int, width: int) -> TauNumber:
        """Return the number that a positive digit stands for: the smallest that is u modulo tau^width."""
        divisor = TauNumber(1, 0)
        for _ in range(width):
            divisor = self._times_tau(divisor)
        return self._remainder(digit, divisor)

    def expand(self, number: TauNumber, width: int) -> list[int]:
        """Return the digits of any number, lowest first; with width 2 they are 0, 1 and -1, as they are."""
        values, tau_residue = _window(self, width)
        modulus, half = 1 << width, 1 << width - 1
        r0, r1 = number.integer, number.multiple
        digits = []
        while r0 or r1:
            digit = 0
            if r0 & 1:
                digit = (r0 + r1 * tau_residue) % modulus
                if digit >= half:
                    digit -= modulus
                value = values[abs(digit)]
                sign = 1 if digit > 0 else -1
                r0 -= sign * value.integer
                r1 -= sign * value.multiple
            digits.append(digit)
            # Division by tau: r0 is even now, and tau * (mu - tau) = 2.
            r0, r1 = r1 + self.mu * (r0 >> 1), -(r0 >> 1)
        return digits

    def _times_tau(self, number: TauNumber) -> TauNumber:
        return TauNumber(-2 * number.multiple, number.integer + self.mu * number.multiple)

    def _reduced(self, scalar: int) -> TauNumber:
        return self._remainder(scalar % self.order, _vanishing(self))

    def _remainder(self, scalar: int, divisor: TauNumber) -> TauNumber:
        """Return a small number congruent to the scalar modulo `divisor`: quotients go to the nearest."""
        d0, d1 = divisor.integer, divisor.multiple
        norm = d0 * d0 + self.mu * d0 * d1 + 2 * d1 * d1
        q0 = _nearest(scalar * (d0 + self.mu * d1), norm)
        q1 = _nearest(-scalar * d1, norm)
        return TauNumber(scalar - q0 * d0 + 2 * q1 * d1, -q0 * d1 - q1 * d0 - self.mu * q1 * d1)


def _nearest(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


@functools.cache
def _vanishing(base: TauBase) -> TauNumber:
    """Return (tau^m - 1) / (tau - 1), which is the sum of tau^i for i below m."""
    power, total = TauNumber(1, 0), TauNumber(0, 0)
    for _ in range(base.degree):
        total = TauNumber(total.integer + power.integer, total.multiple + power.multiple)
        power = base._times_tau(power)
    return total


@functools.cache
def _window(base: TauBase, width: int) -> tuple[dict[int, TauNumber], int]:
    """Return the value of each positive digit, and the even integer that tau is modulo tau^width."""
    values = {digit: base.digit_value(digit, width) for digit in range(1, 1 << width - 1, 2)}
    residues = range(0, 1 << width, 2)
    residue = next(t for t in residues if (t * t - base.mu * t + 2) % (1 << width) == 0)
    return values, residue
