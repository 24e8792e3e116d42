"""How fast GBCS messages are checked and made, against the bare cryptography in the same run.

Run it with ``python -m tests.benchmarks.gbcs``. The middle of many single calls is taken, ours and the bare
ones in turn, so that both see the same machine. Keys are the bench's own.
"""

from __future__ import annotations

import secrets
import statistics
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ec import ECDH, ECDSA
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from harness.eui64 import Eui64
from harness.gbcs.keys import ACB, SUPPLIER, BenchPki, KeyUsage, OwnKeys
from harness.gbcs.message import parse
from harness.gbcs.use_cases.cs08 import CS08
from harness.gbcs.use_cases.joining import CS03A2, CS03C, DeviceType, Join, JoinMethod

CALLS = 1000
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


def medians(*ways: Callable[[int], object], calls: int = CALLS) -> list[float]:
    """Return the middle of the seconds that one call of each way takes; they are called in turn."""
    took: list[list[float]] = [[] for _ in ways]
    for number in range(calls):
        for way, times in zip(ways, took, strict=True):
            began = time.perf_counter()
            way(number)
            times.append(time.perf_counter() - began)
    return [statistics.median(times) for times in took]


def checked_a_second(calls: int = CALLS) -> float:
    """Return how many MAC-only commands, all different, one process parses and verifies in a second."""
    commands = [CS08.build_command(None, OF_ACB, **heading(number)) for number in range(calls)]
    began = time.perf_counter()
    for command in commands:
        CS08.read_command(command, OF_PPMID, device=PPMID)
    return calls / (time.perf_counter() - began)


def made(join: Join, case, calls: int = CALLS) -> list[float]:
    """Return seconds for a signed and MACed command.

    Ours and the bare signature, ECDH and GCM for a device that is new each time; ours, and the bare signature
    and GCM, for one whose shared secret is remembered.
    """
    usage = KeyUsage.KEY_AGREEMENT
    signing, agreeing = PKI.private_key(ACB, KeyUsage.DIGITAL_SIGNATURE), PKI.private_key(ACB, usage)
    message = parse(case.build_command(join, OF_ACB, **heading(0)))
    signed, covered = message.body()[1:], message.unprotected()
    devices = [Eui64(0x00DB000000000000 + secrets.randbits(40)) for _ in range(calls)]
    publics = [PKI.public_key(device, usage) for device in devices]

    def ours_new(number: int) -> None:
        case.build_command(join, OF_ACB, **heading(number, devices[number]))

    def bare_new(number: int) -> None:
        agreeing.exchange(ECDH(), publics[number])
        bare(number)

    def ours(number: int) -> None:
        case.build_command(join, OF_ACB, **heading(number))

    def bare(number: int) -> None:
        signing.sign(signed, DETERMINISTIC)
        AESGCM(bytes(16)).encrypt(bytes(12), b"", covered)

    return medians(ours_new, bare_new, ours, bare, calls=calls)


def main() -> None:
    """Print a line a figure."""
    checked_a_second(100)
    print(f"parse and verify, MAC only: {checked_a_second():.0f} messages a second (asked for: 2000)")
    plain = Join(method=JoinMethod.METHOD_A_RESPONDER, device=ESME, device_type=DeviceType.ESME)
    certified = Join(
        method=JoinMethod.METHOD_C,
        device=GSME,
        device_type=DeviceType.GSME,
        certificate=PKI.certificate(GSME, KeyUsage.KEY_AGREEMENT),
    )
    for case, join in ((CS03A2, plain), (CS03C, certified)):
        ours_new, bare_new, ours, bare = (seconds * 1e6 for seconds in made(join, case))
        print(
            f"build and sign {case.name}: {ours_new:.0f} us, bare signature, ECDH and GCM {bare_new:.0f} us:"
            f" {ours_new / bare_new:.2f} times (asked for: 1.5)\n"
            f"  again to the same device: {ours:.0f} us, bare signature and GCM {bare:.0f} us:"
            f" {ours / bare:.2f} times"
        )


if __name__ == "__main__":
    main()
