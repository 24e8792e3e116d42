"""Arithmetic in GF(2^163) and GF(2^283): polynomials over GF(2), as the bits of an int.

Addition is ``^``. Not constant time. Source: SEC 2 v1 §3.2, §3.6 (reduction polynomials); FIPS 186-4 D.1.3.
"""

from __future__ import annotations

from collections.abc import Sequence

_NIBBLES = bytes("0123456789abcdef".find(chr(code)) & 15 for code in range(256))


class BinaryField:
    """GF(2^m) modulo the pentanomial x^m + x^taps[0] + x^taps[1] + x^taps[2] + 1, for odd m.

    Elements are ints of at most m bits; every method takes and returns reduced ones.
    """

    __slots__ = ("_mask", "_modulus", "_taps", "_trace_bits", "degree", "octets")

    def __init__(self, degree: int, taps: tuple[int, int, int]) -> None:
        """Take m and the three middle exponents, highest first."""
        self.degree = degree
        self.octets = (degree + 7) // 8
        self._taps = taps
        self._mask = (1 << degree) - 1
        self._modulus = 1 << degree | 1 | sum(1 << tap for tap in taps)
        self._trace_bits = _trace_bits(degree, self._modulus)

    def contains(self, value: int) -> bool:
        """Return whether the int is an element."""
        return 0 <= value <= self._mask

    def reduce(self, product: int) -> int:
        """Return a polynomial of degree 2m - 2 at most, reduced."""
        degree, mask = self.degree, self._mask
        first, second, third = self._taps
        high = product >> degree
        product = product & mask ^ high ^ high << first ^ high << second ^ high << third
        # The taps are low, so what is still too high is a few bits, and their multiples fit.
        high = product >> degree
        return product & mask ^ high ^ high << first ^ high << second ^ high << third

    def multiply(self, left: int, right: int) -> int:
        """Return the product."""
        # Schoolbook with windows of 4 bits: all multiples by a nibble once, then one step a nibble.
        left2, left4, left8 = left << 1, left << 2, left << 3
        left3, left6, left12 = left2 ^ left, left4 ^ left2, left8 ^ left4
        multiples = (
            *(0, left, left2, left3, left4, left4 ^ left, left6, left6 ^ left),
            *(left8, left8 ^ left, left8 ^ left2, left8 ^ left3),
            *(left12, left12 ^ left, left12 ^ left2, left12 ^ left3),
        )
        product = 0
        for nibble in f"{right:x}".encode().translate(_NIBBLES):
            product = product << 4 ^ multiples[nibble]
        return self.reduce(product)

    def square(self, value: int) -> int:
        """Return the square."""
        # Squaring puts a zero between any two bits: the binary digits, read to base 4.
        return self.reduce(int(f"{value:b}", 4))

    def invert(self, value: int) -> int:
        """Return the inverse. Raises ZeroDivisionError for 0."""
        if value == 0:
            raise ZeroDivisionError("0 has no inverse")
        # Euclid on polynomials; a * value = u and b * value = v hold throughout, modulo the pentanomial.
        u, v, a, b = value, self._modulus, 1, 0
        while u != 1:
            shift = u.bit_length() - v.bit_length()
            if shift < 0:
                u, v, a, b, shift = v, u, b, a, -shift
            u ^= v << shift
            a ^= b << shift
        return self.reduce(a)

    def invert_all(self, values: Sequence[int]) -> list[int]:
        """Return the inverses, for the price of one and some products. Raises ZeroDivisionError."""
        products = [1]
        for value in values:
            products.append(self.multiply(products[-1], value))
        inverse = self.invert(products[-1])
        inverses = []
        for value, product in zip(reversed(values), reversed(products[:-1]), strict=True):
            inverses.append(self.multiply(inverse, product))
            inverse = self.multiply(inverse, value)
        return inverses[::-1]

    def trace(self, value: int) -> int:
        """Return the trace, 0 or 1: z^2 + z = value has a solution when it is 0."""
        return (value & self._trace_bits).bit_count() & 1

    def half_trace(self, value: int) -> int:
        """Return a solution z of z^2 + z = value, whose trace must be 0; the other is z + 1."""
        total = value
        for _ in range(self.degree // 2):
            total = self.square(self.square(total)) ^ value
        return total


def _trace_bits(degree: int, modulus: int) -> int:
    """Return the powers of x, as bits, whose trace is 1.

    The trace of x^k is the k-th power sum of the modulus's roots, which Newton's identities give.
    """
    sums = [degree & 1]
    for k in range(1, degree):
        value = k & modulus >> degree - k & 1
        for i in range(1, k):
            value ^= modulus >> degree - i & sums[k - i] & 1
        sums.append(value)
    return sum(1 << k for k, value in enumerate(sums) if value)


GF_2_163 = BinaryField(163, (7, 6, 3))
GF_2_283 = BinaryField(283, (12, 7, 5))
