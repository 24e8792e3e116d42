"""Messages mutated at random: as an attacker without keys would, and as a device with a bug would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from harness.eui64 import Eui64
from harness.gbcs import KeyStore
from harness.gbcs.builder import Protection, secure
from harness.gbcs.codes import USE_CASES
from harness.gbcs.message import GbcsMessage, parse

NUMBERS = (0x00, 0x01, 0x7F, 0x80, 0x81, 0x82, 0x83, 0x84, 0xFF)
_CODES = sorted(USE_CASES)


def mutated(octets: bytes, rng: Random) -> bytes:
    """Change octets in one to four places: a bit, a value that lengths are made of, a cut, a copy."""
    result = bytearray(octets)
    for _ in range(rng.randint(1, 4)):
        if not result:
            break
        place = rng.randrange(len(result))
        match rng.randrange(5):
            case 0:
                result[place] ^= 1 << rng.randrange(8)
            case 1:
                result[place] = rng.choice(NUMBERS)
            case 2:
                del result[place : place + rng.randint(1, 9)]
            case 3:
                result[place:place] = rng.randbytes(rng.randint(1, 9))
            case 4:
                start = rng.randrange(len(result))
                result[place:place] = result[start : start + rng.randint(1, 30)]
    return bytes(result)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A mutant of `original`. `protected` says that MAC and signature are right for what it has become."""

    original: bytes
    octets: bytes
    protected: bool

    @property
    def changed(self) -> bool:
        return self.octets != self.original


def forged(octets: bytes, rng: Random) -> Mutant:
    """Change octets anywhere, without a key."""
    return Mutant(octets, mutated(octets, rng), protected=False)


def misbuilt(octets: bytes, rng: Random, keys: KeyStore, *, others: Sequence[Eui64]) -> Mutant:
    """Change the content, or a field of the header, and protect that rightly."""
    message = parse(octets)
    signed = Protection.SIGNED if message.signature else Protection.NONE
    protection = signed | (Protection.MACED if message.mac else Protection.NONE)
    return Mutant(octets, secure(_changed(message, rng, others), keys, protection), protected=True)


def mutants(
    makes: Sequence[Callable[[int], bytes]], rng: Random, keys: KeyStore, count: int, others: Sequence[Eui64]
) -> Iterator[Mutant]:
    """Yield `count` mutants, forged and misbuilt by turns, of messages whose counters only go up."""
    for number in range(1, count + 1):
        octets = rng.choice(makes)(number)
        yield misbuilt(octets, rng, keys, others=others) if number % 2 else forged(octets, rng)


def _changed(message: GbcsMessage, rng: Random, others: Sequence[Eui64]) -> GbcsMessage:
    match rng.randrange(8):
        case 0:
            return replace(message, message_code=rng.choice(_CODES))
        case 1:
            return replace(message, originator=rng.choice(others))
        case 2:
            return replace(message, recipient=rng.choice(others))
        case 3 | 4:
            content = bytearray(message.content)
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
            return replace(message, content=bytes(content))
        case _:
            return replace(message, content=mutated(message.content, rng))
