"""How fast GBCS messages are checked and made, against the bare cryptography in the same run.

Run it with ``python -m tests.benchmarks.gbcs``. Ours and the bare calls are timed in turn, some calls of each
a round, so that both see the same machine: the ratio is that of the middle round, and of the best. Keys are
the bench's own.
"""

from __future__ import annotations

import secrets
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ec import ECDH, ECDSA
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from harness.eui64 import Eui64
from harness.gbcs.keys import ACB, SUPPLIER, BenchPki, KeyUsage, OwnKeys
from harness.gbcs.message import GbcsMessage, parse
from harness.gbcs.use_case import UseCase
from harness.gbcs.use_cases.cs08 import CS08
from harness.gbcs.use_cases.joining import CS03A2, CS03C, DeviceType, Join, JoinMethod, JoinResult

ROUNDS, CALLS = 100, 25
PPMID, ESME, GSME = (Eui64.parse(f"00DB1234567890A{digit}") for digit in (4, 0, 1))
PKI = BenchPki("benchmark")
OF_ACB, OF_PPMID = OwnKeys(ACB, PKI), OwnKeys(PPMID, PKI)
DETERMINISTIC = ECDSA(SHA256(), deterministic_signing=True)


def heading(counter: int, device: Eui64 = PPMID) -> dict:
    return {
        "originator": ACB,
        "device": device,
        "counter": counter,
        "supplementary_party": SUPPLIER,
        "supplementary_counter": 1000 + counter,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Microseconds that one message of ours takes, and the bare calls that it needs, a round each."""

    ours: list[float]
    bare: list[float]

    @property
    def middle(self) -> float:
        """How many times the bare calls ours takes, in the middle of the rounds."""
        return statistics.median(ours / bare for ours, bare in zip(self.ours, self.bare, strict=True))

    @property
    def best(self) -> float:
        """The same of the best round of each."""
        return min(self.ours) / min(self.bare)

    def __str__(self) -> str:
        ours, bare = statistics.median(self.ours), statistics.median(self.bare)
        return f"{ours:.1f} us, bare {bare:.1f} us: {self.middle:.2f} times, at best {self.best:.2f}"


def in_turn(ours: Callable[[int], object], bare: Callable[[int], object], rounds: int = ROUNDS) -> Made:
    """Time both, in turn; each call gets another number."""
    made = Made(ours=[], bare=[])
    for first in range(0, rounds * CALLS, CALLS):
        for way, took in ((ours, made.ours), (bare, made.bare)):
            began = time.perf_counter()
            for number in range(first, first + CALLS):
                way(number)
            took.append((time.perf_counter() - began) / CALLS * 1e6)
    return made


def checked_a_second(calls: int = 1000) -> float:
    """Return how many MAC-only commands, all different, one process parses and verifies in a second."""
    commands = [CS08.build_command(None, OF_ACB, **heading(number)) for number in range(calls)]
    began = time.perf_counter()
    for command in commands:
        CS08.read_command(command, OF_PPMID, device=PPMID)
    return calls / (time.perf_counter() - began)


def commands(case: UseCase, fields: object, rounds: int = ROUNDS) -> dict[str, Made]:
    """Time a signed and MACed command to a device that is new each time, and again to the same one.

    What it needs: for the new one signature, ECDH and GCM; for the one whose shared secret is remembered
    signature and GCM.
    """
    usage = KeyUsage.KEY_AGREEMENT
    signing, agreeing = PKI.private_key(ACB, KeyUsage.DIGITAL_SIGNATURE), PKI.private_key(ACB, usage)
    message = parse(case.build_command(fields, OF_ACB, **heading(0)))
    signed, covered = message.body()[1:], message.unprotected()
    devices = [Eui64(0x00DB000000000000 + secrets.randbits(40)) for _ in range(rounds * CALLS)]
    publics = [PKI.public_key(device, usage) for device in devices]
    to_new = [heading(number, device) for number, device in enumerate(devices)]
    to_same = [heading(number) for number in range(rounds * CALLS)]

    def bare(_: int) -> None:
        signing.sign(signed, DETERMINISTIC)
        AESGCM(bytes(16)).encrypt(bytes(12), b"", covered)

    def bare_new(number: int) -> None:
        agreeing.exchange(ECDH(), publics[number])
        bare(number)

    return {
        "to a new device": in_turn(
            lambda number: case.build_command(fields, OF_ACB, **to_new[number]), bare_new, rounds
        ),
        "again to the same": in_turn(
            lambda number: case.build_command(fields, OF_ACB, **to_same[number]), bare, rounds
        ),
    }


def response(case: UseCase, command: GbcsMessage, fields: object, rounds: int = ROUNDS) -> Made:
    """Time a response that is signed alone, to a command that has been read."""
    signing = PKI.private_key(PPMID, KeyUsage.DIGITAL_SIGNATURE)
    signed = parse(case.build_response(command, fields, OF_PPMID)).body()[1:]
    return in_turn(
        lambda _: case.build_response(command, fields, OF_PPMID),
        lambda _: signing.sign(signed, DETERMINISTIC),
        rounds,
    )


def main() -> None:
    """Print a line a figure."""
    checked_a_second(100)
    print(f"parse and verify, MAC only: {checked_a_second():.0f} messages a second (asked for: 2000)")
    print("build and sign, and the bare signature, GCM and (new device) ECDH (asked for: 1.5 times)")
    plain = Join(method=JoinMethod.METHOD_A_RESPONDER, device=ESME, device_type=DeviceType.ESME)
    certified = Join(
        method=JoinMethod.METHOD_C,
        device=GSME,
        device_type=DeviceType.GSME,
        certificate=PKI.certificate(GSME, KeyUsage.KEY_AGREEMENT),
    )
    for case, join in ((CS03A2, plain), (CS03C, certified)):
        for to, made in commands(case, join).items():
            print(f"  {case.name} command {to}: {made}")
    command = parse(CS03A2.build_command(plain, OF_ACB, **heading(0)))
    print(f"  CS03A2 response: {response(CS03A2, command, JoinResult.SUCCESS)}")


if __name__ == "__main__":
    main()
