"""What a PPMID keeps without power: written as text, so that nothing survives by being the same object."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from harness.eui64 import Eui64


class Mode(Enum):
    """Which SMETS version's system the PPMID takes itself to be on; the text of the test port."""

    NONE = "none"
    SMETS1 = "SMETS1"
    SMETS2_PLUS = "SMETS2+"


@dataclass(slots=True, kw_only=True)
class NonVolatile:
    """The non-volatile memory's content.

    `suites` is the bitmap that the mode was chosen from, `suite_used` the suite (1, 2) that the link key was
    established in, 0 before; `counters` the highest GBCS counter taken from each originator, `counter` the
    last of its own; `joined` the devices that it is joined to, with the numbers of their types; `stack` what
    the Zigbee stack saves; `old_network` is the last network that a link key was established on, which the
    device may be let back on by that key; `firmware` the version that came over the air, empty while it runs
    the factory's; `alert_due` whether the ACB has yet to be told of it.
    """

    install_code: bytes
    mode: Mode = Mode.NONE
    suites: int = 0
    suite_used: int = 0
    counters: dict[Eui64, int] = field(default_factory=dict)
    counter: int = 0
    joined: dict[Eui64, int] = field(default_factory=dict)
    stack: dict[str, Any] | None = None
    old_network: tuple[Eui64, int, bytes] | None = None  # extended PAN id, channel, link key
    firmware: str = ""
    alert_due: bool = False

    def forget_network(self) -> None:
        """Be on no network, in no mode, joined to nobody; counters stay, lest an old command work again."""
        self.mode, self.suites, self.suite_used, self.stack = Mode.NONE, 0, 0, None
        self.joined.clear()


class Memory:
    """The memory chip."""

    def __init__(self, factory: NonVolatile) -> None:
        self._text = ""
        self.store(factory)

    def store(self, content: NonVolatile) -> None:
        """Write everything."""
        self._text = json.dumps(
            {
                "install_code": content.install_code.hex(),
                "mode": content.mode.value,
                "suites": content.suites,
                "suite_used": content.suite_used,
                "counters": {str(eui64): count for eui64, count in content.counters.items()},
                "counter": content.counter,
                "joined": {str(eui64): number for eui64, number in content.joined.items()},
                "stack": content.stack,
                "old_network": _plain(content.old_network),
                "firmware": content.firmware,
                "alert_due": content.alert_due,
            }
        )

    def load(self) -> NonVolatile:
        """Read everything, as after a restart."""
        content = json.loads(self._text)
        return NonVolatile(
            install_code=bytes.fromhex(content["install_code"]),
            mode=Mode(content["mode"]),
            suites=content["suites"],
            suite_used=content["suite_used"],
            counters={Eui64.parse(eui64): count for eui64, count in content["counters"].items()},
            counter=content["counter"],
            joined={Eui64.parse(eui64): number for eui64, number in content["joined"].items()},
            stack=content["stack"],
            old_network=_network(content["old_network"]),
            firmware=content["firmware"],
            alert_due=content["alert_due"],
        )


def _plain(network: tuple[Eui64, int, bytes] | None) -> list[Any] | None:
    return None if network is None else [str(network[0]), network[1], network[2].hex()]


def _network(plain: list[Any] | None) -> tuple[Eui64, int, bytes] | None:
    return None if plain is None else (Eui64.parse(plain[0]), plain[1], bytes.fromhex(plain[2]))
